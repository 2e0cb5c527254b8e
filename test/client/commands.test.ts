/** What a client asks of a real gateway besides messages, and several identities on one socket. */
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  type Client,
  type ClientEvents,
  type ConnectOptions,
  connect,
  connectionKey,
  knock,
  token,
} from '../../clients/ts/src/index.ts'
import type { WebSocketConstructor } from '../../clients/ts/src/websocket.ts'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { TestGateway } from '../support/gateway.ts'

let hub: TestGateway
let accountKey: string
const clients: Client[] = []

beforeAll(async () => {
  hub = await TestGateway.start()
  await hub.room('acme/boiler')
  const locks = ['knock', 'token'].map((acceptor) => ({
    kind: { case: 'lock', value: { acceptor } },
  }))
  const flow = { kind: { case: 'any', value: { flows: locks } } }
  await hub.room('acme/door', [{ case: 'access', value: { locks: [], flow } as never }])
  const id = randomUUID()
  const made = newConnectionKey(id, randomBytes(32), randomBytes(16))
  const owner = { id, kind: 'connection-key', account: 'acme', label: '' } as const
  await hub.store.credentials.add({ ...owner, data: { ...made.data } })
  accountKey = made.secret
}, 60_000)
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())))
afterAll(() => hub?.stop())

async function open(options: ConnectOptions, path = ''): Promise<Client> {
  const client = await connect(`${hub.url}${path}`, { backoff: { baseMs: 10 }, ...options })
  clients.push(client)
  return client
}

function next<Name extends keyof ClientEvents>(client: Client, name: Name) {
  return new Promise<ClientEvents[Name]>((resolve) => {
    const off = client.on(name, (event) => {
      off()
      resolve(event)
    })
  })
}

async function collect<T>(of: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of of) all.push(each)
  return all
}

test('a client sees its own sockets and rooms, and ends one of them for good', async () => {
  const secret = await hub.token('acme', ['boiler'], { client: 'anna' })
  const [one, two] = [await open({ token: secret }), await open({ token: secret })]
  await one.join('acme/boiler')
  const sockets = await collect(one.sockets())
  expect(sockets.map(({ socket }) => socket).toSorted()).toEqual(
    [one.socket, two.socket].toSorted(),
  )
  expect(sockets.filter(({ self }) => self).map(({ socket }) => socket)).toEqual([one.socket])
  expect(await collect(one.rooms())).toMatchObject([
    { address: 'room:acme/boiler', maySend: true, listening: true },
  ])
  const closed = next(two, 'closed')
  await one.dropSocket(two.socket)
  expect(await closed).toMatchObject({ error: { code: 'KICKED', temporary: false } })
  await expect(one.dropSocket('socket:aaaaaaaaaaaaaaaa')).rejects.toMatchObject({
    code: 'TARGET_UNKNOWN',
  })
})

test('an owner has a lobby that echoes, and sees all of his account', async () => {
  const owner = await open({ locks: [connectionKey(accountKey)] })
  const lobby = await owner.join('lobby:acme')
  const messages = lobby.messages()
  await lobby.send('anybody?')
  expect((await messages.next()).value).toMatchObject({ text: 'anybody?' })
  const named = await open({ locks: [connectionKey(accountKey)] }, '/user/acme/')
  expect(named.entered?.address).toBe('lobby:acme')
  const rooms = await collect(owner.rooms('lobby:acme'))
  expect(rooms.map(({ address }) => address)).toEqual(['room:acme/boiler', 'room:acme/door'])
  expect((await collect(owner.sockets('lobby:acme'))).some(({ self }) => self)).toBe(true)
})

test('what happens to sockets is told to who watches', async () => {
  const owner = await open({ locks: [connectionKey(accountKey)] })
  await owner.watch('lobby:acme')
  const kinds: string[] = []
  const gone = new Promise<void>((resolve) => {
    owner.on('event', ({ kind }) => {
      kinds.push(kind)
      if (kind === 'CLOSED') resolve()
    })
  })
  const secret = await hub.token('acme', ['boiler'])
  const other = await open({ token: secret })
  await other.join('acme/boiler')
  await other.close()
  await gone
  expect(kinds).toContain('JOINED')
})

test('who knocks is let in, or turned away, by who may', async () => {
  const host = await open({ token: await hub.token('acme', ['door'], { admit: true }) })
  await host.join('acme/door')
  for (const admitted of [true, false]) {
    const knocked = next(host, 'event')
    const guest = open({ locks: [knock('it is me')] }, '/acme/door')
    const outcome = guest.catch((error) => error)
    const { kind, lock, detail } = await knocked
    expect({ kind, detail }).toMatchObject({ kind: 'KNOCKED', detail: 'it is me' })
    await host.admit(lock!, admitted)
    if (admitted) expect((await guest).entered?.address).toBe('room:acme/door')
    else expect(await outcome).toMatchObject({ code: 'NOT_ADMITTED' })
  }
})

describe('several identities on one socket', () => {
  test('each sends in its own name, and no other', async () => {
    const secrets = await Promise.all(
      ['ann', 'bob'].map((client) => hub.token('acme', ['boiler'], { client })),
    )
    const both = await open({ locks: secrets.map(token) })
    const other = await open({ token: await hub.token('acme', ['boiler']) })
    const messages = (await other.join('acme/boiler')).messages()
    const room = await both.join('acme/boiler')
    for (const as of ['client:acme/bob', 'client:acme/ann']) {
      await room.send('hi', { as })
      expect((await messages.next()).value).toMatchObject({ from: as, text: 'hi' })
    }
    await expect(room.send('hi', { as: 'client:acme/eve' })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    })
  })
})

describe('an owner whose connection is lost', () => {
  async function proved() {
    const sockets: WebSocket[] = []
    class Watched extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols)
        sockets.push(this)
      }
    }
    let asked = 0
    const own = connectionKey(accountKey)
    const answer: typeof own.answer = (...args) => {
      asked++
      return own.answer(...args)
    }
    const owner = await open({
      locks: [{ ...own, answer }],
      WebSocket: Watched as unknown as WebSocketConstructor,
    })
    await owner.join('lobby:acme')
    return { owner, asked: () => asked, cut: () => sockets.at(-1)!.terminate() }
  }

  test('resumes, again and again, and does not prove anything once more', async () => {
    const { owner, asked, cut } = await proved()
    for (let time = 0; time < 3; time++) {
      const back = next(owner, 'reconnected')
      cut()
      await back
      expect((await collect(owner.rooms('lobby:acme'))).length).toBeGreaterThan(0)
    }
    expect(asked()).toBe(1)
  })

  test('proves himself anew where the gateway was restarted', async () => {
    const { owner, asked } = await proved()
    const back = next(owner, 'reconnected')
    await hub.drain()
    await hub.resume()
    await back
    expect(asked()).toBe(2)
    expect((await collect(owner.rooms('lobby:acme'))).length).toBeGreaterThan(0)
  })
})
