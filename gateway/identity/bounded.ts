/** Heavy work, a few at a time (issue 4: off the event loop, and bounded). */

export class Bounded {
  readonly #atOnce: number
  readonly #waitingMax: number
  readonly #waiting = new Set<() => void>()
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

  /** Whoever gives up leaves at once, so that those who are gone keep nobody out. */
  #turn(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#waiting.size >= this.#waitingMax) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const start = () => resolve(true)
    const give = () => {
      this.#waiting.delete(start)
      resolve(false)
    }
    this.#waiting.add(start)
    signal.addEventListener('abort', give, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', give))
  }

  /** Hands the place of the task that ended to the next. */
  #next(): void {
    for (const start of this.#waiting) {
      this.#waiting.delete(start)
      return start()
    }
    this.#running--
  }
}
