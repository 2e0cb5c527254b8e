/** What a stream waits for between two answers: that something happens, or time. */

export class Bell {
  readonly #signal: AbortSignal
  #rung = false
  #woken = () => {}

  /** `signal`: aborts when the stream ends; nobody waits any more then. */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  ring(): void {
    this.#rung = true
    this.#woken()
  }

  /** Resolves when it has rung since the last time, after `ms`, or with the end of the stream. */
  async rings(ms: number): Promise<void> {
    const wakes = (wake: () => void) => {
      this.#woken = wake
    }
    if (!this.#rung) await pause(ms, this.#signal, wakes)
    this.#rung = false
  }
}

/** Resolves after `ms`, with the end of the stream, or when woken. Leaves nothing behind. */
export function pause(
  ms: number,
  signal: AbortSignal,
  wakes: (wake: () => void) => void = () => {},
): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      wakes(() => {})
      resolve()
    }
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake, { once: true })
    wakes(wake)
  })
}
