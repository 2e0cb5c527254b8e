import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { json, linesOf, porthouse, Running, type RunOptions } from './process.ts'

interface Receipt {
  status: string
  sockets: number
  sequence?: number
  id?: string
  code?: string
}

interface Heard {
  id: string
  from: string
  sequence: number
  text?: string
  payload?: string
}

const uuid = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)

let gateway: TestGateway
let both: string
let sender: string
let receiver: string
let at: RunOptions

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('demo/hello')
  await gateway.room('demo/open', [{ case: 'access', value: { locks: [] } as never }])
  both = await gateway.token('demo', ['hello'])
  sender = await gateway.token('demo', ['hello'], { receive: false })
  receiver = await gateway.token('demo', ['hello'], { send: false })
  at = { env: { PORTHOUSE_URL: gateway.url } }
})
afterAll(() => gateway.stop())

/** A listener that hears, so that what is sent from now on reaches it. */
async function listener(...args: string[]): Promise<Running> {
  const running = new Running(['listen', ...args], at)
  await running.says(/^listening /, 'stderr')
  return running
}

describe('send and listen', () => {
  it('carry a message, with one receipt that says whom it reached', async () => {
    const listening = await listener('demo/hello', '--token', receiver, '--json', '--count', '1')
    const receipt = await json<Receipt>(['send', 'demo/hello', 'hi ☃', '--token', both], at)
    expect(receipt).toMatchObject({ status: 'ROUTED', sockets: 1, id: uuid })
    expect(receipt.sequence).toBeTypeOf('number')
    const { code, stdout, stderr } = await listening.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'listening demo/hello\n' })
    expect(linesOf<Heard>(stdout)).toEqual([
      expect.objectContaining({
        id: receipt.id,
        sequence: receipt.sequence,
        from: expect.stringMatching(/^socket:/),
        text: 'hi ☃',
      }),
    ])
  })

  it('carry each line of stdin in order, with the receipts in the same order', async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `line ${index}`)
    const input = `${lines.join('\n')}\n`
    const listening = await listener('demo/hello', '--token', both, '--text', '--count', '3000')
    const args = ['send', 'demo/hello', '--lines', '--json', '--token', sender]
    const { code, stdout } = await porthouse(args, { ...at, input })
    expect(code).toBe(0)
    const receipts = linesOf<Receipt>(stdout)
    expect(receipts).toHaveLength(3000)
    expect(receipts.every(({ status, sockets }) => status === 'ROUTED' && sockets === 1)).toBe(true)
    const first = receipts[0]!.sequence!
    expect(receipts.map(({ sequence }) => sequence! - first)).toEqual(
      lines.map((_, index) => index),
    )
    expect((await listening.ended).stdout).toBe(input)
  })

  it('answer a line at once, before the next one comes', async () => {
    const sending = new Running(['send', 'demo/hello', '--lines', '--json', '--token', sender], at)
    for (const nth of [1, 2, 3]) {
      sending.process.stdin.write('one\n')
      await sending.says(new RegExp(`^(.*\n){${nth}}`))
    }
    sending.process.stdin.end()
    expect((await sending.ended).code).toBe(0)
  })

  it('carry all of stdin as one message, bytes that are no text in base64', async () => {
    const listening = await listener('demo/hello', '--token', both, '--json', '--count', '2')
    const args = ['send', 'demo/hello', '-', '--token', both]
    await porthouse(args, { ...at, input: 'two\nlines\n' })
    await porthouse(args, { ...at, input: new Uint8Array([0xff, 0x00, 0x0a]) })
    const [text, bytes] = linesOf<Heard>((await listening.ended).stdout)
    expect(text).toMatchObject({ text: 'two\nlines\n' })
    expect(bytes).toMatchObject({ payload: '/wAK' })
    expect(bytes).not.toHaveProperty('text')
  })

  it('take a URL, a channel and an open room without a token', async () => {
    const place = `${gateway.url}/demo/open/a/b`
    const listening = new Running(['listen', 'demo/open/a/*', '--json', '--count', '1'], at)
    await listening.says('listening', 'stderr')
    expect((await porthouse(['send', place, 'up'])).code).toBe(0)
    const [heard] = linesOf<Heard>((await listening.ended).stdout)
    expect(heard).toMatchObject({ address: 'room:demo/open/a/b', channel: 'a/b', text: 'up' })
  })

  it('exit with 0 for a message that nobody hears and for one sent before', async () => {
    const args = ['send', 'demo/hello', 'x', '--key', 'once', '--token', both]
    const first = await json<Receipt>(args, at)
    expect(first).toMatchObject({ status: 'VOID', sockets: 0 })
    expect(await json<Receipt>(args, at)).toMatchObject({ status: 'DUPLICATE', id: first.id })
    const level = [...args.slice(0, 3), '--level', 'accepted', '--token', both]
    expect((await json<Receipt>(level, at)).status).toMatch(/^(ACCEPTED|VOID)$/)
  })
})

describe('a refusal', () => {
  it('of a message is a receipt and exit code 3, of each line its own', async () => {
    const one = await porthouse(['send', 'demo/hello', 'x', '--token', receiver, '--json'], at)
    const refused = { status: 'REJECTED', code: 'SEND_NOT_PERMITTED', sockets: 0 }
    expect(one.code).toBe(3)
    expect(JSON.parse(one.stdout)).toMatchObject(refused)
    const args = ['send', 'demo/hello', '--lines', '--json', '--token', receiver]
    const many = await porthouse(args, { ...at, input: 'a\nb\n' })
    expect(many.code).toBe(3)
    expect(linesOf<Receipt>(many.stdout)).toMatchObject([refused, refused])
  })

  it('of one message too large is its own; the others go on', async () => {
    const input = `small\n${'x'.repeat(300_000)}\nsmall\n`
    const args = ['send', 'demo/hello', '--lines', '--json', '--token', both]
    const { code, stdout } = await porthouse(args, { ...at, input })
    expect(code).toBe(3)
    const statuses = linesOf<Receipt>(stdout).map((one) => one.code ?? one.status)
    expect(statuses).toEqual(['VOID', 'PAYLOAD_TOO_LARGE', 'VOID'])
  })

  it.each([
    ['RECEIVE_NOT_PERMITTED', () => ['listen', 'demo/hello', '--token', sender]],
    ['ROOM_UNKNOWN', () => ['listen', 'demo/nowhere', '--token', both]],
    ['UNAUTHENTICATED', () => ['listen', 'demo/hello', '--token', 'wrong']],
    ['UNAUTHENTICATED', () => ['send', 'demo/hello', 'x', '--token', 'wrong']],
  ])('to enter exits with 3 and names its code: %s', async (refusal, args) => {
    const { code, stdout, stderr } = await porthouse([...args(), '--json'], at)
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: refusal } })
  })
})

describe('the end of listen', () => {
  it('at its timeout is a failure where --count is not reached', async () => {
    const args = ['listen', 'demo/hello', '--token', both, '--timeout', '1.5']
    expect((await porthouse(args, at)).code).toBe(0)
    const short = await porthouse([...args, '--count', '1'], at)
    expect(short.code).toBe(5)
    expect(short.stderr).toContain('heard 0 of 1 messages')
  })

  it('comes with the end of its reader, without a word', async () => {
    const listening = await listener('demo/hello', '--token', receiver, '--text')
    listening.process.stdout.destroy()
    await porthouse(['send', 'demo/hello', 'x', '--token', both], at)
    expect(await listening.ended).toMatchObject({ code: 0, stderr: 'listening demo/hello\n' })
  })

  it('is told where no gateway answers', async () => {
    const { code, stderr } = await porthouse(['listen', 'demo/hello'], {
      env: { PORTHOUSE_URL: 'ws://127.0.0.1:1' },
    })
    expect(code).toBe(4)
    expect(stderr).toMatch(/^porthouse: UNAVAILABLE: .*PORTHOUSE_URL/)
  })
})

describe('connect', () => {
  it('shows what others say and what became of each line', async () => {
    const talk = () =>
      new Running(['connect', 'demo/hello'], {
        env: { PORTHOUSE_URL: gateway.url, PORTHOUSE_TOKEN: both },
      })
    const [ann, bob] = [talk(), talk()]
    await Promise.all([ann, bob].map((one) => one.says('connected to room:demo/hello', 'stderr')))
    ann.process.stdin.write('good morning\n')
    await bob.says(/socket:\w+: good morning/)
    await ann.says(/ROUTED reached 1 socket/)
    bob.process.stdin.write('\u001b[2Jhello\n')
    expect(await ann.says(/hello/)).not.toContain('\u001b')
    for (const one of [ann, bob]) one.process.stdin.end()
    expect((await ann.ended).code).toBe(0)
    expect((await bob.ended).code).toBe(0)
  })

  it('lets a token that may only send do so', async () => {
    const args = ['connect', 'demo/hello', '--token', sender]
    const { code, stdout, stderr } = await porthouse(args, { ...at, input: 'x\n' })
    expect(code).toBe(0)
    expect(stdout).toContain('VOID')
    expect(stderr).toContain('may send here, not listen')
  })
})
