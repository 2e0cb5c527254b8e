/**
 * The path that is noted of a message says what its receipt says, and what was foretold of it comes
 * true (R49): over any envelopes, rooms, rights and programs.
 */
import { Step, Verdict } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import type { Routing } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { straight } from '../../gateway/router/deliver.ts'
import { refused } from '../../gateway/router/destination.ts'
import type { WaitingMessage } from '../../gateway/router/intake.ts'
import type { Outcome } from '../../gateway/router/outcome.ts'
import type { Place } from '../../gateway/router/place.ts'
import type { PlaceConfig } from '../../gateway/router/place-config.ts'
import { type Leg, NOTHING_AHEAD } from '../../gateway/router/trail.ts'
import { stepsOf } from '../../gateway/why/steps.ts'
import type { MemorySocket } from '../support/memory-socket.ts'
import { Switchboard } from '../support/switchboard.ts'

const ROOMS = ['acme/one', 'acme/two', 'other/three']
const DESTINATIONS = [
  ...ROOMS.flatMap((room) => [`room:${room}`, `room:${room}/a`, `room:${room}/b/c`]),
  'room:acme/none',
  'group:acme/one/crew',
  'group:acme/one/none',
  'client:acme/ann',
  'client:acme/bob',
  'client:other/cat',
  'lock:aaaaaaaaaaaaaaaa',
  'oops',
]

const config: fc.Arbitrary<Partial<PlaceConfig>> = fc.record({
  echo: fc.boolean(),
  channels: fc.constantFrom([], [], ['a'], ['b/**']),
  channelsOnly: fc.constantFrom(false, false, true),
  limits: fc.record({
    sockets: fc.constant(undefined),
    payloadBytes: fc.constantFrom(undefined, undefined, 3),
    socketRate: fc.constantFrom(undefined, { perSecond: 1, burst: 2 }),
    roomRate: fc.constantFrom(undefined, { perSecond: 1, burst: 3 }),
  }),
  structure: fc.constantFrom(undefined, undefined, {
    admit() {
      throw new Refusal(Code.CONTENT_INVALID, 'no such thing')
    },
    textOf: () => undefined,
  }),
  defaultTarget: fc.constantFrom(
    undefined,
    { kind: 'channel', channel: 'a' } as const,
    {
      kind: 'group',
      group: 'crew',
    } as const,
  ),
})

/** What stands before a room's positions, if anything does. */
const intake = fc.constantFrom('none', 'none', 'passes', 'refuses', 'waits', 'stores', 'doubts')

const message = fc.record({
  who: fc.nat(3),
  to: fc.array(fc.constantFrom(...DESTINATIONS), { maxLength: 4 }),
  text: fc.constantFrom('hi', 'longer'),
  key: fc.constantFrom('', '', 'k'),
  receipt: fc.constantFrom(
    ReceiptLevel.UNSPECIFIED,
    ReceiptLevel.ACCEPTED,
    ReceiptLevel.ROUTED,
    3,
    9,
  ),
})

class World {
  readonly board = new Switchboard({ windowMs: 1_000, keys: 10 })
  readonly places: Place[]
  readonly sockets: MemorySocket[]
  readonly waiting: WaitingMessage[] = []

  constructor(configs: Partial<PlaceConfig>[], intakes: string[], rights: boolean[]) {
    const groups = [{ name: 'crew', open: true, delivery: 'one' as const }]
    this.places = ROOMS.map((name, i) =>
      this.board.place(name, { ...configs[i], groups: i === 0 ? groups : [] }),
    )
    for (const [i, place] of this.places.entries()) this.#guard(place, intakes[i]!)
    const clients = ['client:acme/ann', 'client:acme/bob', 'client:other/cat', undefined]
    this.sockets = clients.map((client) =>
      this.board.socket(client ? { client, accounts: [client.slice(7, client.indexOf('/'))] } : {}),
    )
    this.sockets.forEach((socket, i) => {
      this.places.forEach((place, j) => {
        const right = rights[(i * 3 + j) % rights.length]
        if ((i + j) % 3 === 2 && !right) return
        const member = socket.enter(place, { maySend: right ?? true })
        if ((i + j) % 2 === 0) place.listen(member, j === 0 ? '' : 'a')
        if (j === 0) place.groups.get('crew')?.join(member)
        socket.target ??= { kind: 'room', membership: member, channel: '' }
      })
    })
  }

  #guard(place: Place, kind: string): void {
    if (kind === 'none') return
    place.intake = {
      take: (waiting) => {
        if (kind === 'passes') return straight.take(waiting)
        waiting.leg?.waits(kind === 'stores' ? Step.STORE : Step.PROGRAM)
        if (kind === 'refuses')
          return waiting.waiter.settle(refused('', Code.PROGRAM_REFUSED, 'no'))
        if (kind === 'doubts') waiting.waiter.doubt(new Refusal(Code.UNCERTAIN, 'nobody knows'))
        this.waiting.push(waiting)
      },
    }
  }

  letGo(): void {
    for (const waiting of this.waiting.splice(0)) {
      waiting.leg?.goesOn()
      straight.take(waiting)
    }
  }
}

/** What a receipt says of each leg. */
function expectAgreement(outcome: Outcome): void {
  const legs = outcome.trail!.legs
  const ended = legs.filter(({ verdict }) => verdict !== Verdict.REPEATED)
  const having = (...verdicts: Verdict[]) => ended.filter((leg) => verdicts.includes(leg.verdict))
  const sent = having(Verdict.ROUTED, Verdict.KEPT, Verdict.VOID)
  const again = having(Verdict.DUPLICATE)
  const waiting = having(Verdict.WAITING)
  // Of those that told later, a receipt has the refusals in the order in which they did.
  const told = outcome.refusals.map(({ name, code, detail }) => `${name} ${code} ${detail}`)
  const noted = having(Verdict.REFUSED).map(({ name, code, detail }) => `${name} ${code} ${detail}`)
  expect(noted.sort()).toEqual(told.sort())
  expect(waiting.length > 0).toBe(!outcome.settled)
  expect(ended.length - waiting.length).toBe(outcome.destinations)
  expect([...sent, ...again].reduce((sum, { sockets }) => sum + sockets, 0)).toBe(outcome.sockets)
  if (outcome.settled) expect(statusOf(outcome, sent, again)).toBe(outcome.status)
  const [only] = [...sent, ...again]
  const position = sent.length + again.length === 1 ? only?.sequence : 0
  expect(outcome.sequence).toBe(position)
}

/** As somebody would who had only been told of the path. */
function statusOf({ level, refusals }: Outcome, sent: Leg[], again: Leg[]): ReceiptStatus {
  if (sent.length === 0 && again.length > 0) return ReceiptStatus.DUPLICATE
  if (sent.length === 0 && refusals.length > 0) return ReceiptStatus.REJECTED
  if (level === ReceiptLevel.ACCEPTED) return ReceiptStatus.ACCEPTED
  if (level === ReceiptLevel.STORED) return ReceiptStatus.STORED
  const any = [...sent, ...again]
  if (any.some(({ sockets }) => sockets > 0)) return ReceiptStatus.ROUTED
  if (any.some(({ stored }) => stored)) return ReceiptStatus.STORED
  return any.some(({ verdict }) => verdict === Verdict.KEPT)
    ? ReceiptStatus.ACCEPTED
    : ReceiptStatus.VOID
}

/** What was foretold, but for what nobody can know before: what others say, and positions. */
function foretold({ name, verdict, code, step, sockets }: Leg) {
  return { name, verdict, code, step, sockets }
}

const world = fc
  .record({
    configs: fc.array(config, { minLength: 3, maxLength: 3 }),
    intakes: fc.array(intake, { minLength: 3, maxLength: 3 }),
    rights: fc.array(fc.boolean(), { minLength: 3, maxLength: 8 }),
  })
  .map(
    ({ configs, intakes, rights }) =>
      () =>
        new World(configs, intakes, rights),
  )

describe('over any messages', () => {
  test('the path and the receipt agree, at once and in the end', () => {
    fc.assert(
      fc.property(world, fc.array(message, { maxLength: 12 }), (make, messages) => {
        const it = make()
        const outcomes = messages.map(({ who, to, text, key: idempotencyKey, receipt }) => {
          const routing = { to, idempotencyKey, receipt } as Routing
          const content = { case: 'text' as const, value: text }
          const outcome = it.board.publish(it.sockets[who]!, { routing, content })
          expectAgreement(outcome)
          expect(it.board.why(outcome)).toEqual(stepsOf(outcome.trail!, () => 'all'))
          return outcome
        })
        it.board.now += 3
        it.letGo()
        it.board.endTurn()
        for (const outcome of outcomes) {
          expectAgreement(outcome)
          expect(it.board.why(outcome)).toEqual(stepsOf(outcome.trail!, () => 'all'))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('what was foretold of one comes true, and foretelling does nothing', () => {
    fc.assert(
      fc.property(world, fc.array(message, { maxLength: 8 }), (make, messages) => {
        const it = make()
        for (const { who, to, text, key: idempotencyKey, receipt } of messages) {
          const origin = it.sockets[who]!
          const routing = { to: [...new Set(to)], idempotencyKey, receipt } as Routing
          const envelope = { routing, content: { case: 'text' as const, value: text } }
          const before = it.places.map(({ sequence }) => sequence)
          const twice = [1, 2].map(() => it.board.rehearse(origin, envelope, NOTHING_AHEAD))
          const [first, second] = twice.map(({ trail }) => trail.legs.map(foretold))
          expect(second).toEqual(first)
          it.board.endTurn()
          expect(it.places.map(({ sequence }) => sequence)).toEqual(before)
          expect(it.sockets.flatMap((socket) => socket.take())).toEqual([])

          const { trail } = it.board.publish(origin, envelope)
          it.board.endTurn()
          for (const socket of it.sockets) socket.take()
          trail!.legs.forEach((leg, i) => {
            // What a program says, and what it waits for, is not known before.
            const isOthers = leg.step === Step.PROGRAM || leg.verdict === Verdict.WAITING
            if (!isOthers && !takesTwice(routing.to)) expect(first?.[i]).toEqual(foretold(leg))
          })
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** Several of one room take of its rate one after the other, and of a group's turns. */
function takesTwice(to: readonly string[]): boolean {
  const rooms = to.map((name) => name.split(/[:/]/).slice(1, 3).join('/'))
  return new Set(rooms).size < rooms.length
}
