/** What the client asks of time, as a parameter so that tests own it. */
export interface Clock {
  /** Milliseconds from any fixed point; never runs backwards. */
  now(): number
  /** Calls back once after so many milliseconds, unless the function returned is called before. */
  after(ms: number, callback: () => void): () => void
}

// A longer timeout would overflow and fire at once.
const TIMEOUT_MS_MAX = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, TIMEOUT_MS_MAX))
    return () => clearTimeout(timer)
  },
}
