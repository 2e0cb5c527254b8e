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
  readonly #inputs: Flushable[] = []
  readonly #batches: Flushable[] = []
  readonly #outboxes: Flushable[] = []
  #scheduled = false

  /** `defer` runs a function at the end of the turn; setImmediate in a gateway. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer
  }

  /** Flushes an input that has read something. At most once a turn for each input. */
  read(input: Flushable): void {
    this.#inputs.push(input)
    this.#schedule()
  }

  /** Flushes a batch. At most once a turn for each batch. */
  dirty(batch: Flushable): void {
    this.#batches.push(batch)
    this.#schedule()
  }

  /** Flushes an outbox, after all batches. At most once for each outbox. */
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
    flushAll(this.#inputs)
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
