/** Connections that may still have to say what they want: who says nothing is not waited for. */
import type { Handshake } from '../../../locks/acceptor.ts'
import type { Carrier, Serve, Served, Transport } from './serve.ts'

/** How often the deadline is looked at, in milliseconds; at most this late it is kept. */
const SWEEP_MS = 500

interface Arrival {
  /** In the gateway's own milliseconds. */
  readonly since: number
  readonly served: Served
}

/**
 * Ends connections whose CONNECT has not come after `timeoutMs`, bytes dripped or not (threats M15,
 * H16). One timer for all; a connection costs nothing here once its CONNECT has come.
 */
export class Arrivals {
  readonly #serve: Serve
  readonly #timeoutMs: number
  readonly #uptime: () => number
  readonly #sweeper: NodeJS.Timeout
  /** In the order in which they came. */
  readonly #waiting = new Map<Carrier, Arrival>()

  constructor(serve: Serve, timeoutMs: number, uptime: () => number) {
    this.#serve = serve
    this.#timeoutMs = timeoutMs
    this.#uptime = uptime
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  add(stream: Carrier, handshake: Handshake, transport: Transport): void {
    const served = this.#serve(stream, handshake, transport)
    this.#waiting.set(stream, { since: this.#uptime(), served })
  }

  /** Ends those that have not sent a CONNECT; the others are for their sessions to end. */
  close(): void {
    clearInterval(this.#sweeper)
    for (const [stream, { served }] of this.#waiting) if (isNew(served)) stream.destroy()
    this.#waiting.clear()
  }

  #sweep(): void {
    const before = this.#uptime() - this.#timeoutMs
    for (const [stream, { since, served }] of this.#waiting) {
      const waits = isNew(served)
      if (waits && since <= before) stream.destroy()
      if (!waits || stream.destroyed) this.#waiting.delete(stream)
    }
  }
}

function isNew({ state }: Served): boolean {
  return state === 'new'
}
