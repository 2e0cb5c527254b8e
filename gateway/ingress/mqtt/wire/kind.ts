/** The kinds of packets, by the first byte (MQTT 5 section 2.1): what of them a client may send. */
import type { IPublishPacket } from 'mqtt-packet'
import { malformed, protocolError } from './mqtt-error.ts'

/** Of the protocol: 3 is MQTT 3.1, 4 is MQTT 3.1.1. */
export type Version = 3 | 4 | 5

export const Kind = {
  CONNECT: 1,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  UNSUBSCRIBE: 10,
  PINGREQ: 12,
  DISCONNECT: 14,
  AUTH: 15,
} as const

/** Of the first byte. DUP is of PUBLISH; 3.1 has it in whatever is sent again. */
export const DUP = 0x08
export const RETAIN = 0x01

/** By kind: the lower half of the first byte; undefined: not a client's to send. */
const FLAGS: readonly (number | undefined)[] = [
  undefined, // reserved
  0x0,
  undefined, // CONNACK
  undefined, // PUBLISH, which has flags of its own
  0x0,
  0x0,
  0x2,
  0x0,
  0x2,
  undefined, // SUBACK
  0x2,
  undefined, // UNSUBACK
  0x0,
  undefined, // PINGRESP
  0x0,
  0x0,
]

/**
 * Throws what is wrong with a packet by its first byte alone: a kind that is reserved or the
 * server's to send (M14), or flags that the kind does not have [MQTT-2.1.3-1], [MQTT-2.2.2-2].
 */
export function checkFirstByte(first: number, version: Version): void {
  const kind = first >> 4
  if (kind === Kind.PUBLISH) return checkPublishFlags(first)
  if (kind === 0 || (kind === Kind.AUTH && version < 5)) throw malformed('a reserved packet type')
  const flags = FLAGS[kind]
  if (flags === undefined) throw protocolError('a packet that only a server sends')
  if ((first & 0xf) !== flags && !isSentAgain(first, flags, version)) {
    throw malformed('wrong flags in the fixed header')
  }
}

/** Of PUBLISH [MQTT-3.3.1-2] [MQTT-3.3.1-4]. */
function checkPublishFlags(first: number): void {
  const qos = qosOf(first)
  if (qos === 3) throw malformed('a QoS of 3')
  if (qos === 0 && (first & DUP) !== 0) throw malformed('DUP with QoS 0')
}

/** MQTT 3.1 section 2.1 marks PUBREL, SUBSCRIBE and UNSUBSCRIBE so. */
function isSentAgain(first: number, flags: number, version: Version): boolean {
  return version === 3 && flags !== 0 && (first & 0xf) === (flags | DUP)
}

/** May be 3 before checkFirstByte. */
export function qosOf(first: number): IPublishPacket['qos'] | 3 {
  return ((first >> 1) & 3) as 0 | 1 | 2 | 3
}

/** The first packet is CONNECT [MQTT-3.1.0-1] (M1), and no other is [MQTT-3.1.0-2] (M2). */
export function checkOrder(first: number, connected: boolean): void {
  const isConnect = first >> 4 === Kind.CONNECT
  if (isConnect && connected) throw protocolError('a second CONNECT')
  if (!isConnect && !connected) throw protocolError('the first packet is not CONNECT')
}
