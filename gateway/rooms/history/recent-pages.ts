/**
 * Pages of all rooms that were read from the store a moment ago: those who come back together want
 * the same ones, one after the other (R42).
 */
import type { Page } from './page.ts'

/** Those of catching up have up to 65,536 bytes of bodies, and take some 300 KB each. */
const PAGES_MAX = 64
const KEPT_MS = 1_000

export class RecentPages {
  /** The oldest first; those that are being read among them. */
  readonly #pages = new Map<string, Promise<Page>>()

  /**
   * What was read by this key, or is being read. Only full pages are kept. Rejects as `read` does.
   */
  get(key: string, limit: number, read: () => Promise<Page>): Promise<Page> {
    const known = this.#pages.get(key)
    if (known) return known
    const reading = read()
    this.#pages.set(key, reading)
    this.#forgetOldest()
    const forget = () => {
      if (this.#pages.get(key) === reading) this.#pages.delete(key)
    }
    reading.then(({ messages: { length }, more }) => {
      const isFull = length === limit || (length > 0 && more)
      if (isFull) setTimeout(forget, KEPT_MS).unref()
      else forget()
    }, forget)
    return reading
  }

  #forgetOldest(): void {
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= PAGES_MAX) break
      this.#pages.delete(oldest)
    }
  }
}
