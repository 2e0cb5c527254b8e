/**
 * Reads an Envelope's routing and checks the rest without decoding it (PH-6): the body that
 * receivers get is the sender's own bytes, so what a receiver's codec would choke on is refused
 * here.
 */
import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from './codes.ts'
import {
  CHANNEL_BYTES_MAX,
  CONTENT_TYPE_BYTES_MAX,
  CORRELATION_BYTES_MAX,
  KEY_BYTES_MAX,
  type Limits,
  NAME_BYTES_MAX,
} from './limits.ts'
import {
  expectWireType,
  invalidUtf8,
  LENGTH_DELIMITED,
  malformed,
  Reader,
  VARINT,
} from './reader.ts'
import { skipUnknown } from './scan-packet.ts'

/** What the sender asked for, and where in `bytes` the body lies: two spans around the routing. */
export interface ScannedEnvelope {
  readonly bytes: Buffer
  /** Routing.route; 0 where absent. */
  route: number
  channel: string
  to: string[]
  /** Routing.receipt: a ReceiptLevel, unknown ones included. */
  receipt: number
  key: string
  /** Routing.acting; `` where absent. */
  acting: string
  /** Routing.retain. */
  retain: boolean
  /** Number of the field that holds the content, 0 where there is none, and where its bytes lie. */
  content: 0 | 3 | 6
  contentStart: number
  contentEnd: number
  /** Seconds after its acceptance; 0: it does not expire. */
  expiresAfter: number
  /** A Quality; 0 where it was not published over MQTT. */
  quality: number
  /** It was published over MQTT with RETAIN. */
  retained: boolean
  /** Where the bytes of content_type lie. */
  typeStart: number
  typeEnd: number
  /** First span of the body: [start, cutStart). Second: [cutEnd, end). */
  readonly start: number
  cutStart: number
  cutEnd: number
  readonly end: number
}

const NO_DESTINATIONS: string[] = []

/**
 * Throws Refusal for an envelope that is malformed, over a limit, or sets what is the gateway's.
 */
export function scanEnvelope(
  bytes: Buffer,
  start: number,
  end: number,
  limits: Limits,
): ScannedEnvelope {
  const envelope: ScannedEnvelope = {
    bytes,
    route: 0,
    channel: '',
    to: NO_DESTINATIONS,
    receipt: 0,
    key: '',
    acting: '',
    retain: false,
    content: 0,
    contentStart: 0,
    contentEnd: 0,
    expiresAfter: 0,
    quality: 0,
    retained: false,
    typeStart: 0,
    typeEnd: 0,
    start,
    cutStart: end,
    cutEnd: end,
    end,
  }
  const reader = new Reader(bytes, start, end)
  const seen = { routing: false, headers: 0, headersBytes: 0 }
  while (reader.pos < end) {
    const fieldStart = reader.pos
    const tag = reader.uint32()
    const field = tag >>> 3
    if (field === 1) {
      expectWireType(tag & 7, LENGTH_DELIMITED)
      if (seen.routing) throw malformed('routing given twice')
      seen.routing = true
      reader.end = reader.lengthEnd()
      scanRouting(reader, envelope, limits)
      reader.end = end
      envelope.cutStart = fieldStart
      envelope.cutEnd = reader.pos
    } else {
      scanBodyField(reader, tag, envelope, seen, limits)
    }
  }
  return envelope
}

interface Seen {
  headers: number
  headersBytes: number
}

function scanBodyField(
  reader: Reader,
  tag: number,
  envelope: ScannedEnvelope,
  seen: Seen,
  limits: Limits,
): void {
  const field = tag >>> 3
  if (field === 2 || (field >= 16 && field <= 31)) {
    throw new Refusal(Code.RESERVED_FIELD, `field ${field} is the gateway's to set`)
  }
  if (field === 0 || field > 11) return skipUnknown(reader, tag)
  expectWireType(tag & 7, field > 8 ? VARINT : LENGTH_DELIMITED)
  if (field === 9) {
    envelope.expiresAfter = reader.uint32()
    return
  }
  if (field === 10) {
    envelope.quality = reader.uint32()
    return
  }
  if (field === 11) {
    envelope.retained = reader.uint32() !== 0
    return
  }
  if (field === 3 || field === 6) return scanContent(reader, field, envelope, limits)
  if (field === 5) return scanHeader(reader, seen, limits)
  if (field === 4) {
    const end = reader.text(CONTENT_TYPE_BYTES_MAX, 'content_type')
    envelope.typeStart = reader.pos
    envelope.typeEnd = end
    reader.pos = end
  } else if (field === 7) reader.pos = reader.text(NAME_BYTES_MAX, 'reply_to')
  else {
    const end = reader.lengthEnd()
    if (end - reader.pos > CORRELATION_BYTES_MAX) {
      throw new Refusal(Code.NAME_TOO_LONG, `correlation_id is over ${CORRELATION_BYTES_MAX} bytes`)
    }
    reader.pos = end
  }
}

function scanContent(
  reader: Reader,
  field: 3 | 6,
  envelope: ScannedEnvelope,
  limits: Limits,
): void {
  if (envelope.content !== 0) throw malformed('content given twice')
  const end = reader.lengthEnd()
  if (end - reader.pos > limits.payloadBytes) {
    const detail = `over ${limits.payloadBytes} bytes`
    throw new Refusal(Code.PAYLOAD_TOO_LARGE, detail, 'setting limits.payloadBytes')
  }
  if (field === 6 && !isUtf8(reader.bytes.subarray(reader.pos, end))) throw invalidUtf8('text')
  envelope.content = field
  envelope.contentStart = reader.pos
  envelope.contentEnd = end
  reader.pos = end
}

/** One entry of the headers map: key (1) and value (2), both strings. */
function scanHeader(reader: Reader, seen: Seen, limits: Limits): void {
  const outer = reader.end
  reader.end = reader.lengthEnd()
  if (++seen.headers > limits.headers) {
    const detail = `over ${limits.headers} headers`
    throw new Refusal(Code.HEADERS_TOO_LARGE, detail, 'setting limits.headers')
  }
  while (reader.pos < reader.end) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1 || tag >>> 3 === 2) {
      expectWireType(tag & 7, LENGTH_DELIMITED)
      scanHeaderText(reader, seen, limits)
    } else {
      skipUnknown(reader, tag)
    }
  }
  reader.end = outer
}

function scanHeaderText(reader: Reader, seen: Seen, { headersBytes }: Limits): void {
  const end = reader.lengthEnd()
  seen.headersBytes += end - reader.pos
  if (seen.headersBytes > headersBytes) {
    const detail = `over ${headersBytes} bytes of headers`
    throw new Refusal(Code.HEADERS_TOO_LARGE, detail, 'setting limits.headersBytes')
  }
  if (!isUtf8(reader.bytes.subarray(reader.pos, end))) throw invalidUtf8('a header')
  reader.pos = end
}

function scanRouting(reader: Reader, envelope: ScannedEnvelope, limits: Limits): void {
  while (reader.pos < reader.end) {
    const tag = reader.uint32()
    const field = tag >>> 3
    if (field === 0 || field > 7) {
      skipUnknown(reader, tag)
      continue
    }
    expectWireType(tag & 7, isNumber(field) ? VARINT : LENGTH_DELIMITED)
    if (field === 1) envelope.route = reader.uint32()
    else if (field === 4) envelope.receipt = reader.uint32()
    else if (field === 7) envelope.retain = reader.uint32() !== 0
    else if (field === 2) envelope.channel = reader.string(CHANNEL_BYTES_MAX, 'channel')
    else if (field === 6) envelope.acting = reader.string(NAME_BYTES_MAX, 'acting')
    else if (field === 5) envelope.key = reader.string(KEY_BYTES_MAX, 'idempotency_key')
    else addDestination(envelope, reader.string(NAME_BYTES_MAX, 'an address'), limits)
  }
  if (envelope.route !== 0 && envelope.to.length > 0) throw malformed('both route and to')
}

/** Of the fields of Routing. */
function isNumber(field: number): boolean {
  return field === 1 || field === 4 || field === 7
}

function addDestination(envelope: ScannedEnvelope, address: string, limits: Limits): void {
  if (envelope.to.length >= limits.destinations) {
    const detail = `over ${limits.destinations} destinations`
    throw new Refusal(Code.TOO_MANY_DESTINATIONS, detail, 'setting limits.destinations')
  }
  if (envelope.to === NO_DESTINATIONS) envelope.to = [address]
  else envelope.to.push(address)
}
