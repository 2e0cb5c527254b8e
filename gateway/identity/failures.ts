/**
 * Wrong answers by the network that they came from: beyond a rate, nobody new is let in from there
 * for a while, so that secrets cannot be tried in masses (threat K15). What is bounded is a
 * network, never an account, or strangers could lock its owner out.
 */
import { RateLimit } from '../protocol/rate-limit.ts'
import { networkOf } from './offences.ts'

/** Networks that are remembered; beyond it those are forgotten that were wrong longest ago. */
const NETWORKS_MAX = 10_000

export class Failures {
  readonly #perMinute: number
  /** Milliseconds that only rise. */
  readonly #uptime: () => number
  readonly #networks = new Map<string, RateLimit>()

  constructor(perMinute: number, uptime: () => number) {
    this.#perMinute = perMinute
    this.#uptime = uptime
  }

  /** A wrong answer came from this IP address. */
  add(address: string): void {
    const network = networkOf(address)
    const limit = this.#networks.get(network) ?? this.#fresh()
    limit.take(this.#uptime())
    this.#networks.delete(network)
    this.#networks.set(network, limit)
    for (const [oldest, old] of this.#networks) {
      if (this.#networks.size <= NETWORKS_MAX && !old.idle(this.#uptime())) break
      this.#networks.delete(oldest)
    }
  }

  /** Whether somebody new from this IP address may try. */
  allows(address: string): boolean {
    return this.#networks.get(networkOf(address))?.allows(this.#uptime()) ?? true
  }

  #fresh(): RateLimit {
    return new RateLimit({ perSecond: this.#perMinute / 60, burst: this.#perMinute })
  }
}
