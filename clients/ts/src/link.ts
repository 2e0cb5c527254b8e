import type { Frame } from '@porthouse/proto/v1/frame'
import type { Backoff } from './backoff.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { PorthouseError } from './error.ts'

export interface LinkOptions extends ConnectionOptions {
  readonly reconnect: boolean
  readonly backoff: Backoff
}

export interface LinkHandlers {
  /** The first packet of a new connection, as frames. */
  greet(): Uint8Array[]
  frame(frame: Frame): void
  flushed(): void
  /** The connection is gone, and tried again after so many milliseconds. */
  lost(error: PorthouseError, delayMs: number): void
  /** It is gone for good. */
  ended(error: PorthouseError): void
}

/** Keeps one connection alive, by a new one where it ends with a code that allows it. */
export class Link {
  readonly #options: LinkOptions
  readonly #handlers: LinkHandlers
  #connection: Connection | undefined
  #cancel = () => {}
  #establishedAt: number | undefined
  #everEstablished = false
  #closing = false

  constructor(options: LinkOptions, handlers: LinkHandlers) {
    this.#options = options
    this.#handlers = handlers
  }

  get connection(): Connection | undefined {
    return this.#connection
  }

  open(): void {
    const { frame, flushed } = this.#handlers
    try {
      this.#connection = new Connection(this.#options, this.#handlers.greet(), {
        frame,
        flushed,
        closed: (error) => this.#closed(error),
      })
    } catch (cause) {
      // The platform refuses the URL: a fragment, a scheme, an insecure one from a secure page.
      const detail = cause instanceof Error ? cause.message : ''
      this.#handlers.ended(new PorthouseError('ADDRESS_INVALID', { detail, cause }))
    }
  }

  established(): void {
    this.#everEstablished = true
    this.#establishedAt = this.#options.clock.now()
    this.#connection?.established()
  }

  /** Ends for good, in order; `ended` is called with CLOSED. */
  close(): void {
    this.#closing = true
    this.#cancel()
    if (this.#connection) this.#connection.close()
    else this.#handlers.ended(new PorthouseError('CLOSED'))
  }

  #closed(error: PorthouseError): void {
    this.#connection = undefined
    const { backoff, clock, reconnect } = this.#options
    // The first attempt is the caller's to repeat: who mistyped an address wants to know.
    if (this.#closing || !reconnect || !error.temporary || !this.#everEstablished) {
      return this.#handlers.ended(error)
    }
    // A gateway that lets in and drops at once is not one that is back.
    if (this.#establishedAt !== undefined && clock.now() - this.#establishedAt >= backoff.capMs) {
      backoff.reset()
    }
    this.#establishedAt = undefined
    // Those that were told the same time still spread out.
    const delayMs = (error.retryAfterMs ?? 0) + backoff.next()
    this.#cancel = clock.after(delayMs, () => this.open())
    this.#handlers.lost(error, delayMs)
  }
}
