/** Heavy work, a few at a time (issue 4: off the event loop, and bounded). */

interface Waiting {
  readonly signal: AbortSignal
  readonly start: () => void
  readonly skip: () => void
}

export class Bounded {
  readonly #atOnce: number
  readonly #waitingMax: number
  readonly #waiting: Waiting[] = []
  #running = 0

  /** `waitingMax` more tasks may wait for one of `atOnce` to end. */
  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce
    this.#waitingMax = waitingMax
  }

  /**
   * Runs a task in its turn. Resolves with `undefined`, without running it, where too many wait
   * already or nobody cares any more when its turn comes.
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    if (this.#running >= this.#atOnce) {
      if (!(await this.#turn(signal))) return undefined
    } else this.#running++
    try {
      return await task()
    } finally {
      this.#next()
    }
  }

  #turn(signal: AbortSignal): Promise<boolean> {
    if (this.#waiting.length >= this.#waitingMax) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const start = () => resolve(true)
    this.#waiting.push({ signal, start, skip: () => resolve(false) })
    return promise
  }

  /** Hands the place of the task that ended to the next that is still wanted. */
  #next(): void {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      if (!next.signal.aborted) return next.start()
      next.skip()
    }
    this.#running--
  }
}
