/**
 * The trails of the last messages (R49), bounded by number, by bytes and by age. Ids rise within a
 * gateway, so those that are kept lie in the order of their ids, and one is found without an index.
 */
import type { MessageId } from '../protocol/uuid7.ts'
import type { Leg, Trail, Trails } from '../router/trail.ts'
import { ROW_BYTES, Rows } from './rows.ts'

export interface RingBounds {
  readonly messages: number
  readonly bytes: number
  readonly ageMs: number
}

/** What a trail, a leg of it and a loss take beside their row and their texts, in bytes, about. */
const TRAIL_BYTES = 300
const LEG_BYTES = 250
const LOSS_BYTES = 100

/** How often what is too old is looked for, as a part of `ageMs`. */
const SWEEPS = 4
/** Rows at first. */
const ROWS_START = 256

export class Ring {
  readonly #bounds: RingBounds
  readonly #micros: () => number
  /** In the order of their ids: `#size` slots from `#first` on, and round. */
  #rows = new Rows(ROWS_START)
  /** By slot: trails that no row could hold. */
  #trails: (Trail | undefined)[] = []
  #first = 0
  #size = 0
  #bytes = 0
  #sweeper: NodeJS.Timeout | undefined

  constructor(bounds: RingBounds, micros: () => number) {
    this.#bounds = bounds
    this.#micros = micros
  }

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Gives a trail its place; its id is above those of all others. */
  begin(trail: Trail): void {
    if (this.#size === this.#rows.capacity) this.#grow()
    const slot = this.#slot(this.#size++)
    this.#rows.begin(slot, trail.id, trail.beganAt)
    this.#bytes += ROW_BYTES
    trail.slot = slot
    this.#sweeper ??= setInterval(() => this.#forget(this.#micros()), this.#sweepMs).unref()
    this.#forget(trail.beganAt)
  }

  /** Keeps what is known of it: as a row where that can hold it. */
  keep(trail: Trail): void {
    const isRow = trail.slot >= 0 && this.#rows.put(trail.slot, trail)
    if (!isRow) return this.hold(trail)
    if (trail.weight === 0) return
    this.#trails[trail.slot] = undefined
    this.#bytes -= trail.weight
    trail.weight = 0
  }

  /** Keeps it as it is, with what it has grown to. */
  hold(trail: Trail): void {
    const { slot } = trail
    // It is kept no more.
    if (slot < 0) return
    this.#trails[slot] = trail
    const bytes = sizeOf(trail)
    this.#bytes += bytes - trail.weight
    trail.weight = bytes
    this.#forget(trail.beganAt)
  }

  /** Undefined where there was none, or it is kept no more; `trails`: who is told of it. */
  find(id: MessageId, trails: Trails): Trail | undefined {
    this.#forget(this.#micros())
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >>> 1
      const slot = this.#slot(middle)
      const order = this.#rows.compare(slot, id)
      if (order === 0) return this.#trails[slot] ?? this.#rows.trail(slot, trails)
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  get #sweepMs(): number {
    return Math.max(1, this.#bounds.ageMs / SWEEPS)
  }

  /** Of the n-th, the oldest being the first. */
  #slot(n: number): number {
    return (this.#first + n) % this.#rows.capacity
  }

  #grow(): void {
    const { capacity } = this.#rows
    const trails = Array.from({ length: capacity }, (_, n) => this.#trails[this.#slot(n)])
    for (const [slot, trail] of trails.entries()) if (trail) trail.slot = slot
    this.#rows = this.#rows.grown(this.#first, 2 * capacity)
    this.#trails = trails
    this.#first = 0
  }

  /** Lets go of what is beyond the bounds. */
  #forget(now: number): void {
    const { messages, bytes, ageMs } = this.#bounds
    const since = now - ageMs * 1000
    while (this.#size > 0) {
      const isOld = this.#rows.beganAt(this.#first) < since
      if (!isOld && this.#size <= messages && this.#bytes <= bytes) return
      this.#drop(this.#first)
      this.#first = this.#slot(1)
      this.#size--
    }
    this.#rows = new Rows(ROWS_START)
    this.#trails = []
    this.#first = 0
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  #drop(slot: number): void {
    const trail = this.#trails[slot]
    this.#bytes -= ROW_BYTES + (trail?.weight ?? 0)
    if (!trail) return
    this.#trails[slot] = undefined
    trail.slot = -1
    trail.weight = 0
  }
}

/** Of one that is kept as it is. */
function sizeOf({ legs, losses, traceparent, tracestate }: Trail): number {
  const ofLegs = legs.reduce((sum, leg) => sum + LEG_BYTES + textOf(leg), 0)
  return TRAIL_BYTES + ofLegs + losses.length * LOSS_BYTES + traceparent.length + tracestate.length
}

function textOf({ name, target, detail, decidedBy, defaultedBy }: Leg): number {
  return name.length + target.length + detail.length + decidedBy.length + defaultedBy.length
}
