/** A8, A10, A11: rights that are too narrow, taken away, borrowed, or of somebody else. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { answer, join, text } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { all, any, guarded, hears, hostileHall, lock, says, tty } from './hostile-hall.ts'

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  hall = hostileHall()
  hall.store.room('acme/yard', OPEN)
  hall.store.room('acme/boiler')
  return () => vi.useRealTimers()
})

const joinedAs = ({ session }: Guest) => {
  const [member] = session.memberships.values()
  return member && [member.senders.length > 0, member.filters.size > 0]
}

describe('a token that may only receive', () => {
  test.each([
    ['all', all(lock('token'), tty('word'))],
    ['any', any(tty('word'), lock('token'))],
  ])('gets no more by a lock that proves nobody: %s', async (_name, flow) => {
    hall.store.room('acme/hall', guarded(flow))
    const secret = hall.store.token('acme', ['hall'], { send: false, client: 'ann' })
    const guest = hall.open().say(answer(1, secret))
    guest.say(join(2, 'room:acme/hall'), says(3, 'tty', 'word'), text(4, 'hi'))
    const lines = await hears(hall, guest)
    expect(lines.at(-1)).toBe('4 receipt REJECTED SEND_NOT_PERMITTED')
    expect(joinedAs(guest)).toEqual([false, true])
  })

  test('nor where the proofs come in the other order', async () => {
    hall.store.room('acme/hall', guarded(any(tty('word'), lock('token'))))
    const secret = hall.store.token('acme', ['hall'], { receive: false })
    const guest = hall.open().say(join(1, 'room:acme/hall'), says(2, 'tty', 'word'))
    await hears(hall, guest)
    expect(joinedAs(guest)).toEqual([true, true])
    // What a visitor may hear, a holder of the room's own rights may not: at the next settling.
    guest.say(answer(3, secret), join(4, 'room:acme/hall/x'))
    expect((await hears(hall, guest)).at(-1)).toBe('4 drop RECEIVE_NOT_PERMITTED')
  })
})

describe('acting', () => {
  test.each([
    ['another client of the account', 'client:acme/bob'],
    ['a client by UUID', 'uuid'],
    ['a client of another account', 'client:other/ann'],
    ['another connection of the token', 'token'],
    ['another socket', `socket:${'a'.repeat(16)}`],
    ['nobody at all', '\n'],
  ])('as %s is refused, wherever it goes', async (_name, whom) => {
    hall.store.client('acme/bob', ['boiler'])
    const secret = hall.store.token('acme', ['boiler'], { client: 'ann', maxConnections: 3 })
    const listener = hall.open().say(answer(1, secret), join(2, 'room:acme/boiler'))
    const guest = hall.open().say(answer(1, secret), join(2, 'room:acme/boiler'))
    await hears(hall, guest)
    const id = guest.session.proofs[0]?.token?.id
    const names: Record<string, string> = {
      uuid: `client:acme/${hall.store.clientId('bob')}`,
      token: `token:${id}/1`,
    }
    const acting = names[whom] ?? whom
    listener.take()
    guest.say(text(3, 'x', { acting }), text(4, 'x', { acting, to: [listener.session.address] }))
    expect(await hears(hall, guest)).toEqual([
      '3 receipt REJECTED UNAUTHENTICATED',
      '4 receipt REJECTED UNAUTHENTICATED',
    ])
    expect(await hears(hall, listener)).toEqual([])
  })
})

describe('an envelope that waits for a lock', () => {
  test('does not go where the right was taken away meanwhile', async () => {
    await hall.live.start()
    const flow = all(lock('token'), tty('word'))
    hall.store.room('acme/hall', guarded(flow, { send: false, receive: false }))
    const secret = hall.store.token('acme', ['hall'])
    const listener = hall.open().say(answer(1, hall.store.token('acme', ['hall'])))
    listener.say(join(2, 'room:acme/hall'), says(3, 'tty', 'word'))
    const guest = hall.open().say(answer(1, secret))
    guest.say(text(2, 'late', { to: ['room:acme/hall'] }))
    await hears(hall, guest)
    listener.take()
    hall.store.changeToken(secret, [])
    await hall.settle()
    guest.say(says(3, 'tty', 'word'))
    const lines = await hears(hall, guest)
    expect(await hears(hall, listener)).toEqual([])
    expect(lines.at(-1)).toMatch(/^2 receipt REJECTED/)
  })

  test('nor after the token itself, nor to a room that was made anew', async () => {
    await hall.live.start()
    hall.store.room('acme/hall', guarded(tty('word')))
    const guest = hall.open('/acme/yard')
    guest.say(text(2, 'late', { to: ['room:acme/hall'] }))
    await hears(hall, guest)
    hall.store.deleteRoom('acme/hall')
    hall.store.room('acme/hall', guarded(tty('other')))
    guest.say(says(3, 'tty', 'word'))
    expect(await hears(hall, guest)).toEqual(['3 verdict passed', '0 challenge tty'])
    hall.pass(10_000)
    expect((await hears(hall, guest)).at(-1)).toBe('2 receipt REJECTED LOCK_DEADLINE')
  })
})

describe('a client that was deleted and made anew', () => {
  test('inherits neither sockets, rights nor names', async () => {
    await hall.live.start()
    const old = hall.store.token('acme', ['boiler'], { client: 'ann' })
    const before = hall.open().say(answer(1, old), join(2, 'room:acme/boiler'))
    await hears(hall, before)
    hall.store.deleteClient('acme/ann')
    hall.store.client('acme/ann', ['boiler'])
    await hall.settle()
    expect(before.session.closed).toBe(true)
    expect(hall.graph.socketsOf('client:acme/ann').size).toBe(0)
    const again = hall.open().say(answer(1, old))
    expect(await hears(hall, again)).toEqual(['1 verdict failed UNAUTHENTICATED'])
  })
})
