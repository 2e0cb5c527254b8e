/**
 * Work put off to the end of the event-loop turn, where many small writes become few: first each dirty
 * batch is handed to its members, then each touched outbox is written once.
 */

export interface Flushable {
  flush(): void
}

export class Turn {
  readonly #defer: (run: () => void) => void
  readonly #batches: Flushable[] = []
  readonly #outboxes: Flushable[] = []
  #scheduled = false

  /** `defer` runs a function at the end of the turn; setImmediate in a gateway. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer
  }

  /** Flushes a batch at the end of this turn. At most once a turn for each batch. */
  dirty(batch: Flushable): void {
    this.#batches.push(batch)
    this.#schedule()
  }

  /** Flushes an outbox at the end of this turn, after all batches. At most once for each outbox. */
  touch(outbox: Flushable): void {
    this.#outboxes.push(outbox)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#defer(() => this.#end())
  }

  #end(): void {
    // A flush may add more of either kind; what it adds belongs to this turn.
    while (this.#batches.length > 0 || this.#outboxes.length > 0) {
      flushAll(this.#batches)
      flushAll(this.#outboxes)
    }
    this.#scheduled = false
  }
}

function flushAll(all: Flushable[]): void {
  for (let i = 0; i < all.length; i++) all[i]?.flush()
  all.length = 0
}
