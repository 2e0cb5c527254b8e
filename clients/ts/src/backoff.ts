/** How long to wait before connecting again. */
export interface BackoffOptions {
  /** Bound of the first wait, in milliseconds. Default 250. */
  baseMs?: number | undefined
  /** Bound of any wait, in milliseconds. Default 20,000. */
  capMs?: number | undefined
  /** From 0 up to, but not including, 1. Default Math.random. */
  random?: (() => number) | undefined
}

/**
 * Exponential backoff with full jitter: each wait is anywhere between nothing and a bound that
 * doubles, so that the clients of a gateway that went down do not all come back in the same moment.
 */
export class Backoff {
  readonly capMs: number
  readonly #baseMs: number
  readonly #random: () => number
  #attempt = 0

  constructor({ baseMs = 250, capMs = 20_000, random = Math.random }: BackoffOptions = {}) {
    this.capMs = capMs
    this.#baseMs = baseMs
    this.#random = random
  }

  /** Attempts since the last reset. */
  get attempt(): number {
    return this.#attempt
  }

  /** The next wait in milliseconds, less than min(capMs, baseMs * 2^attempt). */
  next(): number {
    const bound = Math.min(this.capMs, this.#baseMs * 2 ** this.#attempt)
    this.#attempt++
    return this.#random() * bound
  }

  reset(): void {
    this.#attempt = 0
  }
}
