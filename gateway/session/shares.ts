/**
 * The live connections of each token: numbered from 1, the lowest free number first, under one rate
 * and up to the token's maximum (R33).
 */
import { RateLimit } from '../protocol/rate-limit.ts'
import type { TokenRecord } from '../store/store.ts'
import type { Session } from './session.ts'

interface Share {
  /** By number less one; holes are free. */
  readonly connections: (Session | undefined)[]
  rate: RateLimit | undefined
}

export class Shares {
  readonly #shares = new Map<string, Share>()

  /**
   * Gives a connection its number, the same one as before where it has one; undefined where the
   * token has as many as it may. A refused one takes no place.
   */
  take(token: TokenRecord, session: Session): number | undefined {
    const share = this.#share(token)
    const held = share.connections.indexOf(session)
    if (held >= 0) return held + 1
    const free = share.connections.indexOf(undefined)
    const index = free >= 0 ? free : share.connections.length
    if (token.maxConnections !== undefined && index >= token.maxConnections) {
      this.#forget(token.id, share)
      return undefined
    }
    share.connections[index] = session
    return index + 1
  }

  /** One for all connections of the token. */
  rateOf(token: TokenRecord): RateLimit | undefined {
    return this.#share(token).rate
  }

  release(token: string, session: Session): void {
    const share = this.#shares.get(token)
    const index = share?.connections.indexOf(session) ?? -1
    if (!share || index < 0) return
    share.connections[index] = undefined
    while (share.connections.length > 0 && share.connections.at(-1) === undefined) {
      share.connections.pop()
    }
    this.#forget(token, share)
  }

  /** 0: it is none of the token's. */
  numberOf(token: string, session: Session): number {
    return (this.#shares.get(token)?.connections.indexOf(session) ?? -1) + 1
  }

  /** In the order of their numbers. */
  connectionsOf(token: string): Session[] {
    const connections = this.#shares.get(token)?.connections ?? []
    return connections.filter((session) => session !== undefined)
  }

  /** Tokens that somebody is connected by, by id. */
  get tokens(): Iterable<string> {
    return this.#shares.keys()
  }

  #share({ id, rate }: TokenRecord): Share {
    let share = this.#shares.get(id)
    if (!share) {
      share = { connections: [], rate: undefined }
      this.#shares.set(id, share)
    }
    const { perSecond, burst } = share.rate ?? {}
    if (rate?.perSecond !== perSecond || rate?.burst !== burst) {
      share.rate = rate && new RateLimit(rate)
    }
    return share
  }

  #forget(token: string, { connections }: Share): void {
    if (connections.length === 0) this.#shares.delete(token)
  }
}
