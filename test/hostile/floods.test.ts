/** K15, R14, R16: guesses and floods, by those outside and by strangers who are in elsewhere. */
import { Code } from '@porthouse/proto/v1/code'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { receiveJson } from '../../gateway/ingress/websocket/connection.ts'
import { jsonLane } from '../../gateway/ingress/websocket/json-lane.ts'
import { answer, join, leave, text } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { client } from '../support/staff.ts'
import { guarded, hears, hostileHall, lock, says, tty } from './hostile-hall.ts'

const FAILURES = 20

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  hall = hostileHall({ limbo: { failures: FAILURES } })
  hall.store.room('acme/yard', OPEN)
  hall.store.room('acme/boiler')
  hall.store.room('acme/riddle', guarded(tty('mellon')))
  return () => vi.useRealTimers()
})

/** A stranger who is in somewhere, so that no limbo bounds him. */
async function stranger(remote = '198.51.100.1'): Promise<Guest> {
  const guest = hall.open('/acme/yard', undefined, { remote, headers: {} })
  await hall.settle()
  guest.take()
  return guest
}

describe('guessing from inside', () => {
  test('is bounded as from outside, and the right answer comes too late', async () => {
    const guest = await stranger()
    let judged = 0
    for (let i = 0; i < 2 * FAILURES; i++) {
      guest.say(join(1, 'room:acme/riddle'), says(2, 'tty', `guess ${i}`))
      judged += (await hears(hall, guest)).filter((line) => line.startsWith('2 verdict')).length
      guest.say(leave(3, 'room:acme/riddle'))
    }
    expect(judged).toBe(FAILURES)
    guest.take()
    guest.say(join(1, 'room:acme/riddle'), says(2, 'tty', 'mellon'))
    expect((await hears(hall, guest)).at(-1)).toBe('2 drop RATE_LIMITED')
    expect(guest.session.memberships.size).toBe(1)
  })

  test('bars the network alone, and not the account, nor others', async () => {
    const guest = await stranger()
    for (let i = 0; i < FAILURES; i++) {
      guest.say(join(1, 'room:acme/riddle'), says(2, 'tty', 'x'), leave(3, 'room:acme/riddle'))
      await hears(hall, guest)
    }
    const other = await stranger('203.0.113.9')
    other.say(join(1, 'room:acme/riddle'), says(2, 'tty', 'mellon'))
    expect(await hears(hall, other)).toContain('1 joined room:acme/riddle')
  })

  test('answers that were sent together are counted one by one', async () => {
    const sockets = await Promise.all(Array.from({ length: FAILURES }, () => stranger()))
    for (const guest of sockets) {
      guest.say(join(1, 'room:acme/boiler'), ...[2, 3, 4].map((id) => answer(id, `pht_${id}`)))
    }
    await hall.settle()
    const lines = sockets.flatMap((guest) => guest.heard())
    const verdicts = lines.filter((line) => line.includes('UNAUTHENTICATED')).length
    expect(verdicts).toBeLessThanOrEqual(FAILURES + sockets.length)
    expect(lines).toContain('4 drop RATE_LIMITED')
  })
})

describe('standing at doors', () => {
  test('costs a bounded number of locks, whoever stands there', async () => {
    const guest = await stranger()
    for (let i = 0; i < 500; i++) guest.say(join(i + 1, 'room:acme/boiler'))
    const lines = await hears(hall, guest)
    expect(lines.filter((line) => line.endsWith('drop RATE_LIMITED')).length).toBeGreaterThan(400)
    expect(guest.session.waiting.length).toBeLessThan(100)
    hall.now += 10_000
    guest.say(join(1, 'room:acme/boiler'))
    expect(await hears(hall, guest)).toEqual(['1 challenge token'])
  })

  test('at doors of rooms that are not there, too', async () => {
    const guest = await stranger()
    const refused: string[] = []
    for (let i = 0; i < 200; i++) {
      guest.say(join(1, `room:acme/ghost-${i}`), leave(2, `room:acme/ghost-${i}`))
      refused.push(...(await hears(hall, guest)).filter((line) => line.includes('RATE_LIMITED')))
    }
    expect(refused.length).toBeGreaterThan(100)
  })

  test('nor do envelopes for many rooms at once reach the store without bound', async () => {
    const guest = await stranger()
    const before = hall.store.asked
    for (let i = 0; i < 100; i++) {
      const to = Array.from({ length: 64 }, (_, at) => `room:acme/ghost-${i}-${at}`)
      guest.say(text(i + 1, 'x', { to }))
      await hall.settle()
    }
    expect(hall.store.asked - before).toBeLessThanOrEqual(1_100)
    expect(guest.heard().at(-1)).toMatch(/^100 receipt REJECTED/)
  })

  test('is no bound for who is somebody and meets no lock', async () => {
    const rooms = Array.from({ length: 200 }, (_, i) => `room-${i}`)
    for (const room of rooms) hall.store.room(`acme/${room}`)
    const guest = await client(hall, rooms)
    for (const [i, room] of rooms.entries()) guest.say(join(i + 1, `room:acme/${room}`))
    await hall.settle()
    expect(guest.session.memberships.size).toBe(200)
  })
})

describe('a lock as an address', () => {
  async function atTheDoor(): Promise<{ dora: Guest; guest: Guest; to: string[] }> {
    hall.store.room('acme/club', guarded(lock('knock', {}, 600_000)))
    hall.store.room('acme/hall', guarded(lock('token')))
    const dora = await client(hall, ['hall'], { admit: true, path: '/acme/hall' })
    const guest = await stranger()
    guest.say(join(1, 'room:acme/hall'))
    await hears(hall, guest)
    return { dora, guest, to: guest.session.stack.locks.map(({ id }) => `lock:${id}`) }
  }

  test('is no way to flood those inside', async () => {
    const { dora, guest, to } = await atTheDoor()
    for (let i = 0; i < 200; i++) guest.say(text(i + 1, 'buy!', { to }))
    const lines = await hears(hall, guest)
    expect((await hears(hall, dora)).length).toBeLessThanOrEqual(16)
    expect(lines.at(-1)).toBe('200 receipt REJECTED RATE_LIMITED')
  })

  test('nor by locks that are left and met again', async () => {
    const { dora, guest } = await atTheDoor()
    for (let i = 0; i < 40; i++) {
      guest.say(leave(1, 'room:acme/hall'), join(2, 'room:acme/hall'))
      await hears(hall, guest)
      const to = guest.session.stack.locks.map(({ id }) => `lock:${id}`)
      guest.say(text(3, 'buy!', { to }), text(4, 'buy!', { to }))
    }
    expect((await hears(hall, dora)).length).toBeLessThanOrEqual(16)
  })

  test('nor to bury them under one message', async () => {
    const { dora, guest, to } = await atTheDoor()
    guest.say(text(1, 'x'.repeat(5_000), { to }))
    expect(await hears(hall, guest)).toEqual(['1 receipt REJECTED PAYLOAD_TOO_LARGE'])
    expect(await hears(hall, dora)).toEqual([])
  })

  test('those inside may say as much as elsewhere', async () => {
    const { dora, guest, to } = await atTheDoor()
    for (let i = 0; i < 30; i++) dora.say(text(i + 1, 'x'.repeat(5_000), { to }))
    expect(await hears(hall, guest)).toHaveLength(30)
  })

  test('of another is void, whether there is such a lock or not', async () => {
    const { to } = await atTheDoor()
    const eve = await client(hall, ['hall'], { path: '/acme/hall' })
    eve.say(text(1, 'x', { to }), text(2, 'x', { to: [`lock:${'a'.repeat(16)}`] }))
    expect(await hears(hall, eve)).toEqual(['1 receipt VOID 0', '2 receipt VOID 0'])
  })
})

describe('limbo', () => {
  test('counts the text of JSON, not only what it says', async () => {
    const guest = hall.open('/v1/ws', jsonLane)
    const padded = Buffer.from(`{"frames":[${' '.repeat(20_000)}]}`)
    for (let i = 0; i < 4; i++) receiveJson(guest.session, padded)
    expect(guest.ended).toBe(Code.LIMBO_LIMIT)
  })

  test('is not left by answers that prove nobody, nor longer than it may be', async () => {
    const guest = hall.open()
    guest.say(answer(1, 'x'), join(2, 'room:acme/ghost'))
    await hall.settle()
    hall.pass(10_000)
    expect(guest.ended).toBe(Code.LOCK_DEADLINE)
  })
})
