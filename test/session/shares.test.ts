/** The live connections of a token: their numbers, their bound and the rate they share (R33). */
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { Shares } from '../../gateway/session/identity/shares.ts'
import type { Session } from '../../gateway/session/session.ts'
import type { TokenRecord } from '../../gateway/store/store.ts'
import { answer, join, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'

function tokenOf(terms: Partial<TokenRecord> = {}): TokenRecord {
  const account = { id: 'a', slug: 'acme' }
  const made = { createdAt: new Date(0), version: 1 }
  return { id: 't', account, hash: new Uint8Array(32), ...made, grants: [], ...terms }
}

/** Nothing of a session matters but which one it is. */
const session = (name: number) => ({ name }) as unknown as Session

describe('numbers', () => {
  test('are the lowest free ones, whoever comes and goes, and never over the bound', () => {
    const sessions = Array.from({ length: 12 }, (_, i) => session(i))
    const moves = fc.array(fc.tuple(fc.nat({ max: 11 }), fc.boolean()), { maxLength: 100 })
    fc.assert(
      fc.property(moves, fc.option(fc.integer({ min: 1, max: 8 })), (all, bound) => {
        const shares = new Shares()
        const token = tokenOf(bound === null ? {} : { maxConnections: bound })
        const model = new Map<Session, number>()
        for (const [at, comes] of all) {
          const one = sessions[at]!
          if (!comes) {
            shares.release('t', one)
            model.delete(one)
          } else if (model.has(one)) {
            expect(shares.take(token, one)).toBe(model.get(one))
          } else {
            let lowest = 1
            while ([...model.values()].includes(lowest)) lowest++
            const number = bound !== null && lowest > bound ? undefined : lowest
            expect(shares.take(token, one)).toBe(number)
            if (number) model.set(one, number)
          }
          for (const each of sessions) {
            expect(shares.numberOf('t', each)).toBe(model.get(each) ?? 0)
          }
          const byNumber = [...model].sort((a, b) => a[1] - b[1]).map(([each]) => each)
          expect(shares.connectionsOf('t')).toEqual(byNumber)
          expect([...shares.tokens]).toEqual(model.size > 0 ? ['t'] : [])
        }
      }),
    )
  })

  test('of a hundred thousand connections are found at once', () => {
    const shares = new Shares()
    const sessions = Array.from({ length: 100_000 }, (_, i) => session(i))
    const token = tokenOf()
    for (const [i, one] of sessions.entries()) expect(shares.take(token, one)).toBe(i + 1)
    for (const one of sessions) shares.release('t', one)
    expect([...shares.tokens]).toEqual([])
  })

  test('of one token are not those of another', () => {
    const shares = new Shares()
    const one = session(1)
    shares.take(tokenOf({ id: 'a', maxConnections: 1 }), one)
    expect(shares.take(tokenOf({ id: 'b', maxConnections: 1 }), one)).toBe(1)
    shares.release('a', one)
    expect(shares.numberOf('b', one)).toBe(1)
    expect(shares.take(tokenOf({ id: 'b', maxConnections: 1 }), session(2))).toBeUndefined()
  })
})

describe('a rate', () => {
  const rate = { perSecond: 1, burst: 2 }

  test('is one for all connections, and not given anew to who comes again', () => {
    const shares = new Shares()
    const token = tokenOf({ rate })
    const [one, two] = [session(1), session(2)]
    shares.take(token, one)
    shares.take(token, two)
    expect(shares.rateOf(token)!.take(1_000)).toBe(true)
    expect(shares.rateOf(token)!.take(1_000)).toBe(true)
    shares.release('t', one)
    shares.release('t', two)
    shares.take(token, session(3))
    expect(shares.rateOf(token)!.take(1_000)).toBe(false)
    expect(shares.rateOf(token)!.take(2_000)).toBe(true)
  })

  test('that is changed counts from now on', () => {
    const shares = new Shares()
    shares.take(tokenOf({ rate }), session(1))
    const more = tokenOf({ rate: { perSecond: 1, burst: 3 } })
    for (let i = 0; i < 3; i++) expect(shares.rateOf(more)!.take(1_000)).toBe(true)
    expect(shares.rateOf(more)!.take(1_000)).toBe(false)
    expect(shares.rateOf(tokenOf())).toBeUndefined()
  })

  test('of those who are away is remembered for a bounded number', () => {
    const shares = new Shares()
    for (let i = 0; i < 10_001; i++) {
      const token = tokenOf({ id: `${i}`, rate: { perSecond: 1, burst: 1 } })
      shares.take(token, session(i))
      shares.rateOf(token)!.take(1_000)
      shares.release(`${i}`, shares.connectionsOf(`${i}`)[0]!)
    }
    const spent = (id: string) =>
      !shares.rateOf(tokenOf({ id, rate: { perSecond: 1, burst: 1 } }))!.take(1_000)
    expect([spent('1'), spent('10000'), spent('0')]).toEqual([true, true, false])
  })
})

describe('a share space', () => {
  let hall: Hall
  let secret: string
  beforeEach(() => {
    hall = new Hall()
    hall.store.room('acme/boiler')
    secret = hall.store.token('acme', ['boiler'], { maxConnections: 3 })
  })

  const enter = async (): Promise<Guest> => {
    const guest = hall.open().say(answer(1, secret), join(2, 'room:acme/boiler'))
    await hall.settle()
    return guest
  }
  const numberOf = ({ session }: Guest) => session.actors[0]!.address.split('/')[1]

  test('of three lets three of fifty in who come in the same instant', async () => {
    const guests = Array.from({ length: 50 }, () => hall.open().say(answer(1, secret)))
    await hall.settle()
    const inside = guests.filter(({ ended }) => ended === undefined)
    expect(inside.map(numberOf)).toEqual(['1', '2', '3'])
    const others = guests.filter((guest) => !inside.includes(guest))
    for (const guest of others) {
      expect(guest.ended).toBe(Code.SHARE_LIMIT)
      expect(guest.heard()).toEqual(['1 verdict dropped SHARE_LIMIT', '0 drop SHARE_LIMIT'])
    }
    inside[1]!.vanish()
    const next = hall.open().say(answer(1, secret))
    await hall.settle()
    expect(numberOf(next)).toBe('2')
  })

  test('gives the place of who leaves, is dropped or vanishes to the next', async () => {
    const guests = [await enter(), await enter(), await enter()]
    guests[2]!.vanish()
    guests[0]!.session.drop(Code.KICKED, 'out')
    guests[1]!.say({ body: { case: 'drop', value: {} } })
    expect([...hall.core.shares.tokens]).toEqual([])
    const again = [await enter(), await enter(), await enter()]
    expect(again.map(numberOf)).toEqual(['1', '2', '3'])
  })

  test('is one place for a socket that proves the token again and again', async () => {
    const guest = await enter()
    for (let id = 3; id < 20; id++) guest.say(answer(id, secret))
    await hall.settle()
    expect(guest.session.proofs).toHaveLength(1)
    expect((await enter()).ended).toBeUndefined()
    expect((await enter()).ended).toBeUndefined()
    expect((await enter()).ended).toBe(Code.SHARE_LIMIT)
  })

  test('names each of its connections, by which it is reached and known', async () => {
    const guests = [await enter(), await enter()]
    const { id } = guests[0]!.session.proofs[0]!.token!
    for (const guest of guests) guest.take()
    guests[0]!.say(text(3, 'hi', { to: [`token:${id}/2`, `token:${id}/3`] }))
    await hall.settle()
    const [message] = guests[1]!.take()
    expect(message!.body.value).toMatchObject({ stamp: { from: `token:${id}/1` } })
    guests[1]!.vanish()
    guests[0]!.take()
    guests[0]!.say(text(4, 'gone', { to: [`token:${id}/2`] }))
    await hall.settle()
    expect(guests[0]!.heard()).toEqual(['4 receipt VOID 0'])
  })

  test('stays whole under a flood that is refused', async () => {
    const guests = [await enter(), await enter(), await enter()]
    for (let i = 0; i < 100; i++) expect((await enter()).ended).toBe(Code.SHARE_LIMIT)
    expect(guests.map(numberOf)).toEqual(['1', '2', '3'])
    expect(hall.sessions.count).toBe(3)
  })
})
