/** Counts TCP connections, so that neither one address nor all of them together take everything. */
import type { Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'

/**
 * Connections beyond a bound that are still accepted, so that one too many can be told so, and
 * health be asked for; more are closed at once.
 */
const SPARE = 64

export interface ConnectionBounds {
  readonly max: number
  /** From one network address. Headers such as X-Forwarded-For are not believed (threat H14). */
  readonly perAddress: number
}

export class Connections {
  readonly #bounds: ConnectionBounds
  readonly #byAddress = new Map<string, number>()
  #count = 0

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds
  }

  /** Counts a new connection until it closes, or closes it. */
  take(socket: Socket): void {
    // It may have gone already; it then has no address and no further `close`.
    const { remoteAddress } = socket
    if (remoteAddress === undefined) return void socket.destroy()
    this.#change(remoteAddress, 1)
    socket.once('close', () => this.#change(remoteAddress, -1))
    if (this.#over(remoteAddress, SPARE)) socket.destroy()
  }

  /** Throws Refusal CONNECTION_LIMIT where a counted connection is one too many to stay. */
  check({ remoteAddress = '' }: Socket): void {
    const over = this.#over(remoteAddress, 0)
    if (over) throw new Refusal(Code.CONNECTION_LIMIT, over)
  }

  #over(address: string, spare: number): string | undefined {
    const { max, perAddress } = this.#bounds
    if (this.#count > max + spare) return 'the gateway is full'
    const count = this.#byAddress.get(address) ?? 0
    return count > perAddress + spare ? 'too many from this address' : undefined
  }

  #change(address: string, by: 1 | -1): void {
    this.#count += by
    const count = (this.#byAddress.get(address) ?? 0) + by
    if (count === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, count)
  }
}
