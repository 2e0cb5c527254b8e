/** Knocking: somebody inside decides who comes in, and floods get nowhere (R16, R18, K15). */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { answer, type FrameInit, join, leave, text } from '../support/client-frames.ts'
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
  hall = hallWithKeys()
  hall.store.room('acme/club', door())
  hall.store.room('acme/yard', OPEN)
  hall.store.room('other/club', door())
  return () => vi.useRealTimers()
})

/** Whoever has a token of the room, or is let in, gets in; who is let in, as visitor. */
function door(deadlineMs = 60_000, visitors = { send: true, receive: true }): Block['kind'] {
  const lock = (acceptor: string) => ({ kind: { case: 'lock', value: { acceptor, deadlineMs } } })
  const flow = { kind: { case: 'any', value: { flows: [lock('knock'), lock('token')] } } }
  return { case: 'access', value: { locks: [], flow, visitors } as never }
}

function knock(id: number, said = 'it is me'): FrameInit {
  const response = { case: 'text', value: said } as const
  const step = { case: 'answer', value: { acceptor: 'knock', response } } as const
  return { id, body: { case: 'lockStep', value: { step } } }
}

/** Stands at the door, and knocks; `remote` is where from. */
async function knocker(said = 'it is me', remote = '192.0.2.1', path = '/acme/club') {
  const guest = hall.open(path, undefined, { remote, headers: {} })
  await hall.settle()
  guest.take()
  guest.say(knock(5, said))
  await hall.settle()
  return guest
}

/** A client in the club that may let others in. */
function doorman(name = 'dora', options: object = {}): Promise<Guest> {
  return client(hall, ['club'], {
    client: name,
    admit: true,
    path: '/acme/club',
    events: true,
    ...options,
  })
}

/** The lock of the last knock that was heard. */
async function lockHeard(guest: Guest): Promise<string> {
  const told = await events(hall, guest)
  const last = told.findLast(({ kind }) => kind === EventKind.KNOCKED)
  if (!last) throw new Error('nobody knocked')
  return last.lock
}

async function decides(guest: Guest, lock: string, admitted: boolean): Promise<string[]> {
  guest.say(command(9, 'admit', { lock, admitted }))
  return hears(hall, guest)
}

describe('whoever is let in', () => {
  test('is in the room, with the rights of a visitor', async () => {
    const dora = await doorman()
    const guest = await knocker('open, please')
    expect(await hears(hall, guest)).toEqual([])
    const [told] = await events(hall, dora)
    expect(told).toMatchObject({
      kind: EventKind.KNOCKED,
      socket: guest.session.address,
      identities: [],
      place: 'room:acme/club',
      lock: `lock:${guest.session.stack.locks[0]?.id}`,
      acceptor: 'knock',
      detail: 'open, please',
      timeMs: BigInt(hall.now),
    })
    expect(await decides(dora, told!.lock, true)).toEqual(['9 done'])
    expect(await hears(hall, guest)).toEqual(['5 verdict passed', '0 joined room:acme/club'])
    guest.say(text(6, 'thanks'))
    expect(await hears(hall, dora)).toEqual(['0 envelope thanks'])
    expect(hall.core.knocks.size).toBe(0)
    guest.say(leave(7, 'room:acme/club'), join(8, 'room:acme/club'))
    expect((await hears(hall, guest)).at(-1)).toBe('8 joined room:acme/club')
  })

  test('may not let others in, and nobody in elsewhere', async () => {
    const dora = await doorman()
    const guest = await knocker()
    await decides(dora, await lockHeard(dora), true)
    guest.say(helloForEvents(6))
    const another = hall.open().say(helloForEvents(), join(2, 'room:acme/club'))
    await knocker()
    await hears(hall, guest)
    const lock = await lockHeard(dora)
    const second = await client(hall, ['club'], { client: 'eve', path: '/acme/club', events: true })
    expect(await hears(hall, second)).toEqual([])
    expect(await decides(second, lock, true)).toEqual(['9 drop COMMAND_NOT_PERMITTED'])
    expect(another.session.unlocked).toBe(false)
    another.say(command(3, 'admit', { lock, admitted: true }))
    expect((await hears(hall, another)).at(-1)).toBe('3 drop UNAUTHENTICATED')
    expect(hall.core.knocks.size).toBe(1)
  })
})

describe('whoever is refused', () => {
  test('goes, with NOT_ADMITTED, where he came for that alone', async () => {
    const dora = await doorman()
    const guest = await knocker()
    expect(await decides(dora, await lockHeard(dora), false)).toEqual(['9 done'])
    expect(await hears(hall, guest)).toEqual([
      '5 verdict dropped NOT_ADMITTED',
      '0 drop NOT_ADMITTED',
    ])
    expect(guest.ended).toBe(Code.NOT_ADMITTED)
  })

  test('stays where he is in elsewhere, and knocks in vain from then on', async () => {
    const dora = await doorman()
    const guest = hall.open('/acme/yard')
    guest.say(join(1, 'room:acme/club'), knock(2))
    await hears(hall, guest)
    await decides(dora, await lockHeard(dora), false)
    expect(await hears(hall, guest)).toEqual([
      '2 verdict dropped NOT_ADMITTED',
      '1 drop NOT_ADMITTED',
    ])
    hall.now += 3_600_000
    guest.say(join(3, 'room:acme/club'), knock(4))
    expect(await hears(hall, guest)).toEqual([
      '3 challenge knock',
      '4 verdict dropped NOT_ADMITTED',
      '3 drop NOT_ADMITTED',
    ])
    expect(await hears(hall, dora)).toEqual([])
    expect(guest.ended).toBeUndefined()
  })
})

describe('at the lock', () => {
  test('who knocks and who decides talk with each other, and nobody else hears (R16)', async () => {
    const dora = await doorman()
    const eve = await client(hall, ['club'], { client: 'eve', path: '/acme/club', events: true })
    const guest = await knocker()
    const lock = await lockHeard(dora)
    dora.say(text(1, 'who is there?', { to: [lock] }))
    expect(await hears(hall, dora)).toEqual(['1 receipt ROUTED 1'])
    expect(await hears(hall, guest)).toEqual(['0 envelope who is there?'])
    guest.say(text(6, 'me', { to: [lock] }), text(7, 'psst', { to: ['room:acme/club'] }))
    expect(await hears(hall, guest)).toEqual(['6 receipt ROUTED 1'])
    expect(await hears(hall, dora)).toEqual(['0 envelope me'])
    eve.say(text(1, 'let me', { to: [lock] }))
    expect(await hears(hall, eve)).toEqual(['1 receipt VOID 0'])
    await decides(dora, lock, true)
    // What he said to the room waited for him to get in (R15).
    expect(await hears(hall, guest)).toEqual([
      '5 verdict passed',
      '0 joined room:acme/club',
      '7 receipt ROUTED 2',
    ])
    dora.say(text(2, 'gone?', { to: [lock] }))
    expect((await hears(hall, dora)).at(-1)).toBe('2 receipt VOID 0')
  })

  test('where nobody is inside, he waits until the deadline', async () => {
    hall.store.configure('acme/club', door(15_000))
    const guest = await knocker()
    await client(hall, ['club'], { client: 'eve', path: '/acme/club', events: true })
    hall.pass(14_500)
    expect(await hears(hall, guest)).toEqual([])
    hall.pass(1_000)
    expect(await hears(hall, guest)).toEqual([
      '5 verdict dropped LOCK_DEADLINE',
      '0 drop LOCK_DEADLINE',
    ])
    expect(hall.core.knocks.size).toBe(0)
  })

  test('too long a word is a wrong answer, and reaches nobody', async () => {
    const dora = await doorman()
    const guest = await knocker('x'.repeat(257))
    expect(await hears(hall, guest)).toEqual(['5 verdict failed PAYLOAD_TOO_LARGE'])
    guest.say(knock(6))
    expect(await hears(hall, dora)).toEqual(['0 KNOCKED room:acme/club knock "it is me"'])
  })
})

describe('those who decide', () => {
  test('are those with the right in the room, and the owner in there or in his lobby', async () => {
    const dora = await doorman()
    const inRoom = await client(hall, ['club'], { client: 'eve', path: '/acme/club', events: true })
    const lobby = await owner(hall, 'acme', { path: '/user/acme/', events: true })
    const away = await owner(hall, 'acme', { events: true })
    const other = await owner(hall, 'other', { path: '/user/other/', events: true })
    const deaf = await doorman('deaf', { events: false })
    const guest = await knocker()
    const knocked = '0 KNOCKED room:acme/club knock "it is me"'
    expect(await hears(hall, lobby)).toEqual([knocked])
    for (const silent of [inRoom, away, other, deaf]) {
      expect(await hears(hall, silent)).toEqual([])
    }
    const lock = await lockHeard(dora)
    expect(await decides(other, lock, true)).toEqual(['9 drop TARGET_UNKNOWN'])
    expect(await decides(inRoom, lock, true)).toEqual(['9 drop COMMAND_NOT_PERMITTED'])
    // He was not told, for he does not listen; the right is his all the same.
    expect(await decides(away, lock, true)).toEqual(['9 done'])
    expect((await hears(hall, guest)).at(-1)).toBe('0 joined room:acme/club')
  })

  test('hear of those who wait when they come, or begin to watch, and only once', async () => {
    await knocker('early')
    const knocked = '0 KNOCKED room:acme/club knock "early"'
    const dora = hall.open('/acme/club').say(helloForEvents())
    const secret = hall.store.token('acme', ['club'], { client: 'dora', admit: true })
    dora.say(answer(2, secret))
    expect(await hears(hall, dora)).toEqual([
      '0 challenge knock',
      '1 welcome',
      '2 verdict passed',
      '0 joined room:acme/club',
      knocked,
    ])
    dora.say(command(3, 'watch', {}), join(4, 'room:acme/club/bar'))
    expect(await hears(hall, dora)).toEqual(['3 done', '4 joined room:acme/club/bar'])
    const late = await doorman('late', { events: false })
    late.say(command(1, 'watch', {}))
    expect(await hears(hall, late)).toEqual(['1 done', knocked])
    const boss = await owner(hall)
    boss.say(command(1, 'watch', { of: 'lobby:acme' }))
    expect(await hears(hall, boss)).toEqual(['1 done', knocked])
    const inLobby = await owner(hall, 'acme', { events: true })
    inLobby.say(join(1, 'lobby:acme'))
    expect(await hears(hall, inLobby)).toEqual(['1 joined lobby:acme', knocked])
    const other = await owner(hall, 'other', { events: true })
    other.say(join(1, 'lobby:other'))
    expect(await hears(hall, other)).toEqual(['1 joined lobby:other'])
  })

  test('may be two at once: the first one counts', async () => {
    const [dora, dan] = [await doorman('dora'), await doorman('dan')]
    const guest = await knocker()
    const lock = await lockHeard(dora)
    dora.say(command(9, 'admit', { lock, admitted: false }))
    dan.say(command(9, 'admit', { lock, admitted: true }))
    expect(await hears(hall, dora)).toEqual(['9 done'])
    expect((await hears(hall, dan)).at(-1)).toBe('9 drop TARGET_UNKNOWN')
    expect(guest.ended).toBe(Code.NOT_ADMITTED)
  })

  test('are too late once he is gone, or has given up, even within one turn', async () => {
    const dora = await doorman()
    const guest = await knocker()
    const lock = await lockHeard(dora)
    guest.vanish()
    expect(await decides(dora, lock, true)).toEqual(['9 drop TARGET_UNKNOWN'])
    const zoe = hall.open('/acme/yard')
    zoe.say(join(1, 'room:acme/club'), knock(2))
    await hears(hall, zoe)
    const second = await lockHeard(dora)
    zoe.say(leave(3, 'room:acme/club'))
    expect(await decides(dora, second, true)).toEqual(['9 drop TARGET_UNKNOWN'])
    expect(zoe.session.memberships.size).toBe(1)
    expect(hall.core.knocks.size).toBe(0)
  })

  test('may lose the right meanwhile, and then decide no more', async () => {
    const secret = hall.store.token('acme', ['club'], { client: 'dora', admit: true })
    const dora = hall.open('/acme/club').say(helloForEvents(), answer(2, secret))
    await hall.settle()
    await hall.live.start()
    dora.take()
    const guest = await knocker()
    const lock = await lockHeard(dora)
    hall.store.changeToken(secret, ['club'])
    await hall.settle()
    expect(await decides(dora, lock, true)).toEqual(['9 drop COMMAND_NOT_PERMITTED'])
    await knocker('another')
    expect(await hears(hall, dora)).toEqual([])
    dora.say(leave(1, 'room:acme/club'))
    await hears(hall, dora)
    expect(await decides(dora, lock, true)).toEqual(['9 drop COMMAND_NOT_PERMITTED'])
    expect(guest.session.unlocked).toBe(false)
    await hall.live.stop()
  })
})

describe('a flood', () => {
  test('of one socket reaches those inside once in a minute', async () => {
    const dora = await doorman()
    const guest = hall.open('/acme/yard')
    await hears(hall, guest)
    for (let i = 0; i < 20; i++) {
      guest.say(join(1, 'room:acme/club'), knock(2))
      await hall.settle()
      guest.say(leave(3, 'room:acme/club'))
      await hall.settle()
    }
    expect(guest.heard().filter((line) => line.endsWith('RATE_LIMITED'))).toHaveLength(38)
    expect(await hears(hall, dora)).toHaveLength(1)
    hall.now += 60_000
    guest.say(join(4, 'room:acme/club'), knock(5), knock(6))
    expect(await hears(hall, dora)).toHaveLength(1)
  })

  test('of one network is stopped, and others get through', async () => {
    const dora = await doorman()
    const guests: Guest[] = []
    for (let i = 0; i < 40; i++) guests.push(await knocker('x', `192.0.2.${i}`))
    const ended = guests.map((guest) => guest.ended)
    expect(ended.slice(0, 32)).toEqual(Array(32).fill(undefined))
    expect(ended.slice(32)).toEqual(Array(8).fill(Code.RATE_LIMITED))
    expect(await events(hall, dora)).toHaveLength(32)
    // To go and come again is no way around it, until some time has passed.
    for (const guest of guests) guest.vanish()
    expect((await knocker('x', '192.0.2.7')).ended).toBe(Code.RATE_LIMITED)
    expect((await knocker('x', '198.51.100.7')).ended).toBeUndefined()
    hall.now += 60_000
    expect((await knocker('x', '192.0.2.7')).ended).toBeUndefined()
  })

  test('of those who are let in stops nobody', async () => {
    const dora = await doorman()
    for (let i = 0; i < 50; i++) {
      const guest = await knocker('x', '192.0.2.1')
      await decides(dora, await lockHeard(dora), true)
      expect(guest.session.memberships.size).toBe(1)
    }
  })

  test('of many networks fills one room, and no other', async () => {
    const guests: Guest[] = []
    for (let i = 0; i < 66; i++) guests.push(await knocker('x', `10.0.${i}.1`))
    expect(guests.map((guest) => guest.ended)).toEqual([
      ...Array(64).fill(undefined),
      Code.QUEUE_FULL,
      Code.QUEUE_FULL,
    ])
    expect(hall.core.knocks.size).toBe(64)
    hall.store.room('acme/annexe', door())
    expect((await knocker('x', '10.1.0.1', '/acme/annexe')).ended).toBeUndefined()
    for (const guest of guests) guest.vanish()
    expect(hall.core.knocks.size).toBe(1)
  })
})

test('by another lock of the flow he gets in without anybody', async () => {
  const guest = hall.open('/acme/club')
  guest.say(answer(1, hall.store.token('acme', ['club'])))
  expect(await hears(hall, guest)).toEqual([
    '0 challenge knock',
    '1 verdict passed',
    '0 joined room:acme/club',
  ])
})
