/** One loop over messages, of which the runner asks for so many at a time. */
import type { Message } from '@porthouse/client'

export class Ears {
  readonly #messages: AsyncIterator<Message>
  /** Of the loop's next message, where somebody has waited for it in vain. */
  #next: Promise<IteratorResult<Message>> | undefined
  #count = 0
  #untold: Message[] = []

  constructor(messages: AsyncIterator<Message>) {
    this.#messages = messages
  }

  /** Those not told before, once there have been so many in all. Rejects as the loop does. */
  async hear(count: number): Promise<Message[]> {
    while (this.#count < count) {
      this.#next ??= this.#messages.next()
      const { done, value } = await this.#next
      this.#next = undefined
      if (done) break
      this.#count++
      this.#untold.push(value)
    }
    return this.#untold.splice(0)
  }
}
