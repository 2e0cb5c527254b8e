/**
 * The live connections of each token: numbered from 1, the lowest free number first, under one rate
 * and up to the token's maximum (R33).
 */
import { RateLimit } from '../../protocol/rate-limit.ts'
import type { TokenRecord } from '../../store/store.ts'
import type { Session } from '../session.ts'

interface Share {
  /** By number less one; holes are free, and the last is none. */
  readonly connections: (Session | undefined)[]
  readonly numbers: Map<Session, number>
  /** No number below it is free. */
  lowest: number
  rate: RateLimit | undefined
}

/** Tokens that nobody is connected by, and whose rate is remembered; beyond it the oldest go. */
const RESTING_MAX = 10_000

export class Shares {
  readonly #shares = new Map<string, Share>()
  /** Whoever leaves and comes again finds of the rate what he has left. */
  readonly #resting = new Map<string, RateLimit>()

  /**
   * Gives a connection its number, the same one as before where it has one; undefined where the
   * token has as many as it may. A refused one takes no place.
   */
  take(token: TokenRecord, session: Session): number | undefined {
    const share = this.#share(token)
    const held = share.numbers.get(session)
    if (held !== undefined) return held
    const number = lowestFree(share)
    if (token.maxConnections !== undefined && number > token.maxConnections) {
      this.#forget(token.id, share)
      return undefined
    }
    share.connections[number - 1] = session
    share.numbers.set(session, number)
    share.lowest = number + 1
    return number
  }

  /** One for all connections of the token, and for what it sends without one. */
  rateOf(token: TokenRecord): RateLimit | undefined {
    const share = this.#share(token)
    this.#forget(token.id, share)
    return share.rate
  }

  release(token: string, session: Session): void {
    const share = this.#shares.get(token)
    const number = share?.numbers.get(session)
    if (!share || number === undefined) return
    const { connections, numbers } = share
    numbers.delete(session)
    connections[number - 1] = undefined
    share.lowest = Math.min(share.lowest, number)
    while (connections.length > 0 && connections.at(-1) === undefined) connections.pop()
    this.#forget(token, share)
  }

  /** 0: it is none of the token's. */
  numberOf(token: string, session: Session): number {
    return this.#shares.get(token)?.numbers.get(session) ?? 0
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
      const resting = this.#resting.get(id)
      share = { connections: [], numbers: new Map(), lowest: 1, rate: resting }
      this.#resting.delete(id)
      this.#shares.set(id, share)
    }
    const { perSecond, burst } = share.rate ?? {}
    if (rate?.perSecond !== perSecond || rate?.burst !== burst) {
      share.rate = rate && new RateLimit(rate)
    }
    return share
  }

  #forget(token: string, { numbers, rate }: Share): void {
    if (numbers.size > 0) return
    this.#shares.delete(token)
    if (!rate) return
    this.#resting.set(token, rate)
    if (this.#resting.size <= RESTING_MAX) return
    for (const oldest of this.#resting.keys()) {
      this.#resting.delete(oldest)
      return
    }
  }
}

function lowestFree(share: Share): number {
  const { connections } = share
  while (connections[share.lowest - 1] !== undefined) share.lowest++
  return share.lowest
}
