/** What of an HTTP request acceptors may look at (R7). */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Handshake } from '../locks/acceptor.ts'

/** What is about the transport alone. */
const TRANSPORT = /^(connection|upgrade|sec-websocket-.*|te|trailer|transfer-encoding)$/

/**
 * `remote`: whom it is from, peer or not (H14); `secret`: that of the path, if it has one. Few
 * locks look at headers, so they are sorted out for the first that does.
 */
export function handshakeOf(
  { headers, socket }: IncomingMessage,
  remote: string,
  secret?: string,
): Handshake {
  const { remoteAddress: peer } = socket
  let kept: Handshake['headers'] | undefined
  return {
    remote,
    ...(peer !== undefined && peer !== remote && { peer }),
    get headers() {
      kept ??= keptOf(headers)
      return kept
    },
    ...(secret !== undefined && { secret }),
  }
}

function keptOf(headers: IncomingHttpHeaders): Handshake['headers'] {
  const kept = Object.entries(headers)
    .filter(([name, value]) => value !== undefined && !TRANSPORT.test(name))
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')])
  return Object.fromEntries(kept)
}
