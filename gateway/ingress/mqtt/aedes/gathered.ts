/** Asks for many at once what comes one by one: while a question is out, the next one gathers. */
export class Gathered<Item, Answer> {
  readonly #ask: (key: string, items: readonly Item[]) => Promise<readonly Answer[]>
  readonly #isOf: (answer: Answer, item: Item) => boolean
  /** By key: what waits for the question that is out. */
  readonly #waiting = new Map<string, Waiting<Item, Answer>[]>()

  /** `isOf`: whether this is the answer for that. */
  constructor(
    ask: (key: string, items: readonly Item[]) => Promise<readonly Answer[]>,
    isOf: (answer: Answer, item: Item) => boolean,
  ) {
    this.#ask = ask
    this.#isOf = isOf
  }

  /** Undefined where there is no answer for it. */
  of(key: string, item: Item): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const waiting = { item, resolve, reject }
      const others = this.#waiting.get(key)
      if (others) others.push(waiting)
      else {
        this.#waiting.set(key, [waiting])
        void this.#run(key)
      }
    })
  }

  async #run(key: string): Promise<void> {
    // What comes in this turn is asked together.
    await new Promise(setImmediate)
    for (;;) {
      const asked = this.#waiting.get(key) ?? []
      if (asked.length === 0) break
      this.#waiting.set(key, [])
      try {
        const items = asked.map(({ item }) => item)
        const answers = await this.#ask(key, items)
        for (const { item, resolve } of asked) {
          resolve(answers.find((answer) => this.#isOf(answer, item)))
        }
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    }
    this.#waiting.delete(key)
  }
}

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer | undefined) => void
  readonly reject: (error: unknown) => void
}
