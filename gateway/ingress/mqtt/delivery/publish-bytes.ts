/** PUBLISH as bytes, for one client (MQTT 5 and 3.1.1, section 3.3). */
import type { QoS } from 'mqtt-packet'
import { sizeOfVarint, writeVarint } from '../mapping/fields.ts'
import type { Content } from './content.ts'

/** What differs from one delivery of a message to the next. */
export interface Terms {
  readonly qos: QoS
  readonly dup: boolean
  readonly retain: boolean
  /** Of QoS 1 and 2. */
  readonly messageId: number
  /** MQTT 5: properties are written. */
  readonly is5: boolean
  /** Seconds that it has left; 0: it does not expire. */
  readonly expiry: number
  readonly identifiers: readonly number[]
  /** 0: none. */
  readonly alias: number
  /** The client knows what the alias stands for: the topic is left out. */
  readonly knowsAlias: boolean
  /** Encoded; what the gateway vouches for, if that is wanted. */
  readonly stamp: Buffer
}

const PUBLISH = 0x30
const EXPIRY = 0x02
const IDENTIFIER = 0x0b
const ALIAS = 0x23

const EXPIRY_BYTES = 5
const ALIAS_BYTES = 3

/** Of the whole packet, in bytes. */
export function sizeOf(content: Content, terms: Terms): number {
  const rest = restOf(content, terms)
  return 1 + sizeOfVarint(rest) + rest
}

/** In memory of Node's pool. */
export function publishBytes(content: Content, terms: Terms): Buffer {
  const { bytes, topicStart, topicEnd, propertiesStart, payloadStart, end } = content
  const rest = restOf(content, terms)
  const packet = Buffer.allocUnsafe(1 + sizeOfVarint(rest) + rest)
  const { qos, dup, retain, messageId, is5 } = terms
  packet[0] = PUBLISH | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  let at = writeVarint(packet, 1, rest)
  const topicSize = terms.knowsAlias ? 0 : topicEnd - topicStart
  at = write16(packet, at, topicSize)
  at += bytes.copy(packet, at, topicStart, topicStart + topicSize)
  if (qos > 0) at = write16(packet, at, messageId)
  if (is5) {
    at = writeVarint(packet, at, propertiesSize(content, terms))
    at = writeProperties(packet, at, terms)
    at += bytes.copy(packet, at, propertiesStart, payloadStart)
  }
  bytes.copy(packet, at, payloadStart, end)
  return packet
}

function restOf(content: Content, terms: Terms): number {
  const { topicStart, topicEnd, payloadStart, end } = content
  const size = 2 + (terms.knowsAlias ? 0 : topicEnd - topicStart) + end - payloadStart
  const withId = terms.qos > 0 ? size + 2 : size
  if (!terms.is5) return withId
  const properties = propertiesSize(content, terms)
  return withId + sizeOfVarint(properties) + properties
}

function propertiesSize({ propertiesStart, payloadStart }: Content, terms: Terms): number {
  let size = payloadStart - propertiesStart + terms.stamp.length
  if (terms.expiry > 0) size += EXPIRY_BYTES
  if (terms.alias > 0) size += ALIAS_BYTES
  for (const identifier of terms.identifiers) size += 1 + sizeOfVarint(identifier)
  return size
}

function writeProperties(packet: Buffer, start: number, terms: Terms): number {
  let at = start
  if (terms.expiry > 0) at = writeExpiry(packet, at, terms.expiry)
  if (terms.alias > 0) {
    packet[at] = ALIAS
    at = write16(packet, at + 1, terms.alias)
  }
  for (const identifier of terms.identifiers) {
    packet[at] = IDENTIFIER
    at = writeVarint(packet, at + 1, identifier)
  }
  packet.set(terms.stamp, at)
  return at + terms.stamp.length
}

/** Message Expiry Interval; returns where the next byte goes, as the others do. */
export function writeExpiry(bytes: Buffer, at: number, seconds: number): number {
  bytes[at] = EXPIRY
  return bytes.writeUInt32BE(seconds, at + 1)
}

export function write16(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 8
  bytes[at + 1] = value & 0xff
  return at + 2
}
