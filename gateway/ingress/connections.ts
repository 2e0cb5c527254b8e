/** Counts TCP connections, so that neither one address nor all of them together take everything. */
import type { Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { Proxies } from './proxies.ts'

/**
 * Connections beyond a bound that are still accepted, so that one too many can be told so, and
 * health be asked for; more are closed at once.
 */
const SPARE = 64

export interface ConnectionBounds {
  readonly max: number
  /** From one network address, or for one whom a trusted proxy names (threat H14). */
  readonly perAddress: number
}

export class Connections {
  readonly #bounds: ConnectionBounds
  readonly #proxies: Proxies
  readonly #byAddress = new Map<string, number>()
  #count = 0

  constructor(bounds: ConnectionBounds, proxies: Proxies) {
    this.#bounds = bounds
    this.#proxies = proxies
  }

  get count(): number {
    return this.#count
  }

  /** Counts a new connection until it closes, or closes it. A proxy's is nobody's own yet. */
  take(socket: Socket): void {
    // It may have gone already; it then has no address and no further `close`.
    const { remoteAddress } = socket
    if (remoteAddress === undefined) return void socket.destroy()
    this.#count++
    const address = this.#proxies.trusts(remoteAddress) ? undefined : remoteAddress
    if (address !== undefined) this.#change(address, 1)
    // Not by once(), which takes twice as much; it closes once (G10).
    socket.on('close', () => {
      this.#count--
      if (address !== undefined) this.#change(address, -1)
    })
    if (this.#over(address, SPARE)) socket.destroy()
  }

  /**
   * Throws Refusal CONNECTION_LIMIT where a counted connection is one too many to stay. One that a
   * proxy has made for `remote` counts as that one's from here on.
   */
  check(socket: Socket, remote: string | undefined = socket.remoteAddress): void {
    if (remote !== undefined && remote !== socket.remoteAddress) {
      this.#change(remote, 1)
      socket.on('close', () => this.#change(remote, -1))
    }
    const over = this.#over(remote, 0)
    if (over) throw new Refusal(Code.CONNECTION_LIMIT, over)
  }

  #over(address: string | undefined, spare: number): string | undefined {
    const { max, perAddress } = this.#bounds
    if (this.#count > max + spare) return 'the gateway is full'
    const count = this.#byAddress.get(address ?? '') ?? 0
    return count > perAddress + spare ? 'too many from this address' : undefined
  }

  #change(address: string, by: 1 | -1): void {
    const count = (this.#byAddress.get(address) ?? 0) + by
    if (count === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, count)
  }
}
