/** One whole packet of a client, checked and then parsed. */
import type { IConnectPacket, Packet } from 'mqtt-packet'
import { checkConnect, readVersion } from './check/connect.ts'
import { Cursor } from './check/cursor.ts'
import { checkAuth, checkDisconnect } from './check/disconnect.ts'
import type { Properties } from './check/properties.ts'
import { checkSubscribe, checkUnsubscribe } from './check/subscribe.ts'
import { DUP, Kind, type Version } from './kind.ts'
import { malformed, protocolError } from './mqtt-error.ts'
import { parse, parseConnect } from './parse.ts'
import { readAck, readPublish } from './publish.ts'

/** Where a packet lies in what was read. */
export interface Span {
  readonly bytes: Buffer
  readonly start: number
  /** Behind its fixed header. */
  readonly body: number
  readonly end: number
}

/** The version that a CONNECT asks for. Throws MqttError 0x84. */
export function versionOf({ bytes, body, end }: Span): Version {
  return readVersion(new Cursor(bytes, body, end))
}

/** Throws MqttError, for which checkConnect. */
export function readConnect(span: Span, version: Version): IConnectPacket {
  const cursor = new Cursor(span.bytes, span.body, span.end)
  readVersion(cursor)
  const { properties, willProperties } = checkConnect(cursor, version)
  const packet = parseConnect(wholeOf(span), version)
  if (packet.cmd !== 'connect') throw malformed('a packet that cannot be parsed')
  if (properties) packet.properties = properties
  if (packet.will && willProperties) packet.will.properties = willProperties
  return packet
}

/** Any other one, whose first byte was checked. Throws MqttError. */
export function readPacket(span: Span, version: Version): Packet {
  const { bytes, start, body, end } = span
  const first = bytes[start] as number
  const kind = first >> 4
  const cursor = new Cursor(bytes, body, end)
  switch (kind) {
    case Kind.PUBLISH:
      return readPublish(cursor, first, version)
    case Kind.PUBACK:
    case Kind.PUBREC:
    case Kind.PUBREL:
    case Kind.PUBCOMP:
      return readAck(cursor, kind, version)
    case Kind.PINGREQ:
      cursor.finish()
      return { cmd: 'pingreq', length: 0 }
    default: {
      const properties = check(cursor, kind, version)
      const packet = parse(wholeOf(span), version)
      return properties ? Object.assign(packet, { properties }) : packet
    }
  }
}

function check(cursor: Cursor, kind: number, version: Version): Properties | undefined {
  switch (kind) {
    case Kind.SUBSCRIBE:
      return checkSubscribe(cursor, version)
    case Kind.UNSUBSCRIBE:
      return checkUnsubscribe(cursor, version)
    case Kind.DISCONNECT:
      return checkDisconnect(cursor, version)
    case Kind.AUTH:
      return checkAuth(cursor)
    default:
      throw protocolError('a packet that only a server sends')
  }
}

/** The packet's bytes; what 3.1 marks as sent again without the mark, which mqtt-packet refuses. */
function wholeOf({ bytes, start, end }: Span): Buffer {
  const whole = bytes.subarray(start, end)
  const first = whole[0] as number
  if ((first & DUP) === 0) return whole
  const cleared = Buffer.from(whole)
  cleared[0] = first & ~DUP
  return cleared
}
