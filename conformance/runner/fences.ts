/** Heartbeats that are on their way round. */

export class Fences {
  readonly #waiting: (() => void)[] = []

  /** One was sent: true once it is back, or will not come any more; false where it takes longer. */
  sent(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  /** The oldest is back; false where none was on its way. */
  back(): boolean {
    const done = this.#waiting.shift()
    done?.()
    return done !== undefined
  }

  /** The connection has ended. */
  end(): void {
    for (const done of this.#waiting.splice(0)) done()
  }
}
