import { PorthouseError } from './error.ts'
import type { Lost, Message } from './message.ts'

interface Waiting {
  resolve(result: IteratorResult<Message>): void
  reject(error: unknown): void
}

/** One loop over messages, with a buffer of its own. */
export class Reader implements AsyncIterableIterator<Message> {
  readonly #bufferBytes: number
  readonly #finished: (reader: Reader) => void
  readonly #signal: AbortSignal | undefined
  #buffer: { message: Message; bytes: number }[] = []
  #head = 0
  #bytes = 0
  #lost: Lost | undefined
  #waiting: Waiting[] = []
  #end: { error?: unknown } | undefined

  /** `finished` is called once, when nothing more is to be pushed. */
  constructor(
    bufferBytes: number,
    signal: AbortSignal | undefined,
    finished: (reader: Reader) => void,
  ) {
    this.#bufferBytes = bufferBytes
    this.#finished = finished
    this.#signal = signal
    if (signal?.aborted) this.#abort()
    else signal?.addEventListener('abort', this.#abort)
  }

  /** Whether nothing more is taken; what waits may still be read. */
  get ended(): boolean {
    return this.#end !== undefined
  }

  push(message: Message, bytes: number): void {
    if (this.#end) return
    if (this.#lost) {
      message = { ...message, lost: this.#lost }
      this.#lost = undefined
    }
    const waiting = this.#waiting.shift()
    if (waiting) return waiting.resolve({ done: false, value: message })
    // A single message always fits, whatever the bound.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bufferBytes) {
      const detail = `More than ${this.#bufferBytes} bytes waited for a slow reader`
      return this.end(new PorthouseError('SLOW_CONSUMER', { detail }))
    }
    this.#bytes += bytes
    this.#buffer.push({ message, bytes })
  }

  /** Told with the next message. */
  miss(lost: Lost): void {
    const before = this.#lost
    this.#lost =
      before?.address === lost.address && before.code === lost.code && lost.from > 0n
        ? { ...lost, from: before.from, count: both(before.count, lost.count) }
        : lost
  }

  end(error?: unknown): void {
    if (this.#end) return
    this.#end = error === undefined ? {} : { error }
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#finished(this)
    for (const waiting of this.#waiting.splice(0)) this.next().then(waiting.resolve, waiting.reject)
  }

  next(): Promise<IteratorResult<Message>> {
    if (this.#head < this.#buffer.length) return Promise.resolve(this.#take())
    if (!this.#end) {
      return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
    }
    // The error is told once; whoever asks again gets the end.
    const { error } = this.#end
    this.#end = {}
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error)
  }

  return(): Promise<IteratorResult<Message>> {
    this.#discard()
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): IteratorResult<Message> {
    const { message, bytes } = this.#buffer[this.#head++]!
    this.#bytes -= bytes
    if (this.#head === this.#buffer.length) this.#discard()
    else if (this.#head === 1024) {
      this.#buffer = this.#buffer.slice(this.#head)
      this.#head = 0
    }
    return { done: false, value: message }
  }

  #discard(): void {
    this.#buffer = []
    this.#head = 0
    this.#bytes = 0
  }

  readonly #abort = (): void => {
    this.#discard()
    this.end(this.#signal?.reason)
  }
}

/** The sum, where both are known. */
const both = (one: number, other: number) => (one && other ? one + other : 0)
