/** Envelopes for places that are still locked: moved to the lock, kept in order, bounded (R15). */
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { guardedBy } from '../support/access.ts'
import { join, leave, say, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { type WordAcceptor, wordAcceptor } from '../support/word-acceptor.ts'

const [BOILER, ATTIC, YARD] = ['boiler', 'attic', 'yard'].map((name) => `room:acme/${name}`) as [
  string,
  string,
  string,
]

let hall: Hall
let red: WordAcceptor

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  hall = newHall()
})
afterEach(() => vi.useRealTimers())

/** The boiler is locked by `red`, the attic by `green`, the yard is open; people judge. */
function newHall(settings: ConstructorParameters<typeof Hall>[0] = {}): Hall {
  red = wordAcceptor('red', { prompt: false })
  const made = new Hall(settings, [red, wordAcceptor('green', { prompt: false })])
  made.store.room('acme/boiler', guardedBy('red'))
  made.store.room('acme/attic', guardedBy('green'))
  made.store.room('acme/yard', OPEN)
  return made
}

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

async function inTheYard(at = hall): Promise<Guest> {
  const guest = at.open('/acme/yard')
  await at.settle()
  guest.take()
  return guest
}

/** Somebody who hears all that is said in a room. */
async function listener(address: string, word?: string): Promise<Guest> {
  const guest = hall.open().say(join(1, address))
  if (word !== undefined) guest.say(say(2, word, word))
  await hall.settle()
  guest.take()
  return guest
}

/** As often as it takes. */
async function answersWrong(guest: Guest): Promise<string[]> {
  for (const id of [2, 3, 4]) {
    guest.say(say(id, 'red', 'x'))
    await hall.settle()
  }
  return guest.heard()
}

describe('an envelope for a locked room', () => {
  test('moves the socket to its lock, and goes on when that is resolved', async () => {
    const inside = await listener(BOILER, 'red')
    const guest = await inTheYard()
    guest.say(text(1, 'hi', { to: [BOILER] }))
    expect(await hears(guest)).toEqual(['0 challenge red'])
    expect(await hears(guest.say(say(2, 'red', 'red')))).toEqual([
      '2 verdict passed',
      '1 receipt ROUTED 1',
    ])
    expect(inside.heard()).toEqual(['0 envelope hi'])
    // It is in to send only, and what it enters by stays the yard.
    inside.say(text(3, 'ho'))
    expect(await hears(guest)).toEqual([])
    expect(guest.session.memberships.size).toBe(2)
  })

  test('asks once, however many wait, and they keep their order', async () => {
    const inside = await listener(BOILER, 'red')
    const guest = await inTheYard()
    for (let i = 1; i <= 20; i++) guest.say(text(i, `${i}`, { to: [BOILER] }))
    expect(await hears(guest)).toEqual(['0 challenge red'])
    guest.say(say(30, 'red', 'red'))
    guest.say(text(21, '21', { to: [BOILER] }))
    await hall.settle()
    const said = inside.heard()
    expect(said).toEqual(Array.from({ length: 21 }, (_, i) => `0 envelope ${i + 1}`))
  })

  test('is rejected by receipt when the deadline passes, and the socket stays', async () => {
    const guest = await inTheYard()
    guest.say(text(1, 'hi', { to: [BOILER, YARD] }), join(2, BOILER), text(3, 'ho', { to: [YARD] }))
    await hears(guest)
    hall.pass(10_500)
    expect(await hears(guest)).toEqual([
      '0 verdict dropped LOCK_DEADLINE',
      '1 receipt VOID 0',
      '3 receipt VOID 0',
      '2 drop LOCK_DEADLINE',
    ])
    expect(guest.ended).toBeUndefined()
    expect(guest.session).toMatchObject({ parked: [], waiting: [] })
  })

  test('is rejected when the tries are used up', async () => {
    const guest = await inTheYard()
    guest.say(text(1, 'hi', { to: [BOILER] }))
    const heard = await answersWrong(guest)
    expect(heard.slice(-2)).toEqual([
      '4 verdict dropped UNAUTHENTICATED',
      '1 receipt REJECTED TRIES_EXHAUSTED',
    ])
  })

  test('stays when the Join that came for the same room is given up, and waits on', async () => {
    const guest = await inTheYard()
    guest.say(join(1, BOILER), text(2, 'hi', { to: [BOILER] }), leave(3, BOILER))
    expect(await hears(guest)).toEqual(['1 challenge red', '3 left room:acme/boiler'])
    expect(await hears(guest.say(say(4, 'red', 'red')))).toEqual([
      '4 verdict passed',
      '2 receipt VOID 0',
    ])
  })

  test('is gone with its socket', async () => {
    const inside = await listener(BOILER, 'red')
    const guest = await inTheYard()
    const { promise, resolve } = Promise.withResolvers<void>()
    red.gate = promise
    guest.say(text(1, 'hi', { to: [BOILER] }), say(2, 'red', 'red'))
    await hall.settle()
    guest.vanish()
    resolve()
    expect(await hears(inside)).toEqual([])
    expect(hall.sessions.count).toBe(1)
  })

  test('says of each destination what became of it', async () => {
    const guest = await inTheYard()
    guest.say(text(1, 'hi', { to: [BOILER, ATTIC, YARD, 'room:acme/none', 'room:x'] }))
    expect((await hears(guest)).toSorted()).toEqual([
      '0 challenge green',
      '0 challenge red',
      '0 challenge token',
    ])
    const { locks } = guest.session.stack
    expect(locks.map(({ place }) => place).toSorted()).toEqual([ATTIC, BOILER, 'room:acme/none'])
    guest.say(say(3, 'green', 'green'))
    await hall.settle()
    guest.take()
    hall.pass(10_500)
    await hall.settle()
    const receipt = guest.take().find(({ id }) => id === 1)
    expect(receipt?.body.value).toMatchObject({
      rejections: [
        { address: BOILER, code: Code.LOCK_DEADLINE },
        { address: 'room:acme/none', code: Code.LOCK_DEADLINE },
        { address: 'room:x', code: Code.ADDRESS_INVALID },
      ],
    })
  })
})

describe('in limbo', () => {
  test('an envelope without a destination waits to enter where the URL leads', async () => {
    const guest = hall.open('/acme/boiler').say(text(1, 'hi'))
    expect(await hears(guest)).toEqual(['0 challenge red'])
    expect(await hears(guest.say(say(2, 'red', 'red')))).toEqual([
      '2 verdict passed',
      '0 joined room:acme/boiler',
      '1 receipt VOID 0',
    ])
  })

  test('one with a destination leads to its lock, and fails with it', async () => {
    const guest = hall.open().say(text(1, 'hi', { to: [BOILER] }))
    expect(await hears(guest)).toEqual(['0 challenge red'])
    const heard = await answersWrong(guest)
    expect(heard.slice(-3)).toEqual([
      '4 verdict dropped UNAUTHENTICATED',
      '1 receipt REJECTED TRIES_EXHAUSTED',
      '0 drop TRIES_EXHAUSTED',
    ])
    expect(guest.ended).toBe(Code.TRIES_EXHAUSTED)
  })

  test('it moves no deadline', async () => {
    const guest = hall.open('/acme/boiler')
    for (let i = 0; i < 10; i++) {
      guest.say(text(0, 'hi', { to: [BOILER, ATTIC] }))
      await hall.settle()
      hall.pass(1_000)
    }
    await hall.settle()
    expect(guest.ended).toBe(Code.LOCK_DEADLINE)
  })

  test('what is for nobody that a stranger may reach is refused', async () => {
    const guest = hall.open('/acme/boiler')
    await hears(guest)
    const own = `lock:${guest.session.stack.locks[0]?.id}`
    guest.say(
      text(1, 'x', { to: [own] }),
      text(2, 'x', { to: ['lock:aaaaaaaaaaaaaaaa'] }),
      text(3, 'x', { to: [own, 'client:acme/ann'] }),
      text(4, 'x', { to: [guest.session.address] }),
      text(5, 'x', { to: ['lobby:acme'] }),
    )
    expect(await hears(guest)).toEqual([
      '1 receipt VOID 0',
      ...[2, 3, 4, 5].map((id) => `${id} receipt REJECTED UNAUTHENTICATED`),
    ])
  })
})

describe('too many', () => {
  test('envelopes of one socket are refused, and those that wait go on', async () => {
    const guest = await inTheYard()
    for (let i = 1; i <= 66; i++) guest.say(text(i, 'x', { to: [BOILER] }))
    expect(await hears(guest)).toEqual([
      '0 challenge red',
      '65 receipt REJECTED QUEUE_FULL',
      '66 receipt REJECTED QUEUE_FULL',
    ])
    guest.say(say(70, 'red', 'red'))
    expect(await hears(guest)).toHaveLength(65)
    expect(guest.session.parked).toEqual([])
  })

  test('bytes of one socket are refused', async () => {
    hall = newHall({ pendingBytes: 4096 })
    const guest = await inTheYard()
    guest.say(text(1, 'x'.repeat(3000), { to: [BOILER] }))
    guest.say(text(2, 'x'.repeat(3000), { to: [BOILER] }), text(3, 'small', { to: [BOILER] }))
    expect(await hears(guest)).toEqual(['0 challenge red', '2 receipt REJECTED QUEUE_FULL'])
    expect(await hears(guest.say(say(4, 'red', 'red')))).toEqual([
      '4 verdict passed',
      '1 receipt VOID 0',
      '3 receipt VOID 0',
    ])
    guest.say(leave(5, BOILER), text(6, 'x'.repeat(3000), { to: [ATTIC] }))
    expect(await hears(guest)).toEqual(['5 left room:acme/boiler', '0 challenge green'])
  })

  test('destinations in few envelopes are as many', async () => {
    const guest = await inTheYard()
    const to = Array.from({ length: 40 }, (_, i) => `${BOILER}/${i}`)
    guest.say(text(1, 'x', { to }), text(2, 'x', { to }))
    expect(await hears(guest)).toEqual(['0 challenge red', '2 receipt REJECTED QUEUE_FULL'])
  })
})

describe('order', () => {
  test('in an open room is kept behind an envelope that waits for another one too', async () => {
    const inside = await listener(YARD)
    const guest = await inTheYard()
    guest.say(text(1, 'first', { to: [BOILER, YARD] }))
    guest.say(text(2, 'second', { to: [YARD] }), text(3, 'third'))
    expect(await hears(guest)).toEqual(['0 challenge red'])
    expect(await hears(guest.say(say(4, 'red', 'red')))).toEqual([
      '4 verdict passed',
      '1 receipt ROUTED 1',
      '2 receipt ROUTED 1',
      '3 receipt ROUTED 1',
    ])
    expect(inside.heard()).toEqual(['first', 'second', 'third'].map((each) => `0 envelope ${each}`))
  })

  test('is each room its own, whatever waits, under whatever name (PH-6.14)', async () => {
    type Step = { to: number[] } | { unlock: string } | { late: true }
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          to: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 3 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ unlock: fc.constantFrom('red', 'green') }) },
      { weight: 1, arbitrary: fc.constant({ late: true } as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (played) => {
        hall = newHall()
        const { id } = hall.store.room('acme/cellar', guardedBy('red'))
        const cellar = 'room:acme/cellar'
        const names = [BOILER, ATTIC, YARD, cellar, `room:acme/${id}`]
        const ears = [
          await listener(BOILER, 'red'),
          await listener(ATTIC, 'green'),
          await listener(YARD),
          await listener(cellar, 'red'),
        ]
        const guest = await inTheYard()
        const sent = new Set<number>()
        for (const [i, each] of played.entries()) {
          if ('to' in each)
            guest.say(text(i + 1, `${i + 1}`, { to: each.to.map((n) => names[n]!) }))
          if ('to' in each) sent.add(i + 1)
          if ('unlock' in each) guest.say(say(100 + i, each.unlock, each.unlock))
          if ('late' in each) hall.pass(10_500)
          await hall.settle()
        }
        if (guest.ended === undefined) hall.pass(10_500)
        await hall.settle()
        for (const ear of ears) {
          const heard = ear.heard().map((line) => Number(line.split(' ').at(-1)))
          expect(heard).toEqual(heard.toSorted((a, b) => a - b))
        }
        if (guest.ended !== undefined) return
        const receipts = guest.heard().filter((line) => line.includes('receipt'))
        const told = receipts.map((line) => Number(line.split(' ')[0]))
        expect(told.toSorted((a, b) => a - b)).toEqual([...sent])
        expect(guest.session).toMatchObject({ parked: [], waiting: [] })
      }),
      { numRuns: 60 },
    )
  })
})
