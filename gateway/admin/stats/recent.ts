/** Answers that are costly and asked for often, by what they are about: each made once a while. */

/** Longest that one is given again, in milliseconds, and how many are remembered. */
const LIFE_MS = 1_000
const MAX = 1_000

export class Recent<Value> {
  readonly #uptime: () => number
  /** In the order in which they were made. */
  readonly #values = new Map<string, { readonly at: number; readonly value: Value }>()

  /** `uptime`: milliseconds that only rise. */
  constructor(uptime: () => number) {
    this.#uptime = uptime
  }

  get(key: string, make: () => Value): Value {
    const now = this.#uptime()
    for (const [old, { at }] of this.#values) {
      if (now - at < LIFE_MS && this.#values.size < MAX) break
      this.#values.delete(old)
    }
    const known = this.#values.get(key)
    if (known) return known.value
    const value = make()
    this.#values.set(key, { at: now, value })
    return value
  }
}
