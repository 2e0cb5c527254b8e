import { PorthouseError } from './error.ts'
import type { Lost, Message } from './message.ts'
import { Reader } from './reader.ts'
import { afterTurn } from './turn.ts'

export interface MessagesOptions {
  /** Ends the iteration with the signal's reason. */
  signal?: AbortSignal | undefined
  /**
   * Bound of what waits for a slow loop, in bytes, default 16 MiB. Over it the loop gets what was
   * waiting and then a PorthouseError with SLOW_CONSUMER; other readers are not affected.
   */
  bufferBytes?: number | undefined
}

const BUFFER_BYTES = 16 * 2 ** 20
// What is kept of what was lost takes its place too.
const LOST_BYTES = 256

/** Where messages of one kind come in, and the readers they go to. */
export class Feed {
  readonly #readers = new Set<Reader>()
  #early: ((reader: Reader) => void)[] | undefined = []
  #earlyBytes = 0
  #end: { error?: Error } | undefined

  /**
   * What came in before readers were made is kept for them until this turn is over: one packet may
   * hold the answer to a join and the first messages, and the code that awaits the join runs after
   * both.
   */
  release(): void {
    afterTurn(() => {
      this.#early = undefined
    })
  }

  /** Throws SLOW_CONSUMER where more comes than can be kept before the release. */
  push(message: Message, bytes: number): void {
    this.#each((reader) => reader.push(message, bytes), bytes)
  }

  lost(lost: Lost): void {
    this.#each((reader) => reader.miss(lost), LOST_BYTES)
  }

  /** Starts now, not with the first turn of the loop. */
  read({
    signal,
    bufferBytes = BUFFER_BYTES,
  }: MessagesOptions = {}): AsyncIterableIterator<Message> {
    const reader = new Reader(bufferBytes, signal, (ended) => this.#readers.delete(ended))
    for (const step of this.#early ?? []) step(reader)
    if (this.#end) reader.end(this.#end.error)
    else if (!reader.ended) this.#readers.add(reader)
    return reader
  }

  /** Readers get what is waiting, then the end or the error. */
  end(error?: Error): void {
    this.#end ??= error ? { error } : {}
    for (const reader of this.#readers) reader.end(error)
  }

  #each(step: (reader: Reader) => void, bytes: number): void {
    if (this.#end) return
    if (this.#early) {
      this.#earlyBytes += bytes
      if (this.#earlyBytes > BUFFER_BYTES) throw new PorthouseError('SLOW_CONSUMER')
      this.#early.push(step)
    }
    for (const reader of this.#readers) step(reader)
  }
}
