/** Gateways that cheat with locks: what they get is nothing, and the client is told. */
import { randomBytes, randomUUID } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import type { ScramStart } from '@porthouse/proto/v1/lock_step'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Answerer,
  type Client,
  type ConnectOptions,
  connect,
  connectionKey,
  password,
  prompts,
  sshKey,
} from '../../../clients/ts/src/index.ts'
import { checkProof, newConnectionKey } from '../../../gateway/identity/connection-keys.ts'
import {
  type Answered,
  answered,
  challenge,
  greeted,
  judged,
  LOCK,
  SOCKET,
} from '../../support/lock-frames.ts'
import { drop, joined, type Line, Peer } from '../../support/peer.ts'

const PLACE = 'room:acme/boiler'
const PATH = '/acme/boiler'

let peer: Peer
const clients: Client[] = []
beforeEach(async () => {
  peer = await Peer.start()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await peer.stop()
})

async function dial(path: string, options: ConnectOptions) {
  const connecting = connect(`${peer.url}${path}`, { reconnect: false, ...options }).then(
    (client) => {
      clients.push(client)
      return client
    },
  )
  connecting.catch(() => {})
  return { line: await peer.line(), connecting }
}

/** Refuses to be a party to anything. */
const never: Answerer = {
  acceptor: '*',
  answer: () => {
    throw new Error('asked after all')
  },
}

describe('a challenge beyond all measure ends the connection', () => {
  const prompt = { text: 'Name: ', echo: true }
  const asks = (value: object) => ({ ask: { case: 'prompts' as const, value } })
  test.each([
    ['1,000 prompts', asks({ prompts: Array.from({ length: 1000 }, () => prompt) })],
    ['a huge prompt', asks({ prompts: [{ text: 'x'.repeat(100_000), echo: true }] })],
    ['a huge instruction', asks({ instruction: 'x'.repeat(100_000), prompts: [prompt] })],
    ['a huge acceptor', { acceptor: 'x'.repeat(1000) }],
    ['a thousand others', { others: Array.from({ length: 1000 }, (_, i) => `a${i}`) }],
    ['a huge nonce', { ask: { case: 'nonce' as const, value: { nonce: randomBytes(5000) } } }],
    ['huge data', { ask: { case: 'data' as const, value: randomBytes(100_000) } }],
  ])('%s', async (_, value) => {
    const { line, connecting } = await dial(PATH, { locks: [never] })
    await greeted(line)
    line.send(challenge(0, { acceptor: 'tty', place: PLACE, ...value } as never))
    await expect(connecting).rejects.toMatchObject({ code: 'MALFORMED_PACKET', temporary: false })
    await line.closed
  })

  test('locks within locks within locks', async () => {
    const { line, connecting } = await dial(PATH, { locks: [never] })
    await greeted(line)
    const ids = Array.from({ length: 17 }, (_, index) => `lock:${`${index}`.padStart(16, 'a')}`)
    line.send(...ids.map((id) => challenge(0, { acceptor: 'own', place: PLACE }, id)))
    await expect(connecting).rejects.toMatchObject({ code: 'NESTING_TOO_DEEP' })
  })
})

describe('a gateway that asks on and on is left', () => {
  const patient: Answerer = { acceptor: 'own', tries: Number.POSITIVE_INFINITY, answer: () => 'x' }

  const ask = challenge(0, { acceptor: 'own', place: PLACE })

  async function askOn(line: Line, verdict: 'passed' | 'failed'): Promise<number> {
    for (let round = 1; ; round++) {
      line.send(ask)
      const answer = await Promise.race([answered(line), line.closed])
      if (typeof answer === 'number') return round
      line.send(judged(answer.id, verdict, { triesLeft: 9 }))
    }
  }

  test.each(['failed', 'passed'] as const)('with %s for a verdict', async (verdict) => {
    const { line, connecting } = await dial(PATH, { locks: [patient] })
    await greeted(line)
    expect(await askOn(line, verdict)).toBeLessThan(100)
    await expect(connecting).rejects.toMatchObject({ code: 'NESTING_TOO_DEEP', temporary: false })
  })

  test('without a verdict', async () => {
    const { line, connecting } = await dial(PATH, { locks: [patient] })
    await greeted(line)
    line.send(...Array.from({ length: 100 }, () => ask))
    await expect(connecting).rejects.toMatchObject({ code: 'NESTING_TOO_DEEP', temporary: false })
  })
})

describe('what nobody asked for changes nothing', () => {
  test('verdicts under foreign ids and of unknown locks prove nothing', async () => {
    const { line, connecting } = await dial('', { token: 'secret' })
    const [answer] = await greeted(line)
    line.send(
      judged(answer!.id + 1000, 'passed'),
      judged(0, 'passed'),
      judged(0, 'failed', { code: Code.UNAUTHENTICATED }),
      judged(0, 'dropped', { code: Code.TRIES_EXHAUSTED }),
    )
    line.send(judged(answer!.id, 'failed', { code: Code.TOKEN_EXPIRED }))
    await expect(connecting).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
  })

  test('an outcome of a later version lets nobody in', async () => {
    const { line, connecting } = await dial('', { token: 'secret' })
    const [answer] = await greeted(line)
    const step = { case: 'verdict' as const, value: { outcome: 9 as never } }
    line.send({ id: answer!.id, body: { case: 'lockStep', value: { step } } })
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('a verdict of another lock than the one that was answered is a fault', async () => {
    const own: Answerer = { acceptor: 'own', nominates: true, answer: () => 'x' }
    const { line, connecting } = await dial('', { locks: [own] })
    const [chosen] = await greeted(line)
    line.send(challenge(chosen!.id, { acceptor: 'own' }))
    const { id } = await answered(line)
    line.send(judged(id, 'passed', {}, 'lock:bbbbbbbbbbbbbbbb'))
    await expect(connecting).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
  })

  test('a challenge in the main lobby is an offer; refusals of nothing are nothing', async () => {
    const { line, connecting } = await dial('', { token: 'secret' })
    const [answer] = await greeted(line)
    line.send(challenge(0, { acceptor: 'ssh-key' }), drop(9999, Code.FRAME_NOT_ALLOWED))
    line.send(judged(answer!.id, 'passed'))
    expect((await connecting).socket).toBe(SOCKET)
  })

  test('values named after what objects have are just values', async () => {
    const values: object[] = []
    const { line, connecting } = await dial('', {
      token: 'secret',
      onStep: (step) => {
        if (step.kind === 'verdict') values.push(step.verdict.values)
      },
    })
    const [answer] = await greeted(line)
    line.send(judged(answer!.id, 'passed', { values: { ['__proto__']: 'x', toString: 'y' } }))
    await connecting
    expect(Object.keys(values[0]!)).toContain('toString')
    expect(Object.getPrototypeOf(values[0])).toBeNull()
  })
})

describe('an SSH key signs nothing', () => {
  const nonce = randomBytes(32)
  let signed: Uint8Array[]
  const signer = () => {
    signed = []
    return sshKey({
      client: 'acme/anna',
      tries: 9,
      async sign(message) {
        signed.push(message)
        return new Uint8Array(64)
      },
    })
  }

  async function asked(value: object) {
    const { line, connecting } = await dial(PATH, { locks: [signer()] })
    await greeted(line)
    const ask = { case: 'nonce' as const, value: { nonce, socket: SOCKET, ...value } }
    line.send(challenge(0, { acceptor: 'ssh-key', place: PLACE, ask }))
    return { line, connecting, ask }
  }

  test.each([
    ['for another socket', { socket: 'socket:bbbbbbbbbbbbbbbb' }],
    ['for no socket', { socket: '' }],
    ['without a nonce', { nonce: new Uint8Array() }],
    ['with a nonce of another length', { nonce: new Uint8Array(31) }],
  ])('%s', async (_, value) => {
    const { connecting } = await asked(value)
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(signed).toEqual([])
  })

  test('with the nonce of another lock', async () => {
    const { line, connecting, ask } = await asked({})
    const { id } = await answered(line)
    const next = { acceptor: 'ssh-key', place: PLACE, ask }
    line.send(judged(id, 'passed'), challenge(0, next, 'lock:bbbbbbbbbbbbbbbb'))
    await expect(connecting).rejects.toThrow('the nonce of another lock')
    expect(signed).toHaveLength(1)
  })

  test('that is good for another gateway: its name is the URL that was dialled', async () => {
    const { line } = await asked({})
    const { response } = await answered(line)
    const gateway = peer.url.replace('ws:', 'http:')
    expect(response.value).toMatchObject({ gateway })
    expect(Buffer.from(signed[0]!).toString('latin1')).toContain(gateway)
  })

  test('unless it is told to: the option `gateway` says what its name is', async () => {
    const { line } = await dial(PATH, { locks: [signer()], gateway: 'WSS://Hub.Example:443/x' })
    await greeted(line)
    const ask = { case: 'nonce' as const, value: { nonce, socket: SOCKET } }
    line.send(challenge(0, { acceptor: 'ssh-key', place: PLACE, ask }))
    const { response } = await answered(line)
    expect(response.value).toMatchObject({ gateway: 'https://hub.example' })
  })
})

describe('a connection key', () => {
  const id = randomUUID()
  const salt = randomBytes(16)
  const { secret, data } = newConnectionKey(id, randomBytes(32), salt)

  async function started(): Promise<{
    line: Line
    connecting: Promise<Client>
    first: Answered
    start: ScramStart
  }> {
    const { line, connecting } = await dial('', { locks: [connectionKey(secret)] })
    const [first] = await greeted(line)
    return { line, connecting, first: first!, start: first!.response.value as ScramStart }
  }

  const ask = (value: object) => {
    const nonce = new Uint8Array(32).fill(7)
    const full = { nonce, salt, iterations: data.iterations, socket: SOCKET, ...value }
    return { acceptor: 'key', ask: { case: 'scram' as const, value: full } }
  }

  async function proved() {
    const { line, connecting, first, start } = await started()
    line.send(challenge(first.id, ask({})))
    const answer = await answered(line)
    const nonce = Buffer.concat([start.nonce, new Uint8Array(32).fill(7)])
    const gateway = peer.url.replace('ws:', 'http:')
    const login = { gateway, socket: SOCKET, nonce, client: id, place: '' }
    const { proof } = answer.response.value as { proof: Uint8Array }
    const exchange = { login, salt, iterations: data.iterations }
    const signature = checkProof(data, exchange, proof)!.toString('base64')
    return { line, connecting, answer, signature }
  }

  test('is proved, and so is the gateway', async () => {
    const { line, connecting, answer, signature } = await proved()
    line.send(judged(answer.id, 'passed', { values: { server_signature: signature } }))
    await connecting
  })

  test('never crosses the wire, nor a nonce twice', async () => {
    const nonces = new Set<string>()
    for (let round = 0; round < 3; round++) {
      const { start, first } = await started()
      nonces.add(Buffer.from(start.nonce).toString('hex'))
      expect(JSON.stringify(first, (_, each) => each)).not.toContain(secret.slice(-43))
    }
    expect(nonces.size).toBe(3)
  })

  test.each([
    ['no signature', () => ({})],
    ['an empty one', () => ({ server_signature: '' })],
    ['one of its own', () => ({ server_signature: randomBytes(32).toString('base64') })],
    ['one that is no base64', () => ({ server_signature: '%%%' })],
    ['the right one cut short', (right: string) => ({ server_signature: right.slice(0, 40) })],
  ])('leaves a gateway with %s', async (_, values) => {
    const { line, connecting, answer, signature } = await proved()
    line.send(judged(answer.id, 'passed', { values: values(signature) }))
    await expect(connecting).rejects.toThrow('the gateway does not know the key itself')
    await line.closed
  })

  test('leaves a gateway that passes it by a push, or before the proof', async () => {
    const one = await proved()
    one.line.send(judged(0, 'passed'))
    await expect(one.connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    const two = await started()
    two.line.send(judged(two.first.id, 'passed', { values: { server_signature: '' } }))
    await expect(two.connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('is not in a room before the gateway has proved itself', async () => {
    const { line, connecting } = await dial(PATH, { locks: [connectionKey(secret)] })
    const [first] = await greeted(line)
    line.send(challenge(first!.id, { ...ask({}), place: PLACE }))
    const answer = await answered(line)
    line.send(joined(0, PLACE))
    line.send(judged(answer.id, 'passed', { values: { server_signature: 'AAAA' } }))
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test.each([
    ['one round', { iterations: 1 }],
    ['4 billion rounds', { iterations: 0xffff_ffff }],
    ['another socket', { socket: 'socket:bbbbbbbbbbbbbbbb' }],
  ])('does not do for %s', async (_, value) => {
    const { line, connecting, first } = await started()
    line.send(challenge(first.id, ask(value)))
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('proves itself once an exchange', async () => {
    const { line, connecting, answer } = await proved()
    line.send(challenge(answer.id, ask({ nonce: new Uint8Array(32).fill(8) })))
    await expect(connecting).rejects.toThrow('does not keep to the exchange')
  })

  test.each(['', 'phk_x', 'pht_'.padEnd(80, 'a')])('is not %j', (text) => {
    expect(() => connectionKey(text)).toThrow('not a connection key')
  })
})

test('a password is not typed where it may be seen', async () => {
  const locks = [password({ client: 'acme/anna', password: 'secret' })]
  for (const echoes of [[true], [true, true], [false, false], [], [true, false, true]]) {
    const { line, connecting } = await dial(PATH, { locks })
    await greeted(line)
    const asked = echoes.map((echo) => ({ text: 'Password: ', echo }))
    const ask = { case: 'prompts' as const, value: { prompts: asked } }
    line.send(challenge(0, { acceptor: 'password', place: PLACE, ask }))
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  }
})

test('an answerer that answers with nonsense is told, not sent', async () => {
  for (const nonsense of [42, {}, { nonce: 1 }]) {
    const odd = { acceptor: 'own', answer: () => nonsense as never }
    const { line, connecting } = await dial(PATH, { locks: [odd] })
    await greeted(line)
    line.send(challenge(0, { acceptor: 'own', place: PLACE }))
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  }
})

/** Any steps at all, in any order, under any ids. */
const step = fc.oneof(
  fc.record({
    type: fc.constant('challenge' as const),
    id: fc.nat(6),
    lock: fc.constantFrom('', LOCK, 'lock:bbbbbbbbbbbbbbbb'),
    acceptor: fc.constantFrom('own', 'token', 'tty', 'other'),
    others: fc.subarray(['own', 'token', 'other']),
    place: fc.constantFrom('', PLACE, 'room:acme/attic'),
    depth: fc.nat(3),
  }),
  fc.record({
    type: fc.constantFrom('passed' as const, 'failed' as const, 'dropped' as const),
    id: fc.nat(6),
    lock: fc.constantFrom('', LOCK, 'lock:bbbbbbbbbbbbbbbb'),
    code: fc.constantFrom(0, Code.UNAUTHENTICATED, Code.UNAVAILABLE),
  }),
)

test('any lock steps at all end in an error that is told, or in none', async () => {
  const locks: Answerer[] = [
    { acceptor: 'own', tries: 3, answer: () => 'x' },
    prompts(async () => undefined),
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom('', PATH),
      async (steps, path) => {
        const { line, connecting } = await dial(path, { token: 'secret', locks })
        await greeted(line)
        for (const each of steps) {
          if (each.type === 'challenge') line.send(challenge(each.id, each, each.lock))
          else line.send(judged(each.id, each.type, { code: each.code }, each.lock))
        }
        line.close(4550)
        const client = await connecting.catch((error) => error)
        if (client instanceof Error) expect(client.name).toBe('PorthouseError')
        else await client.close()
      },
    ),
    { numRuns: 150 },
  )
}, 60_000)
