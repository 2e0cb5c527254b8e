import type { Envelope } from '@porthouse/proto/v1/envelope'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Clock } from './clock.ts'
import { dropError, PorthouseError } from './error.ts'
import { type Body, encodeFrame } from './packet.ts'

type Answer = Frame['body']

/** Something to be sent, and how its answer is read. */
export interface Question<T> {
  /** What it counts for in the queue's bound. */
  readonly bytes: number
  /**
   * A packet of one frame, made when it is handed over; throws a refusal that ends the question.
   */
  encode(id: number): Uint8Array
  /**
   * The answer's result, undefined if it is none; throws a refusal. A Drop is read by the queue.
   */
  read(answer: Answer): T | undefined
  /** An Envelope that comes before the answer, with its id; throws a refusal. */
  part?(envelope: Envelope): void
  /** False: if the connection ends before the answer, what became of it is unknown. */
  readonly repeatable: boolean
  /** Room that it asks to enter, whose locks may have to be answered first. */
  readonly place?: string
  /** Given: no answer comes, and this is the result once it is handed over. */
  readonly unanswered?: { result: T }
}

interface Entry {
  readonly id: number
  readonly question: Question<unknown>
  state: 'waiting' | 'handed' | 'sent'
  /** By the clock, in this connection. */
  sentAt: number
  resolve(result: unknown): void
  reject(error: unknown): void
}

/**
 * What was asked and is not answered, in order. While there is no connection it waits here; what
 * was in flight when one ended is asked again on the next, under the same id and key.
 */
export class Queue {
  readonly #bytesMax: number
  readonly #entries = new Map<number, Entry>()
  #handed: Entry[] = []
  #bytes = 0
  #lastId = 0
  #push: ((frame: Uint8Array) => void) | undefined
  #ended: PorthouseError | undefined
  readonly #clock: Clock
  readonly #answerMs: number
  #heldUntil = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined

  /**
   * A question that would take the queue over so many bytes is refused with QUEUE_FULL; one that is
   * not answered in time ends with UNAVAILABLE.
   */
  constructor(bytesMax: number, { clock, answerMs }: { clock: Clock; answerMs: number }) {
    this.#bytesMax = bytesMax
    this.#clock = clock
    this.#answerMs = answerMs
  }

  get isOpen(): boolean {
    return this.#push !== undefined
  }

  /** An id that no unanswered question has. */
  newId(): number {
    do this.#lastId = (this.#lastId % 0xffff_ffff) + 1
    while (this.#entries.has(this.#lastId))
    return this.#lastId
  }

  /**
   * Rejects with what the gateway answered, QUEUE_FULL, the client's end, or the signal's reason;
   * after that last one the question may have had its effect all the same. `besides` are bytes held
   * elsewhere.
   */
  ask<T>(question: Question<T>, signal?: AbortSignal, besides = 0): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#ended) return Promise.reject(this.#ended)
    if (this.#bytes + besides + question.bytes > this.#bytesMax) {
      const detail = `More than ${this.#bytesMax} bytes wait to be sent or answered`
      return Promise.reject(new PorthouseError('QUEUE_FULL', { detail }))
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const state = 'waiting'
    const entry: Entry = { id: this.newId(), question, state, sentAt: 0, resolve, reject }
    this.#entries.set(entry.id, entry)
    this.#bytes += question.bytes
    if (signal) {
      const abort = () => this.#settle(entry, { error: signal.reason })
      const done = () => signal.removeEventListener('abort', abort)
      signal.addEventListener('abort', abort)
      promise.then(done, done)
    }
    if (this.#push) this.#hand(entry, this.#push)
    return promise as Promise<T>
  }

  /** Hands over all that waits, and from now on whatever is asked. */
  open(push: (frame: Uint8Array) => void): void {
    this.#push = push
    for (const entry of this.#entries.values()) this.#hand(entry, push)
  }

  /** What was handed over is in the socket now. */
  flushed(): void {
    const sentAt = this.#clock.now()
    for (const entry of this.#handed.splice(0)) {
      if (entry.question.unanswered) this.#settle(entry, entry.question.unanswered)
      else {
        entry.state = 'sent'
        entry.sentAt = sentAt
      }
    }
    if (this.#entries.size > 0 && !this.#cancel && Number.isFinite(this.#answerMs)) this.#watch()
  }

  /** For so long a lock may hold back every answer. */
  waits(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.now() + ms)
  }

  /** One timer for all questions, that looks at them now and then. */
  #watch(): void {
    this.#cancel = this.#clock.after(this.#answerMs / 4, () => {
      this.#cancel = undefined
      const late = this.#clock.now() - this.#answerMs
      for (const entry of this.#heldUntil <= late ? this.#entries.values() : []) {
        if (entry.state === 'sent' && entry.sentAt <= late) this.#lose(entry, 'No answer in time')
      }
      if (this.#entries.size > 0) this.#watch()
    })
  }

  #rest(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #lose(entry: Entry, why: string): void {
    const detail = `${why}; what became of it is unknown`
    this.#settle(entry, { error: new PorthouseError('UNAVAILABLE', { detail }) })
  }

  /** The connection is gone. */
  close(): void {
    this.#push = undefined
    this.#handed = []
    this.#heldUntil = Number.NEGATIVE_INFINITY
    this.#rest()
    for (const entry of this.#entries.values()) {
      if (entry.state === 'sent' && !entry.question.repeatable) {
        this.#lose(entry, 'The connection was lost before the answer')
      } else entry.state = 'waiting'
    }
  }

  /** Rejects all that is left and all that is asked from now on. */
  end(error: PorthouseError): void {
    this.#push = undefined
    this.#ended = error
    for (const entry of this.#entries.values()) this.#settle(entry, { error })
  }

  has(id: number): boolean {
    return this.#entries.has(id)
  }

  /** Ends a question here. False where it is none that asks to enter. */
  refuse(id: number, error: unknown): boolean {
    const entry = this.#entries.get(id)
    if (entry?.question.place === undefined) return false
    this.#settle(entry, { error })
    return true
  }

  /** The ids of what asks to enter a place. */
  entering(place: string): number[] {
    return [...this.#entries.values()]
      .filter(({ question }) => question.place === place)
      .map(({ id }) => id)
  }

  /** Whether it answers its question; without an id, the oldest question that it answers. */
  answer(id: number, answer: Answer): boolean {
    if (id === 0) return [...this.#entries.values()].some((entry) => this.#read(entry, answer))
    const entry = this.#entries.get(id)
    return entry !== undefined && this.#read(entry, answer)
  }

  /** Something that belongs to the answer; of a question that was given up, nothing is left. */
  part(id: number, envelope: Envelope): void {
    const entry = this.#entries.get(id)
    try {
      entry?.question.part?.(envelope)
    } catch (error) {
      if (entry) this.#settle(entry, { error })
    }
  }

  #read(entry: Entry, answer: Answer): boolean {
    if (answer.case === 'drop') {
      this.#settle(entry, { error: dropError(answer.value) })
      return true
    }
    try {
      const result = entry.question.read(answer)
      if (result === undefined) return false
      this.#settle(entry, { result })
    } catch (error) {
      this.#settle(entry, { error })
    }
    return true
  }

  #hand(entry: Entry, push: (frame: Uint8Array) => void): void {
    try {
      push(entry.question.encode(entry.question.unanswered ? 0 : entry.id))
      entry.state = 'handed'
      this.#handed.push(entry)
    } catch (error) {
      this.#settle(entry, { error })
    }
  }

  #settle(entry: Entry, end: { result: unknown } | { error: unknown }): void {
    if (!this.#entries.delete(entry.id)) return
    this.#bytes -= entry.question.bytes
    if (this.#entries.size === 0) this.#rest()
    if ('error' in end) entry.reject(end.error)
    else entry.resolve(end.result)
  }
}

/** Encodes a question that is one frame of its own. */
export const asFrame = (body: Body) => (id: number) => encodeFrame(id, body)
