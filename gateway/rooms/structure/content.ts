/** The content of an envelope, and the same envelope with another. */
import type { EnvelopeBody } from '../../protocol/packet-writer.ts'
import { Reader } from '../../protocol/reader.ts'
import type { ScannedEnvelope } from '../../protocol/scan-envelope.ts'

/** Fields of Envelope. */
export const PAYLOAD = 3
export const TEXT = 6
const ROUTING = 1
const CONTENT_TYPE = 4

export function contentOf({ bytes, contentStart, contentEnd }: EnvelopeBody): Buffer {
  return bytes.subarray(contentStart, contentEnd)
}

/**
 * The envelope with another content, or with the same in the other field. All else stays as it
 * came, unknown fields too; but the content_type is gone where the bytes are no longer what it
 * says.
 */
export function withContent(
  envelope: ScannedEnvelope,
  field: typeof PAYLOAD | typeof TEXT,
  content: Buffer,
  keepType: boolean,
): ScannedEnvelope {
  const spans: Buffer[] = []
  let length = 0
  const cut = { start: 0, end: 0 }
  const type = { start: 0, end: 0 }
  const reader = new Reader(envelope.bytes, envelope.start, envelope.end)
  while (reader.pos < reader.end) {
    const start = reader.pos
    const tag = reader.uint32()
    reader.skip(tag & 7)
    const number = tag >>> 3
    if (number === PAYLOAD || number === TEXT) continue
    if (number === CONTENT_TYPE && !keepType) continue
    const span = envelope.bytes.subarray(start, reader.pos)
    if (number === ROUTING) Object.assign(cut, { start: length, end: length + span.length })
    spans.push(span)
    length += span.length
    // Given twice, the last counts.
    if (number === CONTENT_TYPE) {
      const size = envelope.typeEnd - envelope.typeStart
      Object.assign(type, { start: length - size, end: length })
    }
  }
  const header = headerOf(field, content.length)
  const bytes = Buffer.concat([...spans, header, content])
  return {
    ...envelope,
    bytes,
    start: 0,
    end: bytes.length,
    // Without routing, the body is the first span alone.
    cutStart: cut.end > 0 ? cut.start : bytes.length,
    cutEnd: cut.end > 0 ? cut.end : bytes.length,
    typeStart: type.start,
    typeEnd: type.end,
    content: field,
    contentStart: bytes.length - content.length,
    contentEnd: bytes.length,
  }
}

/** Tag and length of a field. */
function headerOf(field: number, length: number): Buffer {
  const header = [(field << 3) | 2]
  let rest = length
  for (; rest >= 0x80; rest >>>= 7) header.push((rest & 0x7f) | 0x80)
  return Buffer.from([...header, rest])
}
