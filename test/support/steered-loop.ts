/** What flush windows go by, in the test's hands: whether the loop is busy, and when time is up. */
import type { Loop } from '../../gateway/router/flush-window.ts'

export class SteeredLoop implements Loop {
  readonly load = { busy: false }
  #timers: { readonly ms: number; readonly run: () => void }[] = []

  after(ms: number, run: () => void): void {
    this.#timers.push({ ms, run })
  }

  /** Milliseconds of all windows that are open. */
  get open(): number[] {
    return this.#timers.map(({ ms }) => ms)
  }

  /** The windows that are open have ended. */
  elapse(): void {
    for (const { run } of this.#timers.splice(0)) run()
  }
}
