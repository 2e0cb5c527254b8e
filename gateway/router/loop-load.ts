/**
 * Whether the event loop is busy, for those who would wait if it is (docs/decisions/0027). Measured
 * when it is asked for, and then not for a while: it costs nothing where nobody asks.
 */

/** Milliseconds so far; `active` with work, `idle` without. */
export interface LoopTimes {
  readonly active: number
  readonly idle: number
}

/** The least time over which it is measured, in milliseconds. */
const SPAN_MS = 50

/** The share of that time from which on it is busy. */
const BUSY = 0.5

/**
 * How long it is taken for busy before it is measured anew, in milliseconds. What waits spares the
 * loop the work that told of it: so nothing waits while it is measured.
 */
const BUSY_MS = 5_000

export class LoopLoad {
  readonly #measure: () => LoopTimes
  readonly #uptime: () => number
  #times: LoopTimes
  #nextAt: number
  #busy = false

  /** `uptime`: in milliseconds that only rise. */
  constructor(measure: () => LoopTimes, uptime: () => number) {
    this.#measure = measure
    this.#uptime = uptime
    this.#times = measure()
    this.#nextAt = uptime() + SPAN_MS
  }

  get busy(): boolean {
    const now = this.#uptime()
    if (now >= this.#nextAt) this.#look(now)
    return this.#busy
  }

  #look(now: number): void {
    const before = this.#times
    this.#times = this.#measure()
    const active = this.#times.active - before.active
    const idle = this.#times.idle - before.idle
    this.#busy = !this.#busy && active > BUSY * (active + idle)
    this.#nextAt = now + (this.#busy ? BUSY_MS : SPAN_MS)
  }
}
