/**
 * The trails of the last messages (R49), bounded by number, by bytes and by age. Ids rise within a
 * gateway, so those that are kept lie in the order of their ids, and one is found without an index.
 */
import type { MessageId } from '../protocol/uuid7.ts'
import type { Leg, Trail } from '../router/trail.ts'

export interface RingBounds {
  readonly messages: number
  readonly bytes: number
  readonly ageMs: number
}

/** What a trail, a leg of it and a loss take beside their texts, in bytes, about. */
const TRAIL_BYTES = 300
const LEG_BYTES = 250
const LOSS_BYTES = 100

/** How often what is too old is looked for, as a part of `ageMs`. */
const SWEEPS = 4
const ID_BYTES = 16

export class Ring {
  readonly #bounds: RingBounds
  readonly #micros: () => number
  /** In the order of their ids, the oldest at `#start`. */
  readonly #kept: Trail[] = []
  #start = 0
  #bytes = 0
  #sweeper: NodeJS.Timeout | undefined

  constructor(bounds: RingBounds, micros: () => number) {
    this.#bounds = bounds
    this.#micros = micros
  }

  get size(): number {
    return this.#kept.length - this.#start
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes one whose id is above those of all others. */
  push(trail: Trail): void {
    this.#kept.push(trail)
    trail.weight = TRAIL_BYTES
    this.#bytes += TRAIL_BYTES
    this.#sweeper ??= setInterval(() => this.#forget(this.#micros()), this.#sweepMs).unref()
    this.#forget(trail.beganAt)
  }

  /** It has grown to what it is now. */
  weigh(trail: Trail): void {
    // It is kept no more.
    if (trail.weight === 0) return
    const bytes = sizeOf(trail)
    this.#bytes += bytes - trail.weight
    trail.weight = bytes
  }

  /** Undefined where there was none, or it is kept no more. */
  find(id: MessageId): Trail | undefined {
    this.#forget(this.#micros())
    let low = this.#start
    let high = this.#kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const trail = this.#kept[middle] as Trail
      const order = compare(trail.id, id)
      if (order === 0) return trail
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  get #sweepMs(): number {
    return Math.max(1, this.#bounds.ageMs / SWEEPS)
  }

  /** Lets go of what is beyond the bounds. */
  #forget(now: number): void {
    const { messages, bytes, ageMs } = this.#bounds
    const since = now - ageMs * 1000
    for (;;) {
      const oldest = this.#kept[this.#start]
      if (!oldest) break
      const isOld = oldest.beganAt < since
      if (!isOld && this.size <= messages && this.#bytes <= bytes) break
      this.#bytes -= oldest.weight
      oldest.weight = 0
      this.#start++
    }
    if (this.#start * 2 > this.#kept.length) {
      this.#kept.splice(0, this.#start)
      this.#start = 0
    }
    if (this.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }
}

function compare(a: MessageId, b: MessageId): number {
  return a.bytes.compare(b.bytes, b.at, b.at + ID_BYTES, a.at, a.at + ID_BYTES)
}

function sizeOf({ legs, losses, traceparent, tracestate }: Trail): number {
  const ofLegs = legs.reduce((sum, leg) => sum + LEG_BYTES + textOf(leg), 0)
  return TRAIL_BYTES + ofLegs + losses.length * LOSS_BYTES + traceparent.length + tracestate.length
}

function textOf({ name, target, detail, decidedBy, defaultedBy }: Leg): number {
  return name.length + target.length + detail.length + decidedBy.length + defaultedBy.length
}
