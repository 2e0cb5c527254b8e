/** Work that goes one after the other where it is about the same, and side by side where not. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does it when all that was asked before for this key has ended, however that was. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const done = before.then(work, work)
    const last: Promise<void> = done.then(
      () => this.#forget(key, last),
      () => this.#forget(key, last),
    )
    this.#last.set(key, last)
    return done
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values())
  }

  #forget(key: string, last: Promise<unknown>): void {
    if (this.#last.get(key) === last) this.#last.delete(key)
  }
}
