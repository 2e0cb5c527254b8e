/**
 * Live effect (R51) against time: changes while something is under way, many at once, or while the
 * store is away. Rights must never grow by it, and nothing may be missed.
 */
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Acceptor } from '../../gateway/locks/acceptor.ts'
import { tokenProof } from '../../gateway/locks/proof.ts'
import { admit } from '../../gateway/session/entry/membership.ts'
import type { NewGrant, TokenRecord } from '../../gateway/store/store.ts'
import { answer, type FrameInit, join, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

/** Judges a token as it was found, once the test lets it: as one that verifies for long. */
let verified = Promise.withResolvers<void>()
const slow: Acceptor = {
  name: 'slow',
  readOptions: () => undefined,
  nominable: true,
  prompt: false,
  finished: () => false,
  begin: () => ({ outcome: 'challenge', ask: { case: undefined } }),
  async answer() {
    const found = { ...token }
    await verified.promise
    return { outcome: 'passed', proof: tokenProof(found) }
  },
}

let hall: Hall
let secret: string
let token: TokenRecord

const BOILER = 'room:acme/boiler'
const YARD = { kind: 'room', account: 'acme', room: 'yard' } as const

async function start(): Promise<void> {
  verified = Promise.withResolvers()
  hall = new Hall({}, [slow])
  for (const room of ['boiler', 'attic', 'cellar']) hall.store.room(`acme/${room}`)
  hall.store.room('acme/yard', OPEN)
  secret = hall.store.token('acme', ['boiler'])
  token = (await hall.store.tokens.find(idOf(secret)))!
  await hall.live.start()
  await hall.settle()
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] })
  await start()
})
afterEach(async () => {
  await hall.live.stop()
  vi.useRealTimers()
})

function idOf(of: string): string {
  return of.slice(4, 36).replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

async function holder(of: string, ...frames: FrameInit[]): Promise<Guest> {
  const guest = hall.open().say(answer(1, of), ...frames)
  await hears(guest)
  return guest
}

/** Lets what could not be read be tried again. */
async function retry(): Promise<void> {
  vi.advanceTimersByTime(1_000)
  await hall.settle()
}

describe('a change while', () => {
  const proving = (): Guest => {
    const value = { acceptor: 'slow', response: { case: 'text' as const, value: '' } }
    const step = { case: 'answer' as const, value }
    return hall.open().say({ id: 1, body: { case: 'lockStep', value: { step } } })
  }

  test('a proof is judged by what was read before: deleted', async () => {
    const guest = proving()
    await hall.settle()
    hall.store.deleteToken(secret)
    await hall.settle()
    verified.resolve()
    expect(await hears(guest)).toEqual(['1 verdict passed', '0 drop REVOKED'])
    expect(hall.core.shares.numberOf(token.id, guest.session)).toBe(0)
  })

  test('a proof is judged by what was read before: fewer rights', async () => {
    const guest = proving().say(join(2, 'room:acme/yard'))
    await hall.settle()
    hall.store.changeToken(secret, [{ room: 'boiler', receive: true }])
    await hall.settle()
    guest.take()
    verified.resolve()
    guest.say(join(3, BOILER))
    await hall.settle()
    guest.take()
    guest.say(text(4, 'hi', { to: [BOILER] }))
    expect(await hears(guest)).toEqual(['4 receipt REJECTED SEND_NOT_PERMITTED'])
  })

  test('a socket in limbo waits at a lock: its answer proves nothing', async () => {
    const guest = hall.open('/acme/boiler')
    expect(await hears(guest)).toEqual(['0 challenge token'])
    const answering = hall.store.hold()
    guest.say(answer(1, secret), text(2, 'hi'))
    hall.store.deleteToken(secret)
    answering()
    expect(await hears(guest)).toContain('1 verdict failed UNAUTHENTICATED')
    expect(guest.session.unlocked).toBe(false)
  })

  test('a socket with a proof waits at another lock: it goes, with what it waits for', async () => {
    hall.store.configure('acme/attic', { case: 'access', value: { locks: ['slow'] } as never })
    const guest = await holder(secret, join(2, 'room:acme/attic'))
    guest.say(text(3, 'parked', { to: ['room:acme/attic'] }))
    hall.store.deleteToken(secret)
    expect(await hears(guest)).toEqual(['0 drop REVOKED'])
    expect(hall.sessions.count).toBe(0)
    expect(guest.session.stack.locks.every(({ id }) => !hall.graph.waitingAt(id))).toBe(true)
  })

  test('it joins: the room is entered with the rights of after', async () => {
    const guest = await holder(secret)
    const answering = hall.store.hold()
    guest.say(join(2, BOILER))
    hall.store.changeToken(secret, [{ room: 'boiler', send: true }])
    answering()
    await hall.settle()
    await hall.settle()
    guest.take()
    const other = await holder(hall.store.token('acme', ['boiler']))
    other.say(text(2, 'secret', { to: [BOILER] }))
    expect(await hears(guest)).toEqual([])
    expect(await hears(other)).toEqual(['2 receipt VOID 0'])
  })

  test('it proves more: both count', async () => {
    const guest = await holder(secret, join(2, BOILER))
    const { promise, resolve } = Promise.withResolvers<void>()
    const { find } = hall.store.tokens
    vi.spyOn(hall.store.tokens, 'find').mockImplementationOnce(async (id) => {
      const found = await find(id)
      await promise
      return found
    })
    hall.store.changeToken(secret, [])
    await hall.settle()
    guest.say(answer(3, hall.store.token('acme', ['attic'])))
    await hears(guest)
    resolve()
    expect(await hears(guest)).toEqual([`0 left ${BOILER}`])
    guest.say(join(4, 'room:acme/attic'))
    expect(await hears(guest)).toEqual(['4 joined room:acme/attic'])
    expect(guest.session.proofs).toHaveLength(2)
  })

  /** The yard is read by the next who asks, but arrives only when the test says so. */
  const loading = async () => {
    const old = await hall.store.rooms.find('acme', 'yard')
    const { promise, resolve } = Promise.withResolvers<void>()
    vi.spyOn(hall.store.rooms, 'find').mockImplementationOnce(async () => {
      await promise
      return old
    })
    return resolve
  }

  test('the room is loaded that gets a lock meanwhile: nobody stays in it', async () => {
    const loaded = await loading()
    const guest = hall.open('/acme/yard')
    await hall.settle()
    hall.store.configure('acme/yard', { case: 'access', value: { locks: ['token'] } as never })
    await hall.settle()
    loaded()
    expect((await hears(guest)).at(-1)).toBe('0 left room:acme/yard')
    expect(guest.session.memberships.size).toBe(0)
  })

  test('the room is loaded that is deleted meanwhile: nobody stays in it', async () => {
    const loaded = await loading()
    const guests = [hall.open('/acme/yard'), hall.open('/acme/yard')]
    await hall.settle()
    hall.store.deleteRoom('acme/yard')
    await hall.settle()
    loaded()
    for (const guest of guests) {
      expect((await hears(guest)).at(-1)).toBe('0 left room:acme/yard')
    }
    expect(hall.graph.place('acme/yard')).toBeUndefined()
    hall.endTurn()
    expect([...hall.rooms.loaded]).toEqual([])
  })
})

describe('a room', () => {
  test('that gets a lock loses those who have not resolved it, and no connection', async () => {
    const [visitor, known] = [hall.open('/acme/yard'), hall.open('/acme/yard')]
    await hall.settle()
    known.say(answer(1, hall.store.token('acme', ['yard'])))
    await hears(known)
    visitor.take()
    hall.store.configure('acme/yard', { case: 'access', value: { locks: ['token'] } as never })
    expect(await hears(visitor)).toEqual(['0 changed', '0 left room:acme/yard'])
    expect(await hears(known)).toEqual(['0 changed'])
    known.say(text(2, 'hi'))
    visitor.say(text(3, 'hi'))
    expect(await hears(known)).toEqual(['2 receipt VOID 0'])
    expect(await hears(visitor)).toEqual(['3 receipt VOID 0'])
    visitor.say(join(4, 'room:acme/yard'))
    expect(await hears(visitor)).toEqual(['4 challenge token'])
  })

  test('that gets a lock, and rights for visitors, gives them to none outside of it', async () => {
    const guest = hall.open('/acme/yard')
    await hears(guest)
    const visitors = { send: true, receive: true, admit: false }
    const value = { locks: ['slow'], visitors } as never
    hall.store.configure('acme/yard', { case: 'access', value })
    expect(await hears(guest)).toEqual(['0 changed', '0 left room:acme/yard'])
  })

  test('that changes otherwise loses nobody (R19)', async () => {
    const guest = hall.open('/acme/yard')
    await hears(guest)
    hall.store.configure('acme/yard', OPEN, { case: 'echo', value: { enabled: true } as never })
    expect(await hears(guest)).toEqual(['0 changed'])
    guest.say(text(1, 'hi'))
    expect(await hears(guest)).toEqual(['1 receipt ROUTED 1', '0 envelope hi'])
  })

  test('that is opened may be used by those who wait at its lock', async () => {
    const guest = hall.open().say(join(1, BOILER))
    expect(await hears(guest)).toEqual(['1 challenge token'])
    hall.store.configure('acme/boiler', OPEN)
    guest.say(join(2, BOILER))
    expect(await hears(guest)).toContain(`2 joined ${BOILER}`)
  })

  test('that is deleted is left by all, and is not one that comes after it', async () => {
    const guests = [await holder(secret, join(2, BOILER)), await holder(secret, join(2, BOILER))]
    hall.store.deleteRoom('acme/boiler')
    hall.store.room('acme/boiler')
    for (const guest of guests) {
      const last = (await hears(guest)).at(-1)
      expect(last).toBe(`0 left ${BOILER}`)
      guest.say(text(3, 'hi', { to: [BOILER] }))
      expect(await hears(guest)).toEqual(['3 receipt REJECTED ENTRY_NOT_PERMITTED'])
    }
    const other = await holder(hall.store.token('acme', ['boiler']))
    other.say(join(2, BOILER))
    expect(await hears(other)).toEqual([`2 joined ${BOILER}`])
    expect(other.session.memberships.size).toBe(1)
  })

  test('that is deleted is entered by nobody, even before the turn is over', async () => {
    const guest = hall.open('/acme/yard')
    const late = hall.open()
    await hall.settle()
    const yard = hall.rooms.at(hall.graph.place('acme/yard')!)
    hall.store.deleteRoom('acme/yard')
    while (guest.session.memberships.size > 0) await Promise.resolve()
    late.say(join(1, 'room:acme/yard'))
    expect(yard.members).toBe(0)
    await hears(late)
    expect(late.session.memberships.size).toBe(0)
    // Nor by who had it opened before.
    expect(() => admit(late.session, yard, YARD, { listen: 'yes' })).toThrow('no such room')
  })

  test('whose config cannot be read keeps its locks, and keeps nobody else waiting', async () => {
    const guest = await holder(secret, join(2, BOILER))
    hall.store.configure('acme/boiler', { case: 'access', value: { locks: ['unknown'] } as never })
    await hall.settle()
    const other = hall.store.token('acme', ['attic'])
    const its = await holder(other)
    hall.store.deleteToken(other)
    expect(await hears(its)).toEqual(['0 drop REVOKED'])
    const stranger = hall.open().say(join(1, BOILER))
    expect(await hears(stranger)).toEqual(['1 challenge token'])
    hall.store.configure('acme/boiler', { case: 'access', value: { locks: ['slow'] } as never })
    expect(await hears(guest)).toEqual(['0 changed', `0 left ${BOILER}`])
  })
})

describe('many changes', () => {
  test('at once are felt by all that they are for', async () => {
    const secrets = Array.from({ length: 1_000 }, () => hall.store.token('acme', ['boiler']))
    const guests = await Promise.all(secrets.map((each) => holder(each, join(2, BOILER))))
    for (const each of secrets) hall.store.deleteToken(each)
    await hall.settle()
    expect(guests.every(({ ended }) => ended === Code.REVOKED)).toBe(true)
    expect(hall.sessions.count).toBe(0)
    expect([...hall.core.holders.keys]).toEqual([])
  })

  test('of one thing are read once for all who hold it', async () => {
    const guests = await Promise.all(Array.from({ length: 500 }, () => holder(secret)))
    const find = vi.spyOn(hall.store.tokens, 'find')
    for (let i = 0; i < 100; i++) hall.store.tell({ kind: 'token', id: token.id })
    await hall.settle()
    expect(find.mock.calls.length).toBeLessThan(5)
    expect(guests.every(({ ended }) => ended === undefined)).toBe(true)
  })

  test('that concern nobody here are not even read', async () => {
    const find = vi.spyOn(hall.store.tokens, 'find')
    for (let i = 0; i < 100; i++) hall.store.deleteToken(hall.store.token('acme', ['boiler']))
    await hall.settle()
    expect(find).not.toHaveBeenCalled()
  })
})

describe('while the store is away', () => {
  test('nobody gains a right, nobody is dropped, and all is made good', async () => {
    const other = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER))
    const gone = await holder(other, join(2, BOILER))
    guest.take()
    hall.store.away = true
    hall.store.changeToken(secret, ['attic'])
    hall.store.deleteToken(other)
    hall.store.tell()
    for (let i = 0; i < 5; i++) await retry()
    expect(guest.take()).toEqual([])
    expect(guest.session.memberships.size).toBe(1)
    expect(gone.ended).toBeUndefined()
    hall.store.away = false
    await retry()
    expect((await hears(guest)).sort()).toEqual(['0 joined room:acme/attic', `0 left ${BOILER}`])
    expect(gone.ended).toBe(Code.REVOKED)
  })

  test('a room that was added is entered when it can be loaded', async () => {
    const guest = await holder(secret)
    const { find } = hall.store.rooms
    const away = vi.spyOn(hall.store.rooms, 'find')
    away.mockImplementation(() => {
      hall.store.away = true
      return find('acme', 'attic').finally(() => {
        hall.store.away = false
      })
    })
    hall.store.changeToken(secret, ['boiler', 'attic'])
    await retry()
    expect(await hears(guest)).toEqual([])
    away.mockRestore()
    await retry()
    expect(await hears(guest)).toEqual(['0 joined room:acme/attic'])
  })

  test('a gateway that is ended reads no more', async () => {
    await holder(secret)
    hall.store.away = true
    hall.store.changeToken(secret, [])
    await hall.settle()
    await hall.live.stop()
    const find = vi.spyOn(hall.store.tokens, 'find')
    await retry()
    expect(find).not.toHaveBeenCalled()
  })
})

/** One way to change what a token may do, and what its socket does meanwhile. */
type Step =
  | { readonly do: 'grant'; readonly grants: readonly Required<Omit<NewGrant, 'admit'>>[] }
  | { readonly do: 'join'; readonly room: string; readonly sendOnly: boolean }
  | { readonly do: 'settle' | 'missed' | 'away' | 'back' }

const rooms = ['boiler', 'attic', 'cellar'] as const
const room = fc.constantFrom(...rooms)
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('grant' as const),
      grants: fc.uniqueArray(
        fc.record({
          room,
          send: fc.boolean(),
          receive: fc.boolean(),
          channels: fc.constantFrom<string[]>([], ['a'], ['a', 'b/**']),
        }),
        { selector: (grant) => grant.room },
      ),
    }),
    fc.record({ do: fc.constant('join' as const), room, sendOnly: fc.boolean() }),
    fc.record({ do: fc.constantFrom('settle', 'missed', 'away', 'back') }),
  ),
  { maxLength: 12 },
) as fc.Arbitrary<Step[]>

test('whatever changes, and whenever, a socket may do what its token may', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      await start()
      const guest = await holder(secret)
      for (const step of all) {
        if (step.do === 'grant') hall.store.changeToken(secret, step.grants)
        if (step.do === 'join') guest.say(join(2, `room:acme/${step.room}`, step.sendOnly))
        if (step.do === 'settle') await hall.settle()
        if (step.do === 'missed') hall.store.tell()
        if (step.do === 'away' || step.do === 'back') hall.store.away = step.do === 'away'
      }
      await hall.settle()
      hall.store.away = false
      for (let i = 0; i < 3; i++) await retry()
      const { grants } = (await hall.store.tokens.find(token.id))!
      const speaker = await holder(hall.store.token('acme', [...rooms]))
      guest.take()
      for (const name of rooms) {
        const grant = grants.find((each) => each.room === name && (each.send || each.receive))
        const place = hall.graph.place(`acme/${name}`)
        const member = place && guest.session.memberships.get(place.route)
        if (!grant) expect(member).toBeUndefined()
        if (!member) continue
        for (const channel of ['', '/a', '/c']) {
          const to = [`room:acme/${name}${channel}`]
          const within = grant!.channels.length === 0 || channel === '/a'
          guest.say(text(5, 'x', { to }))
          const [receipt] = await hears(guest)
          expect(/REJECTED/.test(receipt!)).toBe(!(grant!.send && within))
          speaker.say(text(5, 'y', { to }))
          const heard = (await hears(guest)).length > 0
          if (heard) expect(grant!.receive && within).toBe(true)
        }
      }
      await hall.live.stop()
    }),
    { numRuns: 60 },
  )
})
