/** Calls of methods that a table names, as those of administration and of the store. */
import { Distribution, SECONDS } from './distribution.ts'

export interface Called {
  /** How often, by what came of it: `ok`, or the name of a code or failure. */
  readonly outcomes: ReadonlyMap<string, number>
  readonly seconds: Distribution
}

export class Calls implements Iterable<readonly [string, Called]> {
  readonly #calls = new Map<string, Called & { readonly outcomes: Map<string, number> }>()

  /**
   * A call has ended. `method` and `outcome` are of a table: what a caller has made up must not get
   * here (L11).
   */
  done(method: string, outcome: string, seconds: number): void {
    let called = this.#calls.get(method)
    if (!called) {
      called = { outcomes: new Map(), seconds: new Distribution(SECONDS) }
      this.#calls.set(method, called)
    }
    called.outcomes.set(outcome, (called.outcomes.get(outcome) ?? 0) + 1)
    called.seconds.add(seconds)
  }

  [Symbol.iterator](): Iterator<readonly [string, Called]> {
    return this.#calls[Symbol.iterator]()
  }
}
