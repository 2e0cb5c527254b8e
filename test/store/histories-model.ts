/** The database's histories do what those in memory do, whatever they are asked in what order. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type {
  Histories,
  NewMessage,
  PageRange,
  RetentionBounds,
} from '../../gateway/store/history.ts'
import { MemoryStore } from '../support/memory-store.ts'
import type { Fixture } from './fixture.ts'
import { keyOf, message } from './histories-suite.ts'

type Step =
  | { kind: 'append'; room: number; count: number; claim: 'last' | 'old'; skip: number }
  | { kind: 'again' }
  | { kind: 'claim' | 'purge'; room: number }
  | { kind: 'trim'; room: number; bounds: RetentionBounds }
  | { kind: 'page'; room: number; range: PageRange }
  | { kind: 'keys'; room: number; since: number; limit: number }

const ROOMS = 2
const room = fc.nat(ROOMS - 1)
const position = fc.nat(20)
const channels = ['', 'a', 'a/b', 'b']

/** Some of the bounds, or none. */
const bounds = fc.record(
  { messages: fc.nat(8), bytes: fc.nat(80), ageMs: fc.nat(20) },
  { requiredKeys: [] },
)
const range: fc.Arbitrary<PageRange> = fc.record(
  {
    after: position,
    before: position,
    from: fc.constantFrom('start', 'end'),
    limit: fc.integer({ min: 1, max: 6 }),
    bytes: fc.nat(60),
    filters: fc.subarray(['', 'a', 'a/*', '**'], { minLength: 1 }),
  },
  { requiredKeys: ['from', 'limit', 'bytes', 'filters'] },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      room,
      count: fc.integer({ min: 1, max: 5 }),
      claim: fc.constantFrom('last' as const, 'last' as const, 'last' as const, 'old' as const),
      skip: fc.constantFrom(0, 0, 0, 0, 1, -1),
    }),
  },
  fc.record({ kind: fc.constant('again' as const) }),
  fc.record({ kind: fc.constantFrom('claim' as const, 'purge' as const), room }),
  fc.record({ kind: fc.constant('trim' as const), room, bounds }),
  fc.record({ kind: fc.constant('page' as const), room, range }),
  fc.record({ kind: fc.constant('keys' as const), room, since: position, limit: fc.nat(5) }),
)

const claims: Step[] = Array.from({ length: ROOMS }, (_, at) => ({ kind: 'claim', room: at }))

/** What an append was asked to store. */
interface Tried {
  readonly room: number
  readonly generation: number
  readonly messages: readonly NewMessage[]
}

/** One of the two, with what it has been told so far. */
class Side {
  readonly #histories: Histories
  readonly #rooms: readonly string[]
  readonly #heads: { generation: number; last: number }[] = []
  #last: Tried | undefined

  constructor(histories: Histories, rooms: readonly string[]) {
    this.#histories = histories
    this.#rooms = rooms
  }

  /** What it answers, without the epoch, and with rooms as numbers. */
  async take(one: Step, fresh: readonly NewMessage[]): Promise<unknown> {
    switch (one.kind) {
      case 'append':
        return this.#append(one, fresh)
      case 'again':
        return this.#last && this.#store(this.#last)
      case 'claim':
      case 'purge':
        return this.#begin(one.kind, one.room)
      case 'trim':
        return this.#trim(one.room, one.bounds)
      case 'page':
        return this.#histories.page(this.#rooms[one.room]!, one.range)
      case 'keys':
        return this.#histories.keys(this.#rooms[one.room]!, message(one.since).timeMs, one.limit)
    }
  }

  async #append(one: Step & { kind: 'append' }, fresh: readonly NewMessage[]): Promise<unknown> {
    const head = this.#heads[one.room]
    if (!head) return
    const first = Math.max(1, head.last + 1 + one.skip)
    const messages = fresh.map((each, i) => ({ ...each, ...placed(first + i) }))
    const generation = head.generation - (one.claim === 'old' ? 1 : 0)
    this.#last = { room: one.room, generation, messages }
    const refused = await this.#store(this.#last)
    if (refused === 0) head.last = Math.max(head.last, first + messages.length - 1)
    return refused
  }

  async #store({ room: at, generation, messages }: Tried): Promise<number> {
    const refused = await this.#histories.append([
      { roomId: this.#rooms[at]!, generation, messages },
    ])
    return refused.size
  }

  async #begin(kind: 'claim' | 'purge', at: number): Promise<unknown> {
    if (kind === 'purge' && !this.#heads[at]) return
    const { epoch: _, ...head } = await this.#histories[kind](this.#rooms[at]!)
    this.#heads[at] = { ...head }
    return head
  }

  async #trim(at: number, kept: RetentionBounds): Promise<unknown> {
    if (!this.#heads[at]) return
    const { epoch: _, ...head } = await this.#histories.trim(
      this.#rooms[at]!,
      kept,
      message(20).timeMs,
    )
    return head
  }
}

function placed(sequence: number): Pick<NewMessage, 'sequence' | 'timeMs'> {
  return { sequence, timeMs: message(sequence).timeMs }
}

export function historiesModel(fixture: Fixture): void {
  test('histories do as those in memory', async () => {
    const memory = new MemoryStore()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const stored = fixture.rooms()
        const here = Array.from({ length: ROOMS }, () => memory.room(`acme/${randomUUID()}`).id)
        const there = await Promise.all(here.map(() => stored.newRoom()))
        const model = new Side(memory.histories, here)
        const real = new Side(stored.histories, there)
        let number = 0
        for (const one of [...claims, ...steps]) {
          const fresh = Array.from({ length: one.kind === 'append' ? one.count : 0 }, () =>
            message(0, {
              channel: channels[number % channels.length]!,
              body: Buffer.alloc(number % 20),
              ...(number++ % 3 === 0 && { key: keyOf(`${number}`) }),
            }),
          )
          expect(await real.take(one, fresh)).toEqual(await model.take(one, fresh))
        }
      }),
      { numRuns: 80 },
    )
  })
}
