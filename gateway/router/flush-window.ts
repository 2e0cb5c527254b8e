/**
 * Batches that wait for more than the turn while the loop is busy (block flush_window): one write a
 * member for the messages of some milliseconds is all that is cheaper than a write a turn. Rooms
 * with windows of one length share them, so whoever is in several of them has one write too.
 */
import type { Flushable } from './turn.ts'

/** What takes batches that have begun, and sees to it that they are flushed. */
export interface Gatherer {
  /** Flushes a batch, later. */
  dirty(batch: Flushable): void
}

/** What windows go by. */
export interface Loop {
  /** Whether the event loop was busy lately. */
  readonly load: { readonly busy: boolean }
  /** Runs a function after so many milliseconds. */
  after(ms: number, run: () => void): void
}

export class FlushWindow implements Gatherer {
  readonly #ms: number
  readonly #turn: Gatherer
  readonly #loop: Loop
  readonly #waiting = new Set<Flushable>()

  constructor(ms: number, turn: Gatherer, loop: Loop) {
    this.#ms = ms
    this.#turn = turn
    this.#loop = loop
  }

  /** At the end of a turn, this one where the loop is not busy. */
  dirty(batch: Flushable): void {
    if (!this.#loop.load.busy) return this.#turn.dirty(batch)
    if (this.#waiting.size === 0) this.#loop.after(this.#ms, () => this.#end())
    this.#waiting.add(batch)
  }

  #end(): void {
    for (const batch of this.#waiting) this.#turn.dirty(batch)
    this.#waiting.clear()
  }
}
