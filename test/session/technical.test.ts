/** The technical channel: who is told of what happens to sockets, and who is not (R10). */

import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { become } from '../../gateway/session/identity/identity.ts'
import { answer, bye, hello, join, leave, text } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import {
  client,
  command,
  events,
  hallWithKeys,
  hears,
  helloForEvents,
  owner,
} from '../support/staff.ts'

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  hall = hallWithKeys({ technical: { roomSockets: 4 } })
  for (const room of ['boiler', 'attic']) hall.store.room(`acme/${room}`)
  hall.store.room('acme/yard', OPEN)
  hall.store.room('other/room')
  return () => vi.useRealTimers()
})

async function watching(guest: Guest, of = ''): Promise<Guest> {
  guest.say(command(9, 'watch', { of }))
  expect(await hears(hall, guest)).toEqual(['9 done'])
  return guest
}

async function bossWatching(account = 'acme'): Promise<Guest> {
  return watching(await owner(hall, account), `lobby:${account}`)
}

const TOKEN = expect.stringMatching(/^token:[0-9a-f-]{36}\/1$/)

describe('an account that watches itself', () => {
  test('sees a socket open, locked, unlocked, moved, leave and close', async () => {
    const boss = await bossWatching()
    const ann = hall.open('/acme/boiler')
    ann.say(answer(1, hall.store.token('acme', ['boiler'], { client: 'ann' })))
    await hall.settle()
    ann.say(leave(2, 'room:acme/boiler'), bye)
    const told = await events(hall, boss)
    const who = ['client:acme/ann', TOKEN]
    const at = { place: 'room:acme/boiler', socket: ann.session.address }
    expect(told).toMatchObject([
      { kind: EventKind.LOCKED, ...at, acceptor: 'token', identities: [] },
      { kind: EventKind.OPENED, place: '', identities: who },
      { kind: EventKind.UNLOCKED, ...at, acceptor: 'token', identities: who },
      { kind: EventKind.JOINED, ...at, identities: who },
      { kind: EventKind.MOVED, ...at, identities: who },
      { kind: EventKind.LEFT, ...at, code: Code.UNSPECIFIED },
      { kind: EventKind.CLOSED, place: '', identities: who },
    ])
    expect(told[0]?.lock).toMatch(/^lock:[a-z2-7]{16}$/)
    expect(told[2]?.lock).toBe(told[0]?.lock)
    expect(new Set(told.map(({ timeMs }) => timeMs))).toEqual(new Set([BigInt(hall.now)]))
  })

  test('sees who is dropped, and why, once', async () => {
    const boss = await bossWatching()
    const ann = await client(hall, ['boiler'], { client: 'ann', path: '/acme/boiler' })
    await events(hall, boss)
    boss.say(command(1, 'dropSocket', { socket: ann.session.address }))
    expect((await hears(hall, boss)).map((line) => line.replace(/ token:\S+\)/, ')'))).toEqual([
      '1 done',
      '0 LEFT room:acme/boiler KICKED (client:acme/ann)',
      '0 DROPPED KICKED (client:acme/ann)',
    ])
  })

  test('sees strangers at its doors come to nothing', async () => {
    const boss = await bossWatching()
    const guests = ['/acme/boiler', '/acme/none', '/user/acme/', '/acme/attic'].map((path) =>
      hall.open(path),
    )
    const [wrong, , , gone] = guests
    for (const id of [1, 2, 3]) wrong?.say(answer(id, 'wrong'))
    await hall.settle()
    gone?.vanish()
    hall.pass(10_500)
    expect((await hears(hall, boss)).toSorted()).toEqual([
      '0 CLOSED room:acme/attic token',
      '0 DROPPED lobby:acme key LOCK_DEADLINE',
      '0 DROPPED room:acme/boiler token UNAUTHENTICATED',
      '0 DROPPED room:acme/none token LOCK_DEADLINE',
      '0 LOCKED lobby:acme key',
      '0 LOCKED room:acme/attic token',
      '0 LOCKED room:acme/boiler token',
      '0 LOCKED room:acme/none token',
    ])
  })

  test('sees a socket that is somebody give a lock up, or fail at it, and stay', async () => {
    const boss = await bossWatching()
    const zoe = await client(hall, ['room'], { account: 'other', client: 'zoe' })
    zoe.say(join(1, 'room:acme/boiler'), leave(2, 'room:acme/boiler'))
    zoe.say(join(3, 'room:acme/boiler'))
    for (const id of [4, 5, 6]) zoe.say(answer(id, 'wrong'))
    expect(await hears(hall, boss)).toEqual([
      '0 LOCKED room:acme/boiler token',
      '0 LEFT room:acme/boiler token',
      '0 LOCKED room:acme/boiler token',
      '0 LEFT room:acme/boiler token UNAUTHENTICATED',
    ])
    expect(zoe.ended).toBeUndefined()
  })

  test('sees its lobby, and a slow socket, the latter not more than once in a while', async () => {
    const slow = { case: 'slowConsumers', value: { policy: Policy.DROP_OLDEST } } as never
    hall.store.room('acme/noisy', OPEN, slow)
    const boss = await bossWatching()
    const ann = await client(hall, [], { client: 'ann', path: '/user/acme/' })
    ann.say(join(1, 'room:acme/noisy'))
    const loud = hall.open('/acme/noisy')
    await hall.settle()
    loud.say(leave(1, 'room:acme/noisy'), join(2, 'room:acme/noisy', true))
    await hears(hall, boss)
    for (let i = 0; i < 5; i++) {
      ann.stick()
      for (let j = 0; j < 10; j++) {
        loud.say(text(0, 'x'.repeat(50_000), { receipt: 0 }))
        await hall.settle()
      }
      ann.unstick()
      await hall.settle()
      ann.take()
    }
    const slowOnes = (await events(hall, boss)).filter(({ kind }) => kind === EventKind.SLOW)
    expect(slowOnes).toMatchObject([{ socket: ann.session.address, place: '' }])
    ann.say(leave(2, 'lobby:acme'), leave(3, 'lobby:acme'), join(4, 'lobby:acme'))
    expect((await events(hall, boss)).map(({ kind, place }) => [kind, place])).toEqual([
      [EventKind.LEFT, 'lobby:acme'],
      [EventKind.JOINED, 'lobby:acme'],
    ])
  })

  test('sees nothing of other accounts, nor what its own are there (A15)', async () => {
    const boss = await bossWatching()
    const zed = await bossWatching('other')
    const both = hall.open()
    both.say(answer(1, hall.store.token('acme', ['boiler'], { client: 'ann' })))
    await hall.settle()
    expect(await events(hall, zed)).toEqual([])
    both.say(answer(2, hall.store.token('other', ['room'], { client: 'zoe' })))
    both.say(join(3, 'room:other/room'))
    await hall.settle()
    both.vanish()
    const kinds = (told: { kind: EventKind; identities: string[] }[]) =>
      told.map(({ kind, identities }) => [kind, identities[0]])
    expect(kinds(await events(hall, boss))).toEqual([
      [EventKind.OPENED, 'client:acme/ann'],
      [EventKind.CLOSED, 'client:acme/ann'],
    ])
    expect(kinds(await events(hall, zed))).toEqual([
      [EventKind.OPENED, 'client:other/zoe'],
      [EventKind.JOINED, 'client:other/zoe'],
      [EventKind.LEFT, 'client:other/zoe'],
      [EventKind.CLOSED, 'client:other/zoe'],
    ])
  })

  test('by its UUID is the same, and watching twice tells once', async () => {
    const boss = await bossWatching()
    const { id } = boss.session.proofs[0]!.account!
    await watching(boss, `lobby:${id}`)
    await watching(boss)
    boss.say(join(1, 'room:acme/yard'))
    await hears(hall, boss)
    hall.open('/acme/yard')
    hall.open(`/${id}/boiler`)
    expect(await hears(hall, boss)).toEqual([
      '0 JOINED room:acme/yard',
      '0 LOCKED room:acme/boiler token',
    ])
    boss.say(command(1, 'watch', { of: `lobby:${id}`, stop: true }))
    boss.say(command(2, 'watch', { stop: true }))
    hall.open('/acme/yard')
    expect(await hears(hall, boss)).toEqual(['1 done', '2 done'])
    expect(hall.core.technical.watches.empty).toBe(true)
  })
})

describe('a client that watches itself', () => {
  test('sees its sockets come and go, and no others', async () => {
    const ann = await client(hall, ['boiler'], { client: 'ann' })
    const id = hall.store.clientId('ann')
    await watching(ann, `client:acme/${id}`)
    const second = await client(hall, ['boiler'], { client: 'ann', path: '/acme/boiler' })
    await client(hall, ['boiler'], { client: 'bob', path: '/acme/boiler' })
    second.vanish()
    expect((await events(hall, ann)).map(({ kind, socket }) => [kind, socket])).toEqual([
      [EventKind.OPENED, second.session.address],
      [EventKind.CLOSED, second.session.address],
    ])
  })
})

describe('a socket that watches its rooms', () => {
  test('sees who joins and leaves them, by what everybody there may know', async () => {
    const bob = await client(hall, ['boiler', 'attic'], { client: 'bob', path: '/acme/boiler' })
    await watching(bob)
    const shared = hall.store.token('acme', ['boiler', 'attic'], { maxConnections: 2 })
    const guest = hall.open('/acme/boiler').say(answer(1, shared))
    await hall.settle()
    guest.say(join(2, 'room:acme/attic'), leave(3, 'room:acme/boiler'))
    await hall.settle()
    const plain = await client(hall, ['boiler'], { path: '/acme/boiler' })
    plain.vanish()
    const told = await events(hall, bob)
    expect(told.map(({ kind, place }) => [kind, place])).toEqual([
      [EventKind.JOINED, 'room:acme/boiler'],
      [EventKind.MOVED, 'room:acme/boiler'],
      [EventKind.LEFT, 'room:acme/boiler'],
      [EventKind.JOINED, 'room:acme/boiler'],
      [EventKind.MOVED, 'room:acme/boiler'],
      [EventKind.LEFT, 'room:acme/boiler'],
    ])
    expect(told.map(({ identities }) => identities)).toEqual([
      ...[1, 2, 3].map(() => [TOKEN]),
      [],
      [],
      [],
    ])
  })

  test('hears of rooms that it joins later, and no more of those that it left', async () => {
    const bob = await watching(await client(hall, [], { client: 'bob' }))
    hall.open('/acme/yard')
    bob.say(join(1, 'room:acme/yard'))
    expect((await hears(hall, bob)).at(-1)).toBe('1 joined room:acme/yard')
    hall.open('/acme/yard')
    expect(await hears(hall, bob)).toEqual(['0 JOINED room:acme/yard'])
    bob.say(leave(2, 'room:acme/yard'))
    await hears(hall, bob)
    hall.open('/acme/yard')
    expect(await hears(hall, bob)).toEqual([])
  })

  test('is not told in a crowd, where everybody would be told of everybody', async () => {
    const bob = hall.open('/acme/yard')
    await hears(hall, bob)
    await watching(bob)
    const guests = [1, 2, 3, 4, 5].map(() => hall.open('/acme/yard'))
    expect(await hears(hall, bob)).toHaveLength(3)
    for (const guest of guests) guest.vanish()
    expect(await hears(hall, bob)).toHaveLength(3)
  })

  test('is told in a crowd as large as the room says, and in none where it says so', async () => {
    const upTo = (sockets: number) => ({ case: 'technical', value: { sockets } }) as never
    hall.store.room('acme/open', OPEN, upTo(6))
    hall.store.room('acme/still', OPEN, upTo(0))
    const ann = hall.open('/acme/open').say(join(1, 'room:acme/still'))
    await hears(hall, ann)
    await watching(ann)
    for (let i = 0; i < 6; i++) hall.open('/acme/open')
    hall.open('/acme/still')
    expect((await events(hall, ann)).map(({ place }) => place)).toEqual(
      Array(5).fill('room:acme/open'),
    )
  })

  test('learns of locks only where it may let others in', async () => {
    const [bob, eve] = [
      await client(hall, ['boiler'], { client: 'bob', path: '/acme/boiler' }),
      await client(hall, ['boiler'], { client: 'eve', admit: true, path: '/acme/boiler' }),
    ]
    await watching(bob)
    await watching(eve)
    hall.open('/acme/boiler').say(answer(1, hall.store.token('acme', ['boiler'])))
    expect((await events(hall, bob)).map(({ kind }) => kind)).toEqual([
      EventKind.JOINED,
      EventKind.MOVED,
    ])
    expect((await events(hall, eve)).map(({ kind }) => kind)).toEqual([
      EventKind.LOCKED,
      EventKind.UNLOCKED,
      EventKind.JOINED,
      EventKind.MOVED,
    ])
  })
})

describe('watching', () => {
  test('ends with the right to, and with the socket', async () => {
    const boss = await bossWatching()
    // As when the key is revoked and something else keeps the socket.
    become(boss.session, [])
    hall.open('/acme/boiler')
    expect(await hears(hall, boss)).toEqual([])
    expect(hall.core.technical.watches.empty).toBe(true)
    const other = await bossWatching()
    other.vanish()
    expect(hall.core.technical.watches.empty).toBe(true)
  })

  test('is bounded in what one socket watches, and in who watches one thing', async () => {
    const many = hall.open()
    for (let i = 0; i < 30; i++) {
      const secret = hall.store.token('acme', [], { client: `c${i}` })
      many.say(answer(i + 1, secret))
    }
    await hall.settle()
    many.take()
    for (let i = 0; i < 30; i++) await watching(many, `client:acme/c${i}`)
    await watching(many, 'client:acme/c1')
    const over = Array.from({ length: 35 }, (_, i) => `client:${i}` as const)
    expect(() => hall.core.technical.watches.add(many.session, over)).toThrow('QUEUE_FULL')
    const secret = hall.store.token('acme', [], { client: 'crowd' })
    const crowd = Array.from({ length: 257 }, () => hall.open().say(answer(1, secret)))
    await hall.settle()
    for (const guest of crowd) {
      guest.take()
      guest.say(command(1, 'watch', { of: 'client:acme/crowd' }))
    }
    const said = await Promise.all(crowd.map((guest) => hears(hall, guest)))
    expect(said.slice(0, 256)).toEqual(said.slice(0, 256).map(() => ['1 done']))
    expect(said[256]).toEqual(['1 drop QUEUE_FULL'])
  })

  test('costs nobody anything where nobody watches', async () => {
    const tell = vi.spyOn(hall.graph, 'place')
    const guest = hall.open('/acme/yard')
    await hall.settle()
    const before = tell.mock.calls.length
    for (let i = 0; i < 10; i++) guest.say(text(1, 'x'))
    await hall.settle()
    expect(tell.mock.calls.length).toBe(before)
  })
})

describe('a public notice', () => {
  test('comes to all who know of events, in limbo too, the last one before the Drop', async () => {
    const listener = hall.open().say(helloForEvents())
    const deaf = hall.open().say(hello(1))
    const ann = await client(hall, ['boiler'], { client: 'ann', events: true })
    expect(listener.take()[0]?.body.value).toMatchObject({ capabilities: ['events'] })
    deaf.take()
    hall.sessions.announce('back at noon')
    expect(await hears(hall, listener)).toEqual(['0 ANNOUNCED "back at noon"'])
    expect(await hears(hall, ann)).toEqual(['0 ANNOUNCED "back at noon"'])
    const drained = hall.sessions.drain(1_000)
    expect(await hears(hall, listener)).toEqual([
      '0 ANNOUNCED "the gateway goes down"',
      '0 drop DRAINING',
    ])
    expect(await hears(hall, deaf)).toEqual(['0 drop DRAINING'])
    await drained
  })
})
