/** How large something mostly is: counted by upper bounds, as Prometheus' histograms are. */
export class Distribution {
  /** Rising. */
  readonly bounds: readonly number[]
  /** Of each bound, those above the one before; the last is of those above all. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array(bounds.length + 1).fill(0)
  }

  add(value: number): void {
    const at = this.bounds.findIndex((bound) => value <= bound)
    const index = at < 0 ? this.bounds.length : at
    this.counts[index] = (this.counts[index] as number) + 1
    this.sum += value
  }
}

/** Of what the store, or administration, takes, in seconds. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
