/** A10, K12: what was proved to one lock, place or account does not open another. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { answer, join, leave } from '../support/client-frames.ts'
import type { Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { all, any, guarded, hears, hostileHall, lock, preset, says, tty } from './hostile-hall.ts'

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  hall = hostileHall()
  hall.store.room('acme/yard', OPEN)
  return () => vi.useRealTimers()
})

describe('two locks of one acceptor', () => {
  test.each([
    ['preset', preset],
    ['tty', tty],
  ])('%s: the answer to one does not open the other', async (acceptor, made) => {
    hall.store.room('acme/vault', guarded(all(made('outer'), made('inner'))))
    const guest = hall.open().say(join(1, 'room:acme/vault'), says(2, acceptor, 'outer'))
    expect((await hears(hall, guest)).slice(0, 2)).toEqual([
      `1 challenge ${acceptor}`,
      '2 verdict passed',
    ])
    expect(guest.session.memberships.size).toBe(0)
    guest.say(says(3, acceptor, 'outer'))
    expect(await hears(hall, guest)).toContain('3 verdict failed UNAUTHENTICATED')
    guest.say(says(4, acceptor, 'inner'))
    expect(await hears(hall, guest)).toContain('1 joined room:acme/vault')
  })

  test.each([
    ['preset', preset],
    ['tty', tty],
  ])('%s: halves of two branches make no whole', async (acceptor, made) => {
    hall.store.token('acme', ['vault'])
    const [left, right] = [all(made('a'), made('b')), all(lock('token'), made('c'))]
    hall.store.room('acme/vault', guarded(any(left, right)))
    const guest = hall.open().say(join(1, 'room:acme/vault'), says(2, acceptor, 'a'))
    await hears(hall, guest)
    expect(guest.session.memberships.size).toBe(0)
    guest.say(says(3, acceptor, 'c'))
    await hears(hall, guest)
    expect(guest.session.memberships.size).toBe(0)
  })

  test.each([
    ['preset', preset],
    ['tty', tty],
  ])('%s: a changed answer is asked for again, of those inside too', async (acceptor, made) => {
    await hall.live.start()
    hall.store.room('acme/vault', guarded(made('old')))
    const guest = hall.open().say(join(1, 'room:acme/vault'), says(2, acceptor, 'old'))
    guest.say(join(3, 'room:acme/yard'))
    expect(await hears(hall, guest)).toContain('1 joined room:acme/vault')
    hall.store.configure('acme/vault', guarded(made('new')))
    expect(await hears(hall, guest)).toContain('0 left room:acme/vault')
    guest.say(join(4, 'room:acme/vault'))
    expect(await hears(hall, guest)).toEqual([`4 challenge ${acceptor}`])
  })
})

describe('another place', () => {
  test('of the same account, with the same lock, asks again', async () => {
    hall.store.room('acme/a', guarded(tty('word')))
    hall.store.room('acme/b', guarded(tty('word')))
    const guest = hall.open().say(join(1, 'room:acme/a'), says(2, 'tty', 'word'))
    expect(await hears(hall, guest)).toContain('1 joined room:acme/a')
    guest.say(join(3, 'room:acme/b'))
    expect(await hears(hall, guest)).toEqual(['3 challenge tty'])
  })

  test('by another form of its address is the same place', async () => {
    const { id, account } = hall.store.room('acme/a', guarded(tty('word')))
    const guest = hall.open().say(join(1, `room:${account.id.toUpperCase()}/${id}`))
    guest.say(says(2, 'tty', 'word'))
    expect(await hears(hall, guest)).toContain('1 joined room:acme/a')
    guest.say(leave(3, 'room:acme/a'), join(4, `room:acme/${id}`))
    expect((await hears(hall, guest)).at(-1)).toBe('4 joined room:acme/a')
  })

  test('a token of another account opens neither room, lobby nor nothing', async () => {
    hall.store.room('acme/boiler')
    hall.store.room('other/room')
    const foreign = hall.store.token('other', ['room'])
    for (const place of ['room:acme/boiler', 'room:acme/ghost', 'lobby:acme', 'lobby:nobody']) {
      const guest = hall.open().say(join(1, place), answer(2, foreign))
      const [, verdict] = await hears(hall, guest)
      expect(verdict).toBe('2 verdict failed UNAUTHENTICATED')
      expect(guest.session.unlocked).toBe(false)
    }
    // Proved first, elsewhere, it does no more.
    const guest = hall.open().say(answer(1, foreign), join(2, 'room:acme/boiler'))
    guest.say(join(3, 'lobby:acme'))
    expect((await hears(hall, guest)).slice(1)).toEqual(['2 challenge token', '3 challenge token'])
  })
})

describe('a place that was made anew under its old name', () => {
  test('is strange to those who had proved something to the old one', async () => {
    await hall.live.start()
    hall.store.room('acme/vault', guarded(tty('word')))
    const guest = hall.open().say(join(1, 'room:acme/vault'), says(2, 'tty', 'word'))
    const away = hall.open().say(join(1, 'room:acme/vault'), says(2, 'tty', 'word'))
    away.say(leave(3, 'room:acme/vault'))
    for (const each of [guest, away]) {
      expect(await hears(hall, each)).toContain('1 joined room:acme/vault')
    }
    hall.store.deleteRoom('acme/vault')
    await hall.settle()
    hall.store.room('acme/vault', guarded(tty('word')))
    for (const each of [guest, away]) {
      each.take()
      each.say(join(4, 'room:acme/vault'))
      expect(await hears(hall, each)).toEqual(['4 challenge tty'])
    }
  })

  test('also where it was made anew while they stood at its lock', async () => {
    hall.store.room('acme/vault', guarded(tty('word')))
    const guest = hall.open('/acme/yard').say(join(1, 'room:acme/vault'))
    await hears(hall, guest)
    hall.store.deleteRoom('acme/vault')
    hall.store.room('acme/vault', guarded(tty('word')))
    guest.say(says(2, 'tty', 'word'))
    expect(await hears(hall, guest)).toEqual(['2 verdict passed', '1 challenge tty'])
  })
})

test('a token has one spelling: what decodes to the same bytes is another text', async () => {
  hall.store.room('acme/boiler')
  const secret = hall.store.token('acme', ['boiler'])
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const next = letters[letters.indexOf(secret.at(-1) as string) + 1]
  for (const other of [`${secret.slice(0, -1)}${next}`, `${secret}=`, secret.toUpperCase()]) {
    const guest = hall.open().say(answer(1, other))
    expect(await hears(hall, guest)).toEqual(['1 verdict failed UNAUTHENTICATED'])
  }
})
