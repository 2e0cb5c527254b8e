/**
 * PUBLISH, PUBACK, PUBREC, PUBREL and PUBCOMP, which are nearly all that comes, read from their
 * bytes in one go. What is given has the form of mqtt-packet's, against which the tests hold it.
 */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import type { Cursor } from './check/cursor.ts'
import { ACK_MAY, PUBLISH_MAY, readProperties } from './check/properties.ts'
import { checkTopic } from './check/topic.ts'
import { DUP, Kind, qosOf, RETAIN, type Version } from './kind.ts'
import { malformed, protocolError } from './mqtt-error.ts'

/** The acknowledgements of PUBLISH, by kind. */
const ACKS = {
  [Kind.PUBACK]: 'puback',
  [Kind.PUBREC]: 'pubrec',
  [Kind.PUBREL]: 'pubrel',
  [Kind.PUBCOMP]: 'pubcomp',
} as const

export type AckKind = keyof typeof ACKS
export type Ack = (typeof ACKS)[AckKind]

export type AckPacket = Extract<Packet, { cmd: Ack }>

/** Of PUBACK and PUBREC; MQTT 5 sections 3.4.2.1 and 3.5.2.1. */
const TAKEN: ReadonlySet<number> = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])

/** Of PUBREL and PUBCOMP; MQTT 5 sections 3.6.2.1 and 3.7.2.1. */
const RELEASED: ReadonlySet<number> = new Set([0x00, 0x92])

/**
 * The cursor is over all behind the fixed header, whose first byte was checked. The payload is a
 * view of what was read. Throws MqttError 0x81, 0x82 or 0x94; whether a payload is the UTF-8 that
 * it says it is, is for checkFormat.
 */
export function readPublish(cursor: Cursor, first: number, version: Version): IPublishPacket {
  const length = cursor.left
  const qos = qosOf(first) as IPublishPacket['qos']
  const topic = cursor.text()
  const messageId = qos > 0 ? cursor.messageId() : 0
  const properties = version === 5 ? readProperties(cursor, PUBLISH_MAY) : undefined
  if (properties?.subscriptionIdentifier !== undefined) {
    throw protocolError('a subscription identifier from a client')
  }
  // An alias stands for the topic; whether it is a known one is the connection's to say.
  if (topic !== '' || version < 5) checkTopic(topic)
  else if (properties?.topicAlias === undefined) throw protocolError('neither a topic nor an alias')
  const retain = (first & RETAIN) !== 0
  const dup = (first & DUP) !== 0
  const payload = cursor.rest()
  const packet: IPublishPacket = { cmd: 'publish', retain, qos, dup, length, topic, payload }
  if (qos > 0) packet.messageId = messageId
  if (properties) packet.properties = properties
  return packet
}

/** As readPublish. Throws MqttError 0x81 or 0x82. */
export function readAck(cursor: Cursor, kind: AckKind, version: Version): AckPacket {
  const packet: AckPacket = { cmd: ACKS[kind], length: cursor.left, messageId: cursor.messageId() }
  if (version === 5) readReason(cursor, packet)
  cursor.finish()
  return packet
}

/** What MQTT 5 has behind the identifier, none of which must be there if the reason is 0. */
function readReason(cursor: Cursor, packet: AckPacket): void {
  const released = packet.cmd === 'pubrel' || packet.cmd === 'pubcomp'
  packet.reasonCode = cursor.left > 0 ? cursor.byte() : 0
  if (!(released ? RELEASED : TAKEN).has(packet.reasonCode)) {
    throw malformed(`not a reason of ${packet.cmd.toUpperCase()}`)
  }
  const properties = cursor.left > 0 ? readProperties(cursor, ACK_MAY) : undefined
  if (properties) packet.properties = properties
}
