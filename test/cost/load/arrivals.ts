/** What is due to all peers of a load, counted down. */
export class Arrivals {
  #left = 0
  #all: PromiseWithResolvers<void> | undefined

  /** Resolves when so many have come; rejects where more come, or a connection ends. */
  due(count: number): Promise<void> {
    this.#left = count
    this.#all = Promise.withResolvers()
    return this.#all.promise
  }

  came(count: number): void {
    this.#left -= count
    if (this.#left === 0) this.#all?.resolve()
    if (this.#left < 0) this.fail(new Error(`${-this.#left} more came than were due`))
  }

  fail(error: Error): void {
    this.#all?.reject(error)
  }
}
