/** How often who may knock: a socket at a place, and a network at all (K15). */
import { Code } from '@porthouse/proto/v1/code'
import type { Session } from '../session.ts'

/** Until a socket whose knock nobody decided may knock there again, in milliseconds. */
const REST_MS = 60_000

/** Places that one socket may knock at. */
const PLACES_MAX = 16

/** Knocks of one network that wait, or waited within REST_MS, unless somebody was let in. */
const PER_NETWORK_MAX = 32

/** Networks that are remembered. */
const NETWORKS_MAX = 4096

interface Attempt {
  readonly at: number
  /** Undefined while it waits. */
  code: Code | undefined
}

export class Attempts {
  readonly #uptime: () => number
  readonly #bySocket = new WeakMap<Session, Map<string, Attempt>>()
  readonly #byNetwork = new Map<string, Set<Attempt>>()

  constructor(uptime: () => number) {
    this.#uptime = uptime
  }

  /** What is to be told of its end; or why it may not be. */
  begin(
    knocker: Session,
    place: string,
    network: string,
  ): Code | { readonly end: (code: Code) => void } {
    const places = this.#bySocket.get(knocker) ?? new Map<string, Attempt>()
    const last = places.get(place)
    if (last?.code === Code.NOT_ADMITTED) return Code.NOT_ADMITTED
    if (last ? this.#counts(last) : places.size >= PLACES_MAX) return Code.RATE_LIMITED
    const attempts = this.#ofNetwork(network)
    if (!attempts || attempts.size >= PER_NETWORK_MAX) return Code.RATE_LIMITED
    const attempt: Attempt = { at: this.#uptime(), code: undefined }
    this.#bySocket.set(knocker, places.set(place, attempt))
    this.#byNetwork.set(network, attempts.add(attempt))
    const end = (code: Code) => {
      attempt.code = code
      if (code === Code.UNSPECIFIED) attempts.delete(attempt)
    }
    return { end }
  }

  /** Those that still count; undefined where too many networks are at it. */
  #ofNetwork(network: string): Set<Attempt> | undefined {
    if (this.#byNetwork.size >= NETWORKS_MAX)
      for (const each of this.#byNetwork.keys()) this.#forget(each)
    const known = this.#forget(network)
    if (known) return known
    return this.#byNetwork.size >= NETWORKS_MAX ? undefined : new Set()
  }

  /** Forgets what counts no more; what is left, if anything. */
  #forget(network: string): Set<Attempt> | undefined {
    const attempts = this.#byNetwork.get(network)
    for (const attempt of attempts ?? []) if (!this.#counts(attempt)) attempts?.delete(attempt)
    if (attempts?.size !== 0) return attempts
    this.#byNetwork.delete(network)
    return undefined
  }

  #counts({ at, code }: Attempt): boolean {
    return code === undefined || this.#uptime() - at < REST_MS
  }
}
