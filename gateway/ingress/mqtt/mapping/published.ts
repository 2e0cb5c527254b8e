/** An envelope as a PUBLISH, read straight from its bytes, since no body is ever decoded. */
import type { EnvelopeBody } from '../../../protocol/packet-writer.ts'
import { Reader } from '../../../protocol/reader.ts'
import { Tag } from './fields.ts'
import { Property, PropertyWriter } from './properties.ts'
import { responseTopicOf } from './reply-to.ts'
import { isReserved, REPLY_TO, RESERVED_PREFIX } from './reserved-names.ts'

export interface Published {
  /** A view of the envelope's bytes. */
  readonly payload: Buffer
  /**
   * Encoded, without their length in front; without those that differ from delivery to delivery:
   * message expiry interval, subscription identifiers, topic alias.
   */
  readonly properties: Buffer
  /** Seconds after the stamp's time; 0: it does not expire. */
  readonly expiresAfter: number
  /** A Quality. */
  readonly quality: number
}

/** Where a field's bytes lie; empty where there is none. */
interface Fields {
  type: Buffer | undefined
  replyTo: Buffer | undefined
  correlation: Buffer | undefined
  readonly headers: Buffer[]
}

/** `body` has passed scanEnvelope, or is envelopeOf's. Never throws. */
export function propertiesOf(body: EnvelopeBody): Published {
  const { bytes, content, contentStart, contentEnd, expiresAfter, quality } = body
  const payload = bytes.subarray(contentStart, contentEnd)
  return { payload, properties: encoded(content === 6, fieldsOf(body)), expiresAfter, quality }
}

function fieldsOf({ bytes, start, cutStart, cutEnd, end }: EnvelopeBody): Fields {
  const fields: Fields = {
    type: undefined,
    replyTo: undefined,
    correlation: undefined,
    headers: [],
  }
  readSpan(new Reader(bytes, start, cutStart), fields)
  if (cutEnd < end) readSpan(new Reader(bytes, cutEnd, end), fields)
  return fields
}

/** Of a field that is given twice the last counts, as to any reader of Protobuf. */
function readSpan(reader: Reader, fields: Fields): void {
  while (reader.pos < reader.end) {
    const tag = reader.uint32()
    if (tag === Tag.CONTENT_TYPE) fields.type = take(reader)
    else if (tag === Tag.HEADER) fields.headers.push(take(reader))
    else if (tag === Tag.REPLY_TO) fields.replyTo = take(reader)
    else if (tag === Tag.CORRELATION_ID) fields.correlation = take(reader)
    else reader.skip(tag & 7)
  }
}

function take(reader: Reader): Buffer {
  const end = reader.lengthEnd()
  const bytes = reader.bytes.subarray(reader.pos, end)
  reader.pos = end
  return bytes
}

function encoded(isText: boolean, { type, headers, replyTo, correlation }: Fields): Buffer {
  const writer = new PropertyWriter()
  if (isText) writer.byte(Property.PAYLOAD_FORMAT, 1)
  if (type) writer.string(Property.CONTENT_TYPE, type)
  if (replyTo && replyTo.length > 0) writeReplyTo(writer, replyTo)
  if (correlation) writer.binary(Property.CORRELATION_DATA, correlation)
  for (const header of headers) writeHeader(writer, header)
  return writer.whole()
}

function writeReplyTo(writer: PropertyWriter, replyTo: Buffer): void {
  const topic = responseTopicOf(replyTo.toString())
  if (topic === undefined) writer.user(Buffer.from(REPLY_TO), replyTo)
  else writer.string(Property.RESPONSE_TOPIC, Buffer.from(topic))
}

const NO_BYTES = Buffer.alloc(0)
/** Tags of an entry's key and value. */
const KEY = 0x0a
const VALUE = 0x12

/** One entry of the headers; what could pass for the gateway's own word is not passed on. */
function writeHeader(writer: PropertyWriter, entry: Buffer): void {
  const reader = new Reader(entry)
  let name: Buffer = NO_BYTES
  let value: Buffer = NO_BYTES
  while (reader.pos < reader.end) {
    const tag = reader.uint32()
    if (tag === KEY) name = take(reader)
    else if (tag === VALUE) value = take(reader)
    else reader.skip(tag & 7)
  }
  if (isReserved(name.toString('latin1', 0, RESERVED_PREFIX.length))) return
  writer.user(name, value)
}
