import type { Resume } from '@porthouse/proto/v1/frame'
import type { Clock } from './clock.ts'
import { PorthouseError } from './error.ts'

// It goes out again with the next Hello, so that it is no place to keep things.
const TOKEN_CHARS_MAX = 4096

/**
 * What lets the next connection skip the locks that this one has resolved (R12). A token that was
 * used is kept until the gateway gives another: the Welcome that took it may have been lost.
 */
export class Resumption {
  readonly #clock: Clock
  #kept: { token: string; until: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Empty: none that is still good. */
  get token(): string {
    return this.#kept && this.#clock.now() < this.#kept.until ? this.#kept.token : ''
  }

  /** Throws MALFORMED_PACKET for what is too long to be one. */
  keep({ token, expiresMs }: Resume): void {
    if (token.length > TOKEN_CHARS_MAX) {
      throw new PorthouseError('MALFORMED_PACKET', { detail: 'A resume token beyond all measure' })
    }
    this.#kept = token ? { token, until: this.#clock.now() + expiresMs } : undefined
  }

  /** The gateway did not take it. */
  forget(): void {
    this.#kept = undefined
  }
}
