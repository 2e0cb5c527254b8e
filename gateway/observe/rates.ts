/** What numbers that only rise have risen by, a second: over about the last ten. */

const WINDOW_MS = 10_000

interface Sample {
  readonly at: number
  readonly values: readonly number[]
}

export class Rates {
  readonly #samples: Sample[] = []

  /** What they are now; to be told again and again. `at`: milliseconds that only rise. */
  sample(values: readonly number[], at: number): void {
    this.#samples.push({ at, values })
    while ((this.#samples[1]?.at ?? at) <= at - WINDOW_MS) this.#samples.shift()
  }

  /** Of each, by what it is now. */
  perSecond(values: readonly number[], at: number): number[] {
    const [first] = this.#samples
    const seconds = first ? (at - first.at) / 1000 : 0
    if (!first || seconds <= 0) return values.map(() => 0)
    return values.map((value, i) => (value - (first.values[i] ?? 0)) / seconds)
  }
}
