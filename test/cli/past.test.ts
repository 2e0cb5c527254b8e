/** `listen` and `connect` over what was before: positions, the last ones, what is unread. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { json, linesOf, porthouse, Running, type RunOptions } from './process.ts'

interface Heard {
  text: string
  sequence: number
  replay?: string
}

let gateway: TestGateway
let at: RunOptions

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/board', [{ case: 'history', value: { keep: 3 } } as never])
  await gateway.room('acme/cells', [{ case: 'retained', value: {} } as never])
  const token = await gateway.token('acme', ['board', 'cells'], { client: 'bob' })
  at = { env: { PORTHOUSE_URL: gateway.url, PORTHOUSE_TOKEN: token } }
})
afterAll(() => gateway.stop())

async function heard(...args: string[]): Promise<Heard[]> {
  const { code, stdout, stderr } = await porthouse(['listen', 'acme/board', '--json', ...args], at)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return stdout === '' ? [] : linesOf<Heard>(stdout)
}

const texts = (all: readonly Heard[]) => all.map(({ text }) => text)

describe('listen', () => {
  it('hears what was stored, then what is live', async () => {
    for (const text of ['1', '2', '3']) {
      const args = ['send', 'acme/board', text, '--level', 'stored']
      expect(await json(args, at)).toMatchObject({ status: 'STORED', sequence: Number(text) })
    }
    const live = new Running(['listen', 'acme/board', '--json', '--since', '0', '--count', '4'], at)
    await live.says('"text":"3"')
    await porthouse(['send', 'acme/board', '4'], at)
    const all = linesOf<Heard>((await live.ended).stdout)
    expect(texts(all)).toEqual(['1', '2', '3', '4'])
    expect(all.map(({ replay }) => replay)).toEqual(['history', 'history', 'history', undefined])
    expect(texts(await heard('--since', 'start', '--count', '2'))).toEqual(['1', '2'])
    expect(texts(await heard('--since', '2', '--count', '2'))).toEqual(['3', '4'])
    expect(texts(await heard('--last', '1', '--count', '1'))).toEqual(['4'])
  })

  it('hears what is unread once', async () => {
    expect(texts(await heard('--since', 'unread', '--count', '3'))).toEqual(['1', '2', '3'])
    expect(texts(await heard('--since', 'unread', '--count', '1'))).toEqual(['4'])
    await porthouse(['send', 'acme/board', '5'], at)
    expect(texts(await heard('--since', 'unread', '--timeout', '3'))).toEqual(['5'])
    expect(await heard('--since', 'unread', '--timeout', '2')).toEqual([])
  })

  it('says where a room keeps nothing', async () => {
    const args = ['listen', 'acme/cells', '--since', '5', '--timeout', '2']
    const { code, stderr } = await porthouse(args, at)
    expect(code).toBe(0)
    expect(stderr).toMatch(/room:acme\/cells .*may be missing \((NO_HISTORY|POSITION_UNKNOWN)\)/)
  })

  it('hears last values that were sent to be kept', async () => {
    await porthouse(['send', 'acme/cells/a', '21.5', '--retain'], at)
    await porthouse(['send', 'acme/cells/a', 'passing'], at)
    const { stdout } = await porthouse(['listen', 'acme/cells', '--json', '--count', '1'], at)
    expect(linesOf<Heard>(stdout)).toMatchObject([{ text: '21.5', replay: 'retained' }])
  })

  it.each([
    ['--since', 'yesterday'],
    ['--since', '-1'],
    ['--last', '10001'],
    ['--since', '1', '--last', '1'],
  ])('refuses %s %s', async (...args) => {
    const { code, stderr } = await porthouse(['listen', 'acme/board', ...args], at)
    expect(code).toBe(2)
    expect(stderr).toContain('--')
  })
})

it('connect shows what was said before', async () => {
  const talk = new Running(['connect', 'acme/board', '--last', '2'], at)
  await talk.says(/client:acme\/bob: 5/)
  talk.process.stdin.end()
  const { code, stdout } = await talk.ended
  expect(code).toBe(0)
  expect(stdout).toContain(': 4')
  expect(stdout).not.toContain(': 3')
})
