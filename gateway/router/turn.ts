/**
 * What is done at the end of the event-loop turn, in stages over all sockets: what was read is
 * handled, each dirty batch is handed to its members, each touched outbox is written. Many small
 * writes become few, and the code of a stage runs while it is at hand: handling each read at once
 * costs a tenth more (rooms of two, see bench). What is for very many sockets is written over
 * several turns, of which the others have their part (R42).
 */

import { FlushWindow, type Gatherer, type Loop } from './flush-window.ts'

export interface Flushable {
  flush(): void
}

/** Outboxes of this turn, and of earlier ones, that one turn writes: some milliseconds. */
const OUTBOXES_MAX = 1_024

/** Nothing waits for more than a turn. */
const IDLE: Loop = { load: { busy: false }, after: () => {} }

export class Turn implements Gatherer {
  readonly #defer: (run: () => void) => void
  readonly #loop: Loop
  /** By their length in milliseconds. */
  readonly #windows = new Map<number, FlushWindow>()
  readonly #inputs = new Stage()
  readonly #batches = new Stage()
  readonly #outboxes = new Stage()
  /** Those that earlier turns had no time for. */
  readonly #late = new Stage()
  readonly #clock: () => number
  #scheduled = false
  /** Outboxes that may yet be written while batches are handed over. */
  #direct = 0
  /** When the end under way began. */
  #now: number | undefined

  /**
   * `defer` runs a function at the end of the turn; setImmediate in a gateway. `clock` counts
   * milliseconds that only rise.
   */
  constructor(defer: (run: () => void) => void, clock: () => number, loop = IDLE) {
    this.#defer = defer
    this.#clock = clock
    this.#loop = loop
  }

  /**
   * Milliseconds that only rise. All that is done at the end of one turn is done at one time, for a
   * look at the clock costs a message as much as some of its steps do.
   */
  get now(): number {
    return this.#now ?? this.#clock()
  }

  /** For batches that may wait so many milliseconds while the loop is busy. */
  window(ms: number): Gatherer {
    let window = this.#windows.get(ms)
    if (!window) {
      window = new FlushWindow(ms, this, this.#loop)
      this.#windows.set(ms, window)
    }
    return window
  }

  /** Flushes an input that has read something. At most once a turn for each input. */
  read(input: Flushable): void {
    this.#inputs.add(input)
    this.#schedule()
  }

  /** Flushes a batch. At most once a turn for each batch. */
  dirty(batch: Flushable): void {
    this.#batches.add(batch)
    this.#schedule()
  }

  /** Flushes an outbox, after all batches. At most once for each outbox. */
  touch(outbox: Flushable): void {
    this.#outboxes.add(outbox)
    this.#schedule()
  }

  /**
   * Whether an outbox may be written at once, by whoever knows that nothing else is for it in this
   * turn: what it touches is at hand then, and would not be once all others had been looked at.
   */
  writes(): boolean {
    if (this.#direct === 0) return false
    this.#direct--
    return true
  }

  /** Runs something in the next turn. */
  next(run: () => void): void {
    this.#defer(run)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#defer(() => this.#end())
  }

  #end(): void {
    this.#now = this.#clock()
    this.#inputs.flush()
    // A flush may add more of either kind; what it adds belongs to this turn.
    let left = OUTBOXES_MAX
    while (left > 0 && this.#batches.size + this.#outboxes.size > 0) {
      this.#direct = left
      this.#batches.flush()
      left = this.#direct
      this.#direct = 0
      left -= this.#outboxes.flush(left)
    }
    this.#outboxes.moveTo(this.#late)
    this.#late.flush(OUTBOXES_MAX)
    this.#scheduled = false
    this.#now = undefined
    if (this.#late.size + this.#batches.size + this.#outboxes.size > 0) this.#schedule()
  }
}

/** A list that keeps its memory from turn to turn. */
class Stage {
  readonly #items: (Flushable | undefined)[] = []
  #start = 0
  #end = 0

  get size(): number {
    return this.#end - this.#start
  }

  add(item: Flushable): void {
    this.#items[this.#end++] = item
  }

  /** Flushes what is there, and what is added meanwhile; at most so many. Returns how many. */
  flush(most = Number.POSITIVE_INFINITY): number {
    let flushed = 0
    for (; flushed < most && this.#start < this.#end; flushed++) this.#take()?.flush()
    return flushed
  }

  /** All that is left of it follows what is in the other. */
  moveTo(other: Stage): void {
    while (this.#start < this.#end) {
      const item = this.#take()
      if (item) other.add(item)
    }
  }

  #take(): Flushable | undefined {
    const item = this.#items[this.#start]
    this.#items[this.#start++] = undefined
    if (this.#start === this.#end) {
      this.#start = 0
      this.#end = 0
    }
    return item
  }
}
