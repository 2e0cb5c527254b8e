/** A bound of a rate: so many a second, and `burst` at once; full at first. */
export class RateLimit {
  readonly perSecond: number
  readonly burst: number
  #left: number
  #at = 0

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.perSecond = perSecond
    this.burst = burst
    this.#left = burst
  }

  /** Takes one, at a time in milliseconds; false where none is left. */
  take(now: number): boolean {
    const passed = Math.max(0, now - this.#at) / 1000
    this.#left = Math.min(this.burst, this.#left + passed * this.perSecond)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }

  /** Nothing has been taken of late: a new one would be the same. */
  idle(now: number): boolean {
    return this.#left + ((now - this.#at) / 1000) * this.perSecond >= this.burst
  }

  /** Whether one is left. */
  allows(now: number): boolean {
    return this.#left + (Math.max(0, now - this.#at) / 1000) * this.perSecond >= 1
  }
}
