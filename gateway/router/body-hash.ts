/** What tells whether two messages under one idempotency key are the same (R30). */
import { hash } from 'node:crypto'
import { Reader } from '../protocol/reader.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'

/** Number of the headers in Envelope, and of the key in one of them, with its wire type. */
const HEADERS = 5
const KEY_TAG = 0x0a

/** W3C trace context: where traces are kept, each try of a message has another. */
const TRACE = /^trace(parent|state)$/

/** Of all bytes but the routing and the trace context, in hex. The envelope was scanned. */
export function hashOfBody({ bytes, start, cutStart, cutEnd, end }: ScannedEnvelope): string {
  const body = [...partsOf(bytes, start, cutStart), ...partsOf(bytes, cutEnd, end)]
  return hash('sha256', Buffer.concat(body), 'hex')
}

/** The fields from `start` to `end`, but for the trace context. */
function partsOf(bytes: Buffer, start: number, end: number): Buffer[] {
  const at = bytes.indexOf('trace', start)
  if (at < 0 || at >= end) return [bytes.subarray(start, end)]
  const parts: Buffer[] = []
  const reader = new Reader(bytes, start, end)
  while (reader.pos < end) {
    const from = reader.pos
    const tag = reader.uint32()
    const value = reader.pos
    reader.skip(tag & 7)
    const isTrace = tag >>> 3 === HEADERS && isTraceHeader(bytes, value, reader.pos)
    if (!isTrace) parts.push(bytes.subarray(from, reader.pos))
  }
  return parts
}

function isTraceHeader(bytes: Buffer, start: number, end: number): boolean {
  const entry = new Reader(bytes, start, end)
  entry.end = entry.lengthEnd()
  if (entry.pos === entry.end || entry.uint32() !== KEY_TAG) return false
  const keyEnd = entry.lengthEnd()
  return TRACE.test(bytes.toString('latin1', entry.pos, keyEnd))
}
