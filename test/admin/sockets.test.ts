/** Live sockets by the admin API: seen, watched, moved and dropped, by whose they are (R8). */
import type { Client } from '@connectrpc/connect'
import {
  LockPhase,
  type Socket,
  SocketService,
  Transport,
  type WatchSocketsResponse,
} from '@porthouse/proto/admin/v1/socket_service'
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guardedBy } from '../support/access.ts'
import { adminClient, failure } from '../support/admin.ts'
import { join } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { type Inside, inside } from '../support/inside.ts'
import { OPEN } from '../support/memory-store.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'

let gateway: TestGateway
let operator: Client<typeof SocketService>
let owner: Client<typeof SocketService>
/** In a room of acme; in rooms of both accounts; in one of the other account. */
let own: Inside
let shared: Inside
let foreign: Inside

beforeAll(async () => {
  gateway = await TestGateway.start()
  for (const room of ['acme/boiler', 'acme/attic', 'other/room']) await gateway.room(room)
  await gateway.room('acme/yard', [OPEN])
  await gateway.room('acme/vault', [guardedBy('password')])
  operator = adminClient(SocketService, gateway, await gateway.operatorKey())
  owner = adminClient(SocketService, gateway, await gateway.apiKey('owner', 'acme'))
  await gateway.store.clients.create({ account: 'acme', slug: 'pump', grants: [] })
  const pump = await gateway.token('acme', ['boiler', 'attic'], { client: 'pump' })
  own = await inside(gateway, pump, 'acme/boiler')
  const other = await gateway.token('other', ['room'])
  shared = await inside(gateway, other, 'other/room', 'acme/yard')
  foreign = await inside(gateway, other, 'other/room')
})
afterAll(() => gateway.stop())

const names = (sockets: readonly Socket[]) => sockets.map(({ name }) => name).sort()

describe('a socket', () => {
  test('is shown with who it is, where it is and how it came', async () => {
    const socket = await owner.getSocket({ name: own.name })
    expect(socket).toMatchObject({
      name: own.name,
      transport: Transport.WEBSOCKET,
      subprotocol: 'porthouse.v1',
      remote: '127.0.0.1',
      identities: [
        {
          account: 'accounts/acme',
          client: 'accounts/acme/clients/pump',
          token: expect.stringMatching(/^accounts\/acme\/tokens\/[0-9a-f-]{36}$/),
          connection: 1,
          owner: false,
          acceptor: 'token',
        },
      ],
      rooms: [{ room: 'accounts/acme/rooms/boiler', maySend: true, filters: [''] }],
      locks: [],
    })
    expect(socket.createTime).toBeDefined()
    expect(socket.heardTime).toBeDefined()
  })

  test('that two accounts share is shown to each as far as it is its own', async () => {
    const seen = await owner.getSocket({ name: shared.name })
    expect(seen.identities).toEqual([])
    expect(seen.rooms.map(({ room }) => room)).toEqual(['accounts/acme/rooms/yard'])
    const whole = await operator.getSocket({ name: shared.name })
    expect(whole.rooms.map(({ room }) => room).sort()).toEqual([
      'accounts/acme/rooms/yard',
      'accounts/other/rooms/room',
    ])
  })

  test('of another account is as if it were not there (A15)', async () => {
    const absent = 'sockets/aaaaaaaaaaaaaaaa'
    const calls = [
      (name: string) => owner.getSocket({ name }),
      (name: string) => owner.dropSocket({ name }),
      (name: string) => owner.moveSocket({ name, room: 'accounts/acme/rooms/yard' }),
    ]
    for (const call of calls) {
      const [there, not] = await Promise.all([failure(call(foreign.name)), failure(call(absent))])
      expect(there).toEqual({ ...not, message: not.message.replace(absent, foreign.name) })
      expect(there.code).toBe('RESOURCE_UNKNOWN')
    }
  })

  test('stands at locks, which are shown frame by frame and without their secrets', async () => {
    const socket = await RawWebSocket.open(gateway.port)
    socket.packet(join(1, 'room:acme/vault'))
    await socket.frame()
    const { sockets } = await owner.listSockets({ parent: 'accounts/acme', locked: true })
    expect(sockets).toMatchObject([
      {
        identities: [],
        locks: [
          {
            address: expect.stringMatching(/^lock:/),
            acceptor: 'password',
            place: 'room:acme/vault',
            depth: 1,
            phase: LockPhase.ASKED,
            triesLeft: 3,
          },
        ],
      },
    ])
    const [lock] = sockets[0]?.locks ?? []
    const lasts = Number(lock?.deadline?.seconds) - Number(lock?.since?.seconds)
    expect(lasts).toBeGreaterThan(5)
    expect(
      (await owner.listSockets({ parent: 'accounts/acme', locked: false })).sockets,
    ).toHaveLength(2)
    await owner.dropSocket({ name: sockets[0]!.name })
    await socket.ended
  })
})

describe('a list', () => {
  test('has what is the caller’s, by room, client and token', async () => {
    const parent = 'accounts/acme'
    const list = async (request: object) =>
      names((await owner.listSockets({ parent, ...request })).sockets)
    expect(await list({})).toEqual([own.name, shared.name].sort())
    expect(await list({ room: `${parent}/rooms/yard` })).toEqual([shared.name])
    expect(await list({ room: `${parent}/rooms/none` })).toEqual([])
    expect(await list({ client: `${parent}/clients/pump` })).toEqual([own.name])
    const { identities } = await owner.getSocket({ name: own.name })
    expect(await list({ token: identities[0]?.token })).toEqual([own.name])
    const all = await operator.listSockets({ parent: '-' })
    expect(names(all.sockets)).toEqual([own.name, shared.name, foreign.name].sort())
  })

  test('is paged to its end, with tokens of this very list', async () => {
    const found: string[] = []
    let pageToken = ''
    do {
      const page = await operator.listSockets({ parent: '-', pageSize: 1, pageToken })
      found.push(...page.sockets.map(({ name }) => name))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    expect(found).toEqual([own.name, shared.name, foreign.name].sort())
    const { nextPageToken } = await operator.listSockets({ parent: '-', pageSize: 1 })
    const other = operator.listSockets({ parent: 'accounts/acme', pageToken: nextPageToken })
    expect((await failure(other)).code).toBe('PAGE_TOKEN_INVALID')
    const filtered = { parent: '-', locked: false, pageToken: nextPageToken }
    expect((await failure(operator.listSockets(filtered))).code).toBe('PAGE_TOKEN_INVALID')
  })

  test.each([
    [{ parent: 'accounts/other' }, 'RESOURCE_UNKNOWN'],
    [{ parent: '-' }, 'RESOURCE_UNKNOWN'],
    [{ parent: 'accounts/acme', room: 'accounts/other/rooms/room' }, 'RESOURCE_UNKNOWN'],
    [{ parent: '' }, 'ARGUMENT_INVALID'],
    [{ parent: 'accounts/acme', pageSize: -1 }, 'ARGUMENT_INVALID'],
    [{ parent: 'accounts/acme', room: 'boiler' }, 'ARGUMENT_INVALID'],
    [{ parent: 'accounts/acme', token: 'accounts/acme/tokens/x' }, 'ADDRESS_INVALID'],
  ])('%j is refused with %s', async (request, code) => {
    expect((await failure(owner.listSockets(request))).code).toBe(code)
  })
})

describe('a socket that is moved', () => {
  const room = 'accounts/acme/rooms/attic'

  test('is in the other room then, once for one request id', async () => {
    const from = 'accounts/acme/rooms/boiler'
    const request = { name: own.name, room, from, requestId: 'move' }
    await owner.moveSocket({ ...request, validateOnly: true, requestId: '' })
    expect((await owner.getSocket({ name: own.name })).rooms).toMatchObject([{ room: from }])
    const moved = await owner.moveSocket(request)
    expect(moved.rooms).toMatchObject([{ room }])
    expect(await owner.moveSocket(request)).toEqual(moved)
    await owner.moveSocket({ name: own.name, room: from, from: room })
  })

  test('stands at the lock of that room', async () => {
    const guest = await inside(gateway, undefined, 'acme/yard')
    const vault = 'accounts/acme/rooms/vault'
    const { rooms, locks } = await owner.moveSocket({ name: guest.name, room: vault })
    expect(rooms).toMatchObject([{ room: 'accounts/acme/rooms/yard' }])
    expect(locks).toMatchObject([{ place: 'room:acme/vault', acceptor: 'password' }])
    await owner.dropSocket({ name: guest.name })
  })

  test('has rights of its own there, and goes nowhere that is not', async () => {
    const hall = 'accounts/acme/rooms/hall'
    await gateway.room('acme/hall', [guardedBy('token')])
    const refused = await failure(owner.moveSocket({ name: own.name, room: hall }))
    expect(refused.code).toBe('ENTRY_NOT_PERMITTED')
    const none = 'accounts/acme/rooms/none'
    for (const validateOnly of [true, false]) {
      const call = owner.moveSocket({ name: own.name, room: none, validateOnly })
      expect((await failure(call)).code).toBe('RESOURCE_UNKNOWN')
    }
    const notIn = owner.moveSocket({ name: own.name, room, from: hall })
    expect((await failure(notIn)).problem?.violations).toMatchObject([{ field: 'from' }])
    const guest = await failure(owner.moveSocket({ name: shared.name, room }))
    expect(guest.code).toBe('STATE_UNSUITABLE')
  })
})

describe('a socket that is dropped', () => {
  test('is told why, and by an auditor it is not', async () => {
    const guest = await inside(gateway, undefined, 'acme/yard')
    const auditor = adminClient(SocketService, gateway, await gateway.apiKey('auditor', 'acme'))
    expect((await failure(auditor.dropSocket({ name: guest.name }))).code).toBe(
      'ROLE_NOT_PERMITTED',
    )
    await owner.dropSocket({ name: guest.name, validateOnly: true })
    await owner.dropSocket({ name: guest.name, reason: 'maintenance' })
    const last = (await guest.socket.rest()).at(-1)
    expect(last?.body).toMatchObject({
      case: 'drop',
      value: { code: Code.KICKED, detail: 'maintenance' },
    })
    expect((await failure(owner.getSocket({ name: guest.name }))).code).toBe('RESOURCE_UNKNOWN')
  })

  test('as a guest is put out of a room alone', async () => {
    const token = await gateway.token('other', ['room'])
    const guest = await inside(gateway, token, 'other/room', 'acme/yard')
    const { name } = guest
    expect((await failure(owner.dropSocket({ name }))).code).toBe('STATE_UNSUITABLE')
    await owner.dropSocket({ name, room: 'accounts/acme/rooms/yard' })
    const { rooms } = await operator.getSocket({ name })
    expect(rooms.map(({ room }) => room)).toEqual(['accounts/other/rooms/room'])
    expect((await failure(owner.getSocket({ name }))).code).toBe('RESOURCE_UNKNOWN')
    guest.socket.reset()
  })
})

type Seen = Map<string, Socket>

/** What the answers of a watch say is there. */
class Watcher {
  readonly seen: Seen = new Map()
  missed = 0
  readonly #answers: AsyncIterator<WatchSocketsResponse>
  readonly #stop = new AbortController()

  constructor(client: typeof owner, request: object) {
    const { signal } = this.#stop
    const interval = { seconds: 0n, nanos: 100_000_000 }
    const answers = client.watchSockets({ interval, ...request } as never, { signal })
    this.#answers = answers[Symbol.asyncIterator]()
  }

  async until(isSo: (seen: Seen) => boolean): Promise<void> {
    while (!isSo(this.seen)) {
      const { value, done } = await this.#answers.next()
      if (done) throw new Error('the watch has ended')
      this.#take(value as WatchSocketsResponse)
    }
  }

  async snapshot(): Promise<void> {
    for (;;) {
      const { value } = await this.#answers.next()
      const { event } = value as WatchSocketsResponse
      this.#take(value as WatchSocketsResponse)
      if (event.case === 'snapshot' && event.value.complete) return
    }
  }

  stop(): void {
    this.#stop.abort()
    this.#answers.next().catch(() => undefined)
  }

  #take({ event }: WatchSocketsResponse): void {
    if (event.case === 'missed') {
      this.missed++
      this.seen.clear()
    } else if (event.case === 'snapshot') {
      for (const each of event.value.sockets) this.seen.set(each.name, each)
    } else if (event.case === 'changes') {
      const { opened, changed, closed } = event.value
      for (const each of opened) {
        if (this.seen.has(each.name)) throw new Error('opened twice')
        this.seen.set(each.name, each)
      }
      for (const each of changed) {
        if (!this.seen.has(each.name)) throw new Error('changed before it opened')
        this.seen.set(each.name, each)
      }
      for (const name of closed) if (!this.seen.delete(name)) throw new Error('closed, not open')
    }
  }
}

describe('a watch', () => {
  test('shows what is there, then what comes, changes and goes', async () => {
    const watcher = new Watcher(owner, { parent: 'accounts/acme' })
    await watcher.snapshot()
    expect([...watcher.seen.keys()].sort()).toEqual([own.name, shared.name].sort())
    const token = await gateway.token('acme', ['boiler'])
    const { name, socket } = await inside(gateway, token, 'acme/boiler')
    await watcher.until((seen) => seen.get(name)?.rooms.length === 1)
    socket.packet(join(9, 'room:acme/yard'))
    await watcher.until((seen) => seen.get(name)?.rooms.length === 2)
    socket.reset()
    await watcher.until((seen) => !seen.has(name))
    watcher.stop()
  })

  test('of a room tells who enters and leaves it', async () => {
    const watcher = new Watcher(operator, { parent: '-', room: 'accounts/acme/rooms/attic' })
    await watcher.snapshot()
    expect(watcher.seen.size).toBe(0)
    const room = 'accounts/acme/rooms/attic'
    await owner.moveSocket({ name: own.name, room })
    await watcher.until((seen) => seen.has(own.name))
    await owner.dropSocket({ name: own.name, room })
    await watcher.until((seen) => !seen.has(own.name))
    watcher.stop()
  })

  test('sees a crowd come and go, and is right in the end', async () => {
    const watchers = ['connect', 'grpc', 'grpc-web'] as const
    const key = await gateway.apiKey('auditor', 'acme')
    const watching = watchers.map((by) => {
      return new Watcher(adminClient(SocketService, gateway, key, by), { parent: 'accounts/acme' })
    })
    for (const each of watching) await each.snapshot()
    const token = await gateway.token('acme', ['boiler'])
    const crowd: Inside[] = []
    for (let i = 0; i < 10; i++) {
      const came = await Promise.all(
        Array.from({ length: 10 }, () => inside(gateway, token, 'acme/boiler')),
      )
      crowd.push(...came)
      for (const { socket } of crowd.splice(0, 5)) socket.reset()
    }
    const left = [own.name, shared.name, ...crowd.map(({ name }) => name)].sort()
    const isRight = (seen: Seen) => [...seen.keys()].sort().join() === left.join()
    for (const each of watching) await each.until(isRight)
    for (const { socket } of crowd) socket.reset()
    for (const each of watching) {
      await each.until((seen) => seen.size === 2)
      each.stop()
    }
  })

  test('of a slow reader starts anew when more has changed than may wait', async () => {
    const beside = await gateway.beside({ admin: { streams: { waiting: 4 } } })
    const client = adminClient(SocketService, beside, await gateway.operatorKey())
    const watcher = new Watcher(client, { parent: '-', interval: { seconds: 1n, nanos: 0 } })
    await watcher.snapshot()
    const token = await gateway.token('acme', ['boiler'])
    const crowd = await Promise.all(
      Array.from({ length: 8 }, () => inside(beside, token, 'acme/boiler')),
    )
    await watcher.until((seen) => seen.size === 8)
    expect(watcher.missed).toBeGreaterThan(0)
    for (const { socket } of crowd) socket.reset()
    await watcher.until((seen) => seen.size === 0)
    watcher.stop()
    await beside.stop()
  })

  test('at an interval of no use is refused', async () => {
    const interval = { seconds: 0n, nanos: 1 }
    const watcher = new Watcher(owner, { parent: 'accounts/acme', interval })
    expect((await failure(watcher.snapshot())).problem?.violations).toMatchObject([
      { field: 'interval' },
    ])
  })
})
