/**
 * What a WebSocket ping of ours holds: how far its connection was written to. The pong holds the
 * same (RFC 6455 section 5.5.3), and so says how far the peer has read.
 */

/** Enough for all that one connection will ever be written. */
const POSITION_BYTES = 6

export function positionBytes(position: number): Buffer {
  const bytes = Buffer.allocUnsafe(POSITION_BYTES)
  bytes.writeUIntBE(position, 0, POSITION_BYTES)
  return bytes
}

/** Of a pong; 0: it answers no ping of ours. */
export function positionIn(bytes: Buffer): number {
  return bytes.length === POSITION_BYTES ? bytes.readUIntBE(0, POSITION_BYTES) : 0
}
