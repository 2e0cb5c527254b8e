/** Requests that follow each other on one HTTP/1.1 connection take effect in that order (R6). */
import type { HttpRequest } from '../route.ts'

export interface Turn {
  /** Resolves when all that came before on the connection has taken effect. */
  readonly begins: Promise<void>
  /** It has taken effect, or never will; may be said more than once. */
  readonly end: () => void
}

const AT_ONCE = Promise.resolve()

export class Turns {
  /** By connection, or by stream of HTTP/2, where nothing is before anything else. */
  readonly #last = new WeakMap<object, Promise<void>>()

  take(request: HttpRequest): Turn {
    const connection = 'stream' in request ? request.stream : request.socket
    const begins = this.#last.get(connection) ?? AT_ONCE
    const { promise, resolve: end } = Promise.withResolvers<void>()
    this.#last.set(
      connection,
      begins.then(() => promise),
    )
    return { begins, end }
  }
}
