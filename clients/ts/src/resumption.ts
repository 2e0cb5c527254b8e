import type { Resume } from '@porthouse/proto/v1/frame'
import type { Clock } from './clock.ts'

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

  keep({ token, expiresMs }: Resume): void {
    this.#kept = token ? { token, until: this.#clock.now() + expiresMs } : undefined
  }

  /** The gateway did not take it. */
  forget(): void {
    this.#kept = undefined
  }
}
