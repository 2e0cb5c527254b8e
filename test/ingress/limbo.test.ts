/** Before anything is unlocked: budgets, deadlines, wrong proofs, and frames that wait (PH-5). */
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import { Outcome, type Verdict } from '@porthouse/proto/v1/lock_step'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Store } from '../../gateway/store/store.ts'
import { field } from '../support/bytes.ts'
import { answer, hello, join, packetOf, text } from '../support/client-frames.ts'
import { TestGateway, type TestSettings } from '../support/gateway.ts'
import { dropped, member, refusals, Witnesses } from '../support/outcome.ts'
import {
  BINARY,
  encodeFrame,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../support/raw-websocket.ts'

const ROOM = 'room:acme/boiler'

let gateway: TestGateway
let token: string
let witnesses: Witnesses
const others: TestGateway[] = []

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/boiler')
  await gateway.room('acme/pump')
  token = await gateway.token('acme', ['boiler', 'pump'])
  witnesses = await Witnesses.call(gateway)
})
afterEach(async () => {
  resetRawWebSockets()
  await Promise.all(others.splice(0).map((other) => other.stop()))
  await witnesses.check()
})
afterAll(() => gateway.stop())

async function beside(settings: TestSettings, store?: Store): Promise<TestGateway> {
  const other = await gateway.beside(settings, store)
  others.push(other)
  return other
}

const open = (port = gateway.port, options = {}) => RawWebSocket.open(port, options)

function verdictOf({ body }: Frame): Verdict {
  if (body.case !== 'lockStep' || body.value.step.case !== 'verdict') throw new Error('no verdict')
  return body.value.step.value
}

/** So many bytes of a field that nobody knows. */
function junk(size: number): Buffer {
  return field(15, Buffer.alloc(size))
}

function repeat(count: number, act: () => void): void {
  for (let i = 0; i < count; i++) act()
}

describe('a flood', () => {
  test.each([
    ['frames', (socket: RawWebSocket) => socket.packet(...Array(65).fill(join(1, '')))],
    ['packets', (socket: RawWebSocket) => repeat(65, () => socket.packet())],
    ['small packets', (socket: RawWebSocket) => repeat(33, () => socket.packet(join(1, '')))],
    ['bytes in one packet', (socket: RawWebSocket) => socket.send(BINARY, junk(65_536))],
    ['bytes in many', (socket: RawWebSocket) => repeat(17, () => socket.send(BINARY, junk(4096)))],
  ])('of %s ends the connection', async (_name, flood) => {
    const socket = await open()
    flood(socket)
    expect((await dropped(socket)).code).toBe('LIMBO_LIMIT')
  })

  test('of texts ends it on the other lane', async () => {
    const socket = await open(gateway.port, { protocol: 'porthouse.v1.json' })
    repeat(65, () => socket.send(TEXT))
    expect((await dropped(socket, TEXT)).code).toBe('LIMBO_LIMIT')
  })

  test('of bytes in a text ends it before anybody looks what they say', async () => {
    const socket = await open(gateway.port, { protocol: 'porthouse.v1.json' })
    socket.send(TEXT, 'x'.repeat(65_537))
    expect((await dropped(socket, TEXT)).code).toBe('LIMBO_LIMIT')
  })

  test('within the budget does not, and the budget ends with limbo', async () => {
    const socket = await open()
    repeat(20, () => socket.packet(join(1, '')))
    socket.packet(answer(2, token))
    await socket.frames(21)
    repeat(100, () => socket.packet(join(3, '')))
    await socket.frames(100)
  })
})

describe('silence', () => {
  test('ends at the deadline, whatever is sent meanwhile', async () => {
    const short = await beside({ limbo: { deadlineMs: 200, frames: 10_000 } })
    const [silent, busy, locked, inside] = await Promise.all([
      open(short.port),
      open(short.port),
      open(short.port, { path: '/acme/boiler' }),
      member(short, token, ROOM),
    ])
    const beats = setInterval(() => {
      busy.packet()
      busy.packet(answer(0, 'x'), hello(0))
    }, 20)
    const ends = await Promise.all([silent, busy, locked].map((socket) => dropped(socket)))
    clearInterval(beats)
    expect(ends[0]).toEqual({ code: 'LOCK_DEADLINE', before: [] })
    expect(ends[2]?.code).toBe('LOCK_DEADLINE')
    const [challenge, verdict] = ends[2]!.before
    expect(challenge?.body.value).toMatchObject({ step: { case: 'challenge' } })
    expect(verdictOf(verdict!)).toMatchObject({
      outcome: Outcome.DROPPED,
      code: Code.LOCK_DEADLINE,
    })
    inside.socket.packet(text(9, 'still here', { route: inside.route }))
    expect(await inside.socket.frame()).toMatchObject({ id: 9 })
  })
})

describe('wrong proofs', () => {
  const wrong = async (socket: RawWebSocket, secrets: (string | Uint8Array<ArrayBuffer>)[]) => {
    socket.packet(...secrets.map((secret, i) => answer(i + 1, secret)))
    return dropped(socket)
  }
  const another = (secret: string) => `${secret.slice(0, -2)}${secret.endsWith('AA') ? 'BA' : 'AA'}`

  test('too many in the lobby', async () => {
    const { code, before } = await wrong(await open(), ['', another(token), `${token}\0`, token])
    expect(code).toBe('TRIES_EXHAUSTED')
    expect(before.map(({ id }) => id)).toEqual([1, 2, 3])
    expect(before.map(verdictOf)).toMatchObject([
      { outcome: Outcome.FAILED, code: Code.UNAUTHENTICATED, triesLeft: 2 },
      { outcome: Outcome.FAILED, code: Code.UNAUTHENTICATED, triesLeft: 1 },
      { outcome: Outcome.DROPPED, code: Code.UNAUTHENTICATED, triesLeft: 0 },
    ])
  })

  test('too many at the lock of a room, whose token is of another account', async () => {
    const foreign = await gateway.token('witness', ['stand'])
    const socket = await open(gateway.port, { path: '/acme/boiler' })
    const { code, before } = await wrong(socket, Array(3).fill(foreign))
    expect(code).toBe('TRIES_EXHAUSTED')
    expect(before[0]?.body.value).toMatchObject({ step: { value: { place: ROOM, triesLeft: 3 } } })
    expect(before.slice(1).map(verdictOf).at(-1)).toMatchObject({ code: Code.UNAUTHENTICATED })
  })

  test.each([
    ['NUL', '\0'],
    ['4,096 bytes', 'x'.repeat(4096)],
    ['SQL', "pht_' or 1=1 --"],
    ['an id alone', 'pht_00000000000000000000000000000000_'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe])],
    ['emoji', '🔑'],
  ])('%s', async (_name, secret) => {
    const socket = await open()
    socket.packet(answer(1, secret), answer(2, token))
    const verdicts = (await socket.frames(2)).map(verdictOf)
    expect(verdicts).toMatchObject([
      { outcome: Outcome.FAILED, code: Code.UNAUTHENTICATED, triesLeft: 2, values: {} },
      { outcome: Outcome.PASSED },
    ])
  })

  test('a token that was deleted, and one that has expired', async () => {
    const expired = await gateway.token('acme', ['boiler'], { expiresAt: new Date(Date.now() - 1) })
    const deleted = await gateway.token('acme', ['boiler'])
    const id = deleted.replace(/^pht_(.{8})(.{4})(.{4})(.{4})(.{12})_.*$/, '$1-$2-$3-$4-$5')
    expect(await gateway.store.tokens.delete(id)).toBe(true)
    const socket = await open()
    socket.packet(answer(1, expired), answer(2, deleted), answer(3, another(expired)))
    expect((await dropped(socket)).before.map((frame) => verdictOf(frame).code)).toEqual([
      Code.TOKEN_EXPIRED,
      Code.UNAUTHENTICATED,
      // Expiry is told to those alone who hold the secret.
      Code.UNAUTHENTICATED,
    ])
  })

  test('a token that expires ends the connection, and no other', async () => {
    const soon = await gateway.token('acme', ['boiler'], { expiresAt: new Date(Date.now() + 1000) })
    const [mayfly, other] = [await member(gateway, soon, ROOM), await member(gateway, token, ROOM)]
    expect(await dropped(mayfly.socket)).toEqual({ code: 'TOKEN_EXPIRED', before: [] })
    other.socket.packet(text(1, 'x', { route: other.route }))
    expect(await other.socket.frame()).toMatchObject({ id: 1, body: { value: { sockets: 0 } } })
  })
})

describe('frames that wait for an answer to be judged', () => {
  /** A store whose rooms and tokens are found only when told so; `asked` is for a token. */
  function heldStore(): { store: Store; release: () => void; asked: Promise<void> } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const { store } = gateway
    const tokens: Store['tokens'] = Object.assign(Object.create(store.tokens), {
      find(id: string) {
        asked.resolve()
        return promise.then(() => store.tokens.find(id))
      },
    })
    const rooms: Store['rooms'] = Object.assign(Object.create(store.rooms), {
      find: (account: string, room: string) => promise.then(() => store.rooms.find(account, room)),
    })
    return { store: { ...store, tokens, rooms }, release: resolve, asked: asked.promise }
  }

  test('are handled in their order, however they came', async () => {
    const { store, release } = heldStore()
    const slow = await beside({}, store)
    const socket = await open(slow.port)
    // The rest of the first packet waits, and others behind it, one of them in another read.
    socket.packet(hello(1), answer(2, token), text(3, 'x'), text(4, 'x'))
    await slow.store.ping()
    socket.packet(join(5, ROOM), text(6, 'a', { to: [ROOM] }))
    socket.packet(text(7, 'b'))
    await slow.store.ping()
    release()
    const ids = (await socket.frames(7)).map(({ id }) => id)
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  test('are read no further than the gateway may keep, and none is lost', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const find: Store['rooms']['find'] = async (account, room) => {
      if (room === 'pump') await promise
      return gateway.store.rooms.find(account, room)
    }
    const rooms: Store['rooms'] = Object.assign(Object.create(gateway.store.rooms), { find })
    const slow = await beside({}, { ...gateway.store, rooms })
    const { socket, route } = await member(slow, token, ROOM)
    socket.packet(join(1, 'room:acme/pump'))
    const count = 20_000
    repeat(count, () => socket.packet(text(2, 'x'.repeat(1000), { route })))
    await witnesses.check()
    resolve()
    const frames = await socket.frames(count + 1)
    expect(frames[0]).toMatchObject({ id: 1, body: { case: 'room' } })
    expect(refusals(frames)).toEqual([])
  })

  test('may be too many at once', async () => {
    const { store, release } = heldStore()
    const slow = await beside({ pendingBytes: 1000 }, store)
    const [whole, many] = [await open(slow.port), await open(slow.port)]
    whole.packet(hello(1), answer(2, token), text(3, 'x'.repeat(1000)))
    many.write(
      Buffer.concat([
        encodeFrame(BINARY, packetOf(answer(2, token))),
        ...Array(3).fill(encodeFrame(BINARY, packetOf(text(3, 'x'.repeat(400))))),
      ]),
    )
    expect((await dropped(whole)).code).toBe('QUEUE_FULL')
    expect((await dropped(many)).code).toBe('QUEUE_FULL')
    release()
    expect(slow.sockets).toBe(0)
  })

  test('go with the connection', async () => {
    const { store, release, asked } = heldStore()
    const slow = await beside({}, store)
    const socket = await open(slow.port)
    socket.packet(hello(1), answer(2, token), join(3, ROOM), text(4, 'x'))
    await asked
    socket.reset()
    const other = await open(slow.port)
    other.packet(answer(1, token), join(2, ROOM), text(3, 'x'))
    release()
    expect((await other.frames(3))[2]).toMatchObject({ id: 3, body: { value: { sockets: 0 } } })
    await vi.waitFor(() => expect(slow.sockets).toBe(1))
  })
})
