/** Whom a request is from: the peer, or whom a trusted proxy names in its place (threat H14). */
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import { type Hop, parseForwarded, parseForwardedFor } from './forwarded.ts'

/** Of either version of HTTP. */
export interface Forwardable {
  readonly headers: IncomingHttpHeaders
  readonly socket: Pick<Socket, 'remoteAddress'>
}

export class Proxies {
  readonly #trusted = new BlockList()
  readonly #none: boolean

  /** `networks`: addresses or networks such as 10.0.0.0/8, which have been checked. */
  constructor(networks: readonly string[]) {
    this.#none = networks.length === 0
    for (const network of networks) {
      const [address = '', prefix] = network.split('/')
      const bits = isIP(address) === 4 ? 32 : 128
      this.#trusted.addSubnet(address, Number(prefix ?? bits), familyOf(address))
    }
  }

  /** Whether an address is that of a proxy. */
  trusts(address: string): boolean {
    if (this.#none) return false
    // An IPv4 peer of a listener for both is written as `::ffff:10.0.0.1`.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
    return isIP(plain) !== 0 && this.#trusted.check(plain, familyOf(plain))
  }

  /**
   * The address that a request is from. Throws Refusal where a trusted proxy's headers are
   * malformed or contradict each other: one is then what somebody else wrote, and was passed on.
   */
  remoteOf(request: Forwardable): string {
    return this.#originOf(request).address ?? ''
  }

  /** Whether its sender has TLS, as far as can be known. Throws as `remoteOf`. */
  isSecure(request: Forwardable): boolean {
    const { proto } = this.#originOf(request)
    return proto === undefined ? 'encrypted' in request.socket : proto === 'https'
  }

  #originOf({ headers, socket: { remoteAddress = '' } }: Forwardable): Hop {
    const peer = { address: remoteAddress, proto: undefined }
    if (!this.trusts(remoteAddress)) return peer
    const { forwarded, 'x-forwarded-for': list, 'x-forwarded-proto': protos } = headers
    const proto = String(protos ?? '')
      .split(',')
      .at(-1)
      ?.trim()
      .toLowerCase()
    const other =
      list === undefined ? undefined : this.#furthest(parseForwardedFor(String(list)), peer)
    const standard =
      forwarded === undefined ? undefined : this.#furthest(parseForwarded(forwarded), peer)
    if (other && standard && other.address !== standard.address) {
      throw new Refusal(Code.HANDSHAKE_INVALID, 'Forwarded and X-Forwarded-For do not agree')
    }
    const { address } = standard ?? other ?? peer
    return { address, proto: standard?.proto ?? (proto || undefined) }
  }

  /** From the nearest hop on: the first that is no proxy, or the last that is known. */
  #furthest(hops: readonly Hop[] | undefined, peer: Hop): Hop {
    if (!hops) throw new Refusal(Code.HANDSHAKE_INVALID, 'what the proxy forwarded is malformed')
    let known = peer
    for (const hop of hops.toReversed()) {
      if (hop.address === undefined) return known
      known = hop
      if (!this.trusts(hop.address)) return known
    }
    return known
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}
