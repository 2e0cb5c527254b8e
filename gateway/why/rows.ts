/**
 * What is kept of most messages in place of their trails: a row of numbers and of references to
 * texts that live anyway. Ten thousand objects that live for a tenth of a second are what a garbage
 * collector is worst at (decision 20), and a row is none.
 */
import { Step, Verdict } from '@porthouse/proto/admin/v1/trail'
import type { MessageId } from '../protocol/uuid7.ts'
import type { Right } from '../router/membership.ts'
import { Leg, Trail, type Trails } from '../router/trail.ts'

const ID_BYTES = 16
const NUMBERS = 9
/** Which of the numbers is its end. */
const VERDICT = 3
const TEXTS = 10

/** Of a row, in bytes. */
export const ROW_BYTES = ID_BYTES + NUMBERS * 8 + TEXTS * 8

export class Rows {
  readonly capacity: number
  readonly #ids: Buffer
  readonly #numbers: Float64Array
  readonly #texts: unknown[]

  constructor(capacity: number) {
    this.capacity = capacity
    this.#ids = Buffer.alloc(capacity * ID_BYTES)
    this.#numbers = new Float64Array(capacity * NUMBERS)
    this.#texts = new Array(capacity * TEXTS).fill('')
  }

  /** A message begins. */
  begin(slot: number, { bytes, at }: MessageId, beganAt: number): void {
    const start = slot * ID_BYTES
    for (let i = 0; i < ID_BYTES; i++) this.#ids[start + i] = bytes[at + i] as number
    const first = slot * NUMBERS
    this.#numbers[first] = beganAt
    this.#numbers[first + VERDICT] = Verdict.UNSPECIFIED
  }

  beganAt(slot: number): number {
    return this.#numbers[slot * NUMBERS] as number
  }

  /** Below 0: the row's id is before this one; 0: it is it. */
  compare(slot: number, { bytes, at }: MessageId): number {
    const start = slot * ID_BYTES
    return this.#ids.compare(bytes, at, at + ID_BYTES, start, start + ID_BYTES)
  }

  /** Takes what a trail says that fits a row; false where more would be lost than the object. */
  put(slot: number, trail: Trail): boolean {
    const [leg] = trail.legs
    if (!leg || !isPlain(trail, leg)) return false
    let at = slot * NUMBERS + 1
    const numbers = this.#numbers
    numbers[at++] = trail.contentBytes
    numbers[at++] = Number(trail.isAddressed) | (Number(trail.hasKey) << 1)
    numbers[at++] = leg.verdict | (Number(leg.stored) << 8)
    numbers[at++] = leg.sockets
    numbers[at++] = leg.sequence
    numbers[at++] = leg.epoch
    const stop = leg.stops[0]
    numbers[at++] = stop?.since ?? 0
    numbers[at] = stop?.until ?? 0
    let to = slot * TEXTS
    const texts = this.#texts
    texts[to++] = trail.socket
    texts[to++] = trail.accounts
    texts[to++] = leg.name
    texts[to++] = leg.place
    texts[to++] = leg.target
    texts[to++] = leg.defaultedBy
    texts[to++] = leg.right
    texts[to++] = leg.holder
    texts[to++] = leg.detail
    texts[to] = leg.decidedBy
    return true
  }

  /** The trail that the row was made of. */
  trail(slot: number, trails: Trails): Trail {
    const start = slot * ID_BYTES
    const id = { bytes: Buffer.from(this.#ids.subarray(start, start + ID_BYTES)), at: 0 }
    const first = slot * NUMBERS
    const [
      beganAt = 0,
      contentBytes = 0,
      flags = 0,
      end = 0,
      sockets = 0,
      sequence = 0,
      epoch = 0,
      since = 0,
      until = 0,
    ] = this.#numbers.subarray(first, first + NUMBERS)
    const [socket, accounts, name, place, target, defaultedBy, right, holder, detail, decidedBy] =
      this.#texts.slice(slot * TEXTS, (slot + 1) * TEXTS) as Texts
    const isAddressed = (flags & 1) !== 0
    const hasKey = (flags & 2) !== 0
    const sent = { id, socket, accounts, contentBytes, isAddressed, hasKey, beganAt }
    const trail = new Trail(sent, trails)
    trail.slot = slot
    if (end === Verdict.UNSPECIFIED) return trail
    const way = { kind: 'room', name, place, target, defaultedBy, right, holder } as const
    const leg = new Leg(trail, { ...way, enteredMs: -1, step: Step.SEND })
    const verdict = end & 0xff
    Object.assign(leg, { verdict, stored: end > 0xff, sockets, sequence, epoch, detail, decidedBy })
    trail.add(leg)
    if (until === 0) return trail
    leg.stops = [{ step: Step.STORE, since, until }]
    leg.at = until
    trail.endedAt = until
    return trail
  }

  /** The same rows, in order from `first` on and round, with more room behind them. */
  grown(first: number, capacity: number): Rows {
    const rows = new Rows(capacity)
    for (let n = 0; n < this.capacity; n++) rows.#copy(n, this, (first + n) % this.capacity)
    return rows
  }

  #copy(slot: number, from: Rows, other: number): void {
    from.#ids.copy(this.#ids, slot * ID_BYTES, other * ID_BYTES, (other + 1) * ID_BYTES)
    for (let n = 0; n < NUMBERS; n++) {
      this.#numbers[slot * NUMBERS + n] = from.#numbers[other * NUMBERS + n] as number
    }
    for (let n = 0; n < TEXTS; n++) this.#texts[slot * TEXTS + n] = from.#texts[other * TEXTS + n]
  }
}

type Texts = [
  socket: string,
  accounts: ReadonlySet<string>,
  name: string,
  place: string,
  target: string,
  defaultedBy: string,
  right: Right | undefined,
  holder: string,
  detail: string,
  decidedBy: string,
]

const PLAIN: readonly Verdict[] = [Verdict.ROUTED, Verdict.KEPT, Verdict.VOID]

/** It went to one room, at once or as soon as it was stored. */
function isPlain(trail: Trail, leg: Leg): boolean {
  const { legs, losses, traceparent } = trail
  const waited = leg.enteredMs >= 0 || leg.fittedAt > 0 || !storedAtMost(trail, leg)
  const isOnly = legs.length === 1 && losses.length === 0 && traceparent === ''
  return isOnly && !waited && leg.kind === 'room' && PLAIN.includes(leg.verdict)
}

/** It waited for the store alone, if for anything, and with that it was over. */
function storedAtMost({ endedAt }: Trail, { stops, at }: Leg): boolean {
  const stop = stops[0]
  if (!stop) return true
  const isLast = stops.length === 1 && stop.until === at && at === endedAt
  return isLast && stop.step === Step.STORE && stop.until > 0
}
