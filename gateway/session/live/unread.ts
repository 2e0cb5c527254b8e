/**
 * What is to be read again: each thing once however often it is noted, never twice at the same
 * time, and again and again where it could not be read.
 */

/** Readings at once: fast where many things changed, with most of the store left for others. */
const AT_ONCE = 4

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 1_000

export class Unread<Key extends string> {
  readonly #read: (key: Key) => Promise<void>
  readonly #troubled: (error: unknown, key: Key) => void
  readonly #keys = new Set<Key>()
  readonly #underway = new Set<Key>()
  /** How often in a row a key could not be read. */
  readonly #failures = new Map<Key, number>()
  #readers = 0
  #ended = false

  /** `troubled` is told the first of many failures. */
  constructor(read: (key: Key) => Promise<void>, troubled: (error: unknown, key: Key) => void) {
    this.#read = read
    this.#troubled = troubled
  }

  add(key: Key): void {
    this.#keys.add(key)
    if (this.#ended || this.#readers >= AT_ONCE) return
    this.#readers++
    void this.#work()
  }

  /** What is being read is read to its end, and nothing else any more. */
  end(): void {
    this.#ended = true
  }

  async #work(): Promise<void> {
    for (let key = this.#next(); key !== undefined; key = this.#next()) {
      try {
        await this.#read(key)
        this.#failures.delete(key)
      } catch (error) {
        this.#later(key, error)
      }
      this.#underway.delete(key)
    }
  }

  /** The look and the leave are one step, so that nothing is added between them and forgotten. */
  #next(): Key | undefined {
    if (!this.#ended) {
      for (const key of this.#keys) {
        if (this.#underway.has(key)) continue
        this.#keys.delete(key)
        this.#underway.add(key)
        return key
      }
    }
    this.#readers--
    return undefined
  }

  #later(key: Key, error: unknown): void {
    if (this.#failures.size === 0) this.#troubled(error, key)
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const pause = Math.min(RETRY_MS_MIN * 2 ** failures, RETRY_MS_MAX)
    setTimeout(() => this.add(key), pause).unref()
  }
}
