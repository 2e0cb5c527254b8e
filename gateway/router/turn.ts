/**
 * What is done at the end of the event-loop turn, in stages over all sockets: what was read is
 * handled, each dirty batch is handed to its members, each touched outbox is written. Many small
 * writes become few, and the code of a stage runs while it is at hand: handling each read at once
 * costs a tenth more (rooms of two, see bench).
 */

export interface Flushable {
  flush(): void
}

export class Turn {
  readonly #defer: (run: () => void) => void
  readonly #inputs = new Stage()
  readonly #batches = new Stage()
  readonly #outboxes = new Stage()
  #scheduled = false

  /** `defer` runs a function at the end of the turn; setImmediate in a gateway. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer
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
    this.#inputs.flush()
    // A flush may add more of either kind; what it adds belongs to this turn.
    while (this.#batches.size > 0 || this.#outboxes.size > 0) {
      this.#batches.flush()
      this.#outboxes.flush()
    }
    this.#scheduled = false
  }
}

/** A list that keeps its memory from turn to turn. */
class Stage {
  readonly #items: (Flushable | undefined)[] = []
  size = 0

  add(item: Flushable): void {
    this.#items[this.size++] = item
  }

  /** Flushes what is there, and what is added meanwhile. */
  flush(): void {
    for (let i = 0; i < this.size; i++) {
      const item = this.#items[i]
      this.#items[i] = undefined
      item?.flush()
    }
    this.size = 0
  }
}
