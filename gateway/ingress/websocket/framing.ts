/** WebSocket frames as a server sends them: unmasked, unfragmented (RFC 6455 section 5.2). */

/** Longest header of such a frame, in bytes: what a writer leaves free before its payload. */
export const HEADROOM = 10

export const TEXT = 0x81
export const BINARY = 0x82

/** Writes the header right before the payload that follows HEADROOM bytes; gives the whole frame. */
export function frameInPlace(buffer: Buffer, firstByte: number): Buffer {
  const size = buffer.length - HEADROOM
  const start = HEADROOM - (size < 126 ? 2 : size < 65_536 ? 4 : 10)
  buffer[start] = firstByte
  if (size < 126) {
    buffer[start + 1] = size
  } else if (size < 65_536) {
    buffer[start + 1] = 126
    buffer.writeUInt16BE(size, start + 2)
  } else {
    buffer[start + 1] = 127
    buffer.writeUInt32BE(0, start + 2)
    buffer.writeUInt32BE(size, start + 6)
  }
  return buffer.subarray(start)
}
