/** The fields of an Envelope's body by hand, for it is on the hot path of MQTT. */

/** Tags of Envelope's fields: number and wire type. */
export const Tag = {
  PAYLOAD: 0x1a,
  CONTENT_TYPE: 0x22,
  HEADER: 0x2a,
  TEXT: 0x32,
  REPLY_TO: 0x3a,
  CORRELATION_ID: 0x42,
  EXPIRES_AFTER: 0x48,
  QUALITY: 0x50,
  RETAINED: 0x58,
} as const

/** Tags of an entry of the headers. */
const KEY = 0x0a
const VALUE = 0x12

/** Bytes of a varint of at most 32 bits. */
export function sizeOfVarint(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

/**
 * A varint of at most 32 bits, which of at most 28 is MQTT's variable byte integer as well
 * [MQTT-1.5.5-1]; returns where the next byte goes.
 */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let pos = at
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes[pos++] = (rest & 0x7f) | 0x80
  bytes[pos++] = rest
  return pos
}

/** Writes a one-byte tag and a varint of at most 32 bits; returns where the next byte goes. */
export function writeTagged(bytes: Uint8Array, at: number, tag: number, value: number): number {
  bytes[at] = tag
  return writeVarint(bytes, at + 1, value)
}

export function numberField(tag: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(1 + sizeOfVarint(value))
  writeTagged(bytes, 0, tag, value)
  return bytes
}

export function bytesField(tag: number, content: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + sizeOfVarint(content.length) + content.length)
  bytes.set(content, writeTagged(bytes, 0, tag, content.length))
  return bytes
}

export function headerField(name: Uint8Array, value: Uint8Array): Buffer {
  return bytesField(Tag.HEADER, Buffer.concat([bytesField(KEY, name), bytesField(VALUE, value)]))
}
