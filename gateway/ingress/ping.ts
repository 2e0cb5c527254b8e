/**
 * What a WebSocket ping of ours holds: how far its connection was written to. The pong holds the
 * same (RFC 6455 section 5.5.3), and so says how far the peer has read.
 */

/** Enough for all that one connection will ever be written. */
const POSITION_BYTES = 6

/** A WebSocket of ws. */
interface Peer {
  readonly readyState: number
  readonly OPEN: number
  ping(bytes: Buffer): void
}

/** False where it cannot be asked any more. */
export function ping(ws: Peer, position: number): boolean {
  if (ws.readyState !== ws.OPEN) return false
  const bytes = Buffer.allocUnsafe(POSITION_BYTES)
  bytes.writeUIntBE(position, 0, POSITION_BYTES)
  ws.ping(bytes)
  return true
}

/** Of a pong; 0: it answers no ping of ours. */
export function positionIn(bytes: Buffer): number {
  return bytes.length === POSITION_BYTES ? bytes.readUIntBE(0, POSITION_BYTES) : 0
}
