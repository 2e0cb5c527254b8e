/**
 * The last messages of one order, in memory: the history of rooms that keep a window, the tail of
 * durable ones, from which whoever catches up goes live in one step, and what was sent to a client
 * lately. Bounded by messages, bytes and age; what is missing at its beginning is known, so nobody
 * takes a part for the whole.
 */
import type { EnvelopeBody, Stamp } from '../protocol/packet-writer.ts'

export interface WindowBounds {
  readonly messages: number
  readonly bytes: number
  readonly ageMs: number
}

/** A message with memory of its own, and its position. */
export interface Kept {
  readonly message: Stamp
  readonly body: EnvelopeBody
}

interface Entry<Message> {
  readonly message: Message
  readonly keptAt: number
}

/** What one message takes beside its body, in bytes, about. */
const MESSAGE_BYTES = 200

export class Window<Message extends Kept> {
  #bounds: WindowBounds
  /** In the order of positions, the oldest at `#start`. */
  readonly #entries: Entry<Message>[] = []
  #start = 0
  #bytes = 0
  /** Position before the first one that is here, or would be. */
  #before: number

  /** `position`: the last one that is not to come. */
  constructor(bounds: WindowBounds, position: number) {
    this.#bounds = bounds
    this.#before = position
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.length - this.#start
  }

  /** It has every message after this position. */
  covers(position: number): boolean {
    return position >= this.#before
  }

  /** Position before the first that is here. */
  get before(): number {
    return this.#before
  }

  /** Begins anew: what was sent up to this position is not here. */
  restart(position: number): void {
    this.#entries.length = 0
    this.#start = 0
    this.#bytes = 0
    this.#before = position
  }

  push(message: Message, now: number): void {
    this.#entries.push({ message, keptAt: now })
    this.#bytes += sizeOf(message)
    this.forget(now)
  }

  /**
   * Takes bounds over, and lets go of what is beyond them; `now` in milliseconds that only rise.
   */
  bound(bounds: WindowBounds, now: number): void {
    this.#bounds = bounds
    this.forget(now)
  }

  /** Lets go of what is beyond the bounds. */
  forget(now: number): void {
    const { messages, bytes, ageMs } = this.#bounds
    for (;;) {
      const oldest = this.#entries[this.#start]
      if (!oldest) break
      const isOld = now - oldest.keptAt > ageMs
      if (!isOld && this.size <= messages && this.#bytes <= bytes) break
      this.#bytes -= sizeOf(oldest.message)
      this.#before = oldest.message.message.sequence
      this.#start++
    }
    if (this.#start * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#start)
      this.#start = 0
    }
  }

  /**
   * When its last message is too old, in the time that `push` was told; -Infinity where none is.
   */
  get expiresAt(): number {
    const last = this.#entries.at(-1)
    const any = last !== undefined && this.size > 0
    return any ? last.keptAt + this.#bounds.ageMs : Number.NEGATIVE_INFINITY
  }

  /** Those after this position, in order. */
  after(position: number): Message[] {
    let low = this.#start
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#entries[middle] as Entry<Message>
      if (entry.message.message.sequence <= position) low = middle + 1
      else high = middle
    }
    return this.#entries.slice(low).map(({ message }) => message)
  }
}

/** What a message takes in memory, in bytes, about; its routing is not kept. */
export function sizeOf({ body }: Pick<Kept, 'body'>): number {
  return MESSAGE_BYTES + body.cutStart - body.start + body.end - body.cutEnd
}
