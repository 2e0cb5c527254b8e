/** What of an HTTP request acceptors may look at (R7). */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Handshake } from '../locks/acceptor.ts'

/** `remote`: whom it is from, peer or not (H14); `secret`: that of the path, if it has one. */
export function handshakeOf(
  { headers, socket }: IncomingMessage,
  remote: string,
  secret?: string,
): Handshake {
  const { remoteAddress: peer } = socket
  return {
    remote,
    ...(peer !== undefined && peer !== remote && { peer }),
    headers: keptOf(headers),
    ...(secret !== undefined && { secret }),
  }
}

/** It is kept as long as the socket, so without what is about the transport alone (G10). */
function keptOf(headers: IncomingHttpHeaders): Handshake['headers'] {
  const kept: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || isOfTransport(name)) continue
    kept[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return kept
}

function isOfTransport(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'upgrade':
    case 'te':
    case 'trailer':
    case 'transfer-encoding':
      return true
    default:
      return name.startsWith('sec-websocket-')
  }
}
