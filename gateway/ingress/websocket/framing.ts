/**
 * WebSocket frames (RFC 6455 section 5.2): written as a server sends them, unmasked and
 * unfragmented; their headers read as a client sends them.
 */

/** Longest header of such a frame, in bytes: what a writer leaves free before its payload. */
export const HEADROOM = 10

/** First bytes of whole frames: FIN and an opcode. */
export const TEXT = 0x81
export const BINARY = 0x82
export const PING = 0x89
export const PONG = 0x8a

const MASKED = 0x80

/**
 * Writes the header of the payload in bytes[start, end) right before it; returns where it begins.
 */
export function writeHeader(bytes: Buffer, start: number, end: number, firstByte: number): number {
  const size = end - start
  const at = start - (size < 126 ? 2 : size < 65_536 ? 4 : HEADROOM)
  bytes[at] = firstByte
  if (size < 126) {
    bytes[at + 1] = size
  } else if (size < 65_536) {
    bytes[at + 1] = 126
    bytes.writeUInt16BE(size, at + 2)
  } else {
    bytes[at + 1] = 127
    bytes.writeBigUInt64BE(BigInt(size), at + 2)
  }
  return at
}

/** Whether the header of the frame at `pos` is there to its last byte. */
export function isWholeHeader(chunk: Buffer, pos: number): boolean {
  return chunk.length - pos >= 2 && chunk.length - pos >= headerSize(chunk, pos)
}

export function isMasked(chunk: Buffer, pos: number): boolean {
  return ((chunk[pos + 1] as number) & MASKED) !== 0
}

/** Of the frame at `pos`, in bytes, its mask included. */
export function headerSize(chunk: Buffer, pos: number): number {
  const size = (chunk[pos + 1] as number) & 0x7f
  return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + (isMasked(chunk, pos) ? 4 : 0)
}

/** Of the frame at `pos`, in bytes. */
export function payloadSize(chunk: Buffer, pos: number): number {
  const size = (chunk[pos + 1] as number) & 0x7f
  if (size === 126) return chunk.readUInt16BE(pos + 2)
  return size === 127 ? Number(chunk.readBigUInt64BE(pos + 2)) : size
}

/** In place; the mask lies right before the payload. */
export function unmask(chunk: Buffer, start: number, end: number): void {
  const m0 = chunk[start - 4] as number
  const m1 = chunk[start - 3] as number
  const m2 = chunk[start - 2] as number
  const m3 = chunk[start - 1] as number
  let i = start
  for (; i + 3 < end; i += 4) {
    chunk[i] = (chunk[i] as number) ^ m0
    chunk[i + 1] = (chunk[i + 1] as number) ^ m1
    chunk[i + 2] = (chunk[i + 2] as number) ^ m2
    chunk[i + 3] = (chunk[i + 3] as number) ^ m3
  }
  if (i < end) chunk[i] = (chunk[i] as number) ^ m0
  if (i + 1 < end) chunk[i + 1] = (chunk[i + 1] as number) ^ m1
  if (i + 2 < end) chunk[i + 2] = (chunk[i + 2] as number) ^ m2
}
