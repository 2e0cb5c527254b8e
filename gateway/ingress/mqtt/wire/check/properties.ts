/**
 * The properties of an MQTT 5 packet (section 2.2.2), read from its bytes: mqtt-packet does not
 * see that one is there twice or does not belong to the packet, lets any value pass, and loses the
 * empty value of a user property that is repeated. What is given has the form that it gives them.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { UserProperties } from 'mqtt-packet'
import { MqttError, malformed, protocolError, Reason } from '../mqtt-error.ts'
import type { Cursor } from './cursor.ts'
import { hasWildcard } from './topic.ts'

/** Those that a client may send, in all packets together. */
export interface Properties {
  payloadFormatIndicator?: boolean
  messageExpiryInterval?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Buffer
  sessionExpiryInterval?: number
  authenticationMethod?: string
  authenticationData?: Buffer
  requestProblemInformation?: boolean
  willDelayInterval?: number
  requestResponseInformation?: boolean
  serverReference?: string
  reasonString?: string
  receiveMaximum?: number
  topicAliasMaximum?: number
  topicAlias?: number
  subscriptionIdentifier?: number
  maximumPacketSize?: number
  /**
   * Without a prototype, so that any name is plain data (M13). A name that is repeated has all its
   * values in their order; the order of values under different names is lost.
   */
  userProperties?: UserProperties
  /** The same, in the order in which they came, which counts [MQTT-3.3.2-18]. */
  userPairs?: [name: string, value: string][]
}

type Name = Exclude<keyof Properties, 'userProperties'>
type Read = (cursor: Cursor) => NonNullable<Properties[Name]>

const USER_PROPERTY = 0x26

/** In one list, far over any limit on headers: a packet of them alone would take 100 ms to read. */
const USER_PROPERTIES_MAX = 4_096

/** By identifier: the name and how the value is read. */
const KNOWN: ReadonlyMap<number, readonly [Name, Read]> = new Map<number, readonly [Name, Read]>([
  [0x01, ['payloadFormatIndicator', flag]],
  [0x02, ['messageExpiryInterval', int32]],
  [0x03, ['contentType', text]],
  [0x08, ['responseTopic', responseTopic]],
  [0x09, ['correlationData', binary]],
  [0x0b, ['subscriptionIdentifier', (cursor) => positive(cursor.varint())]],
  [0x11, ['sessionExpiryInterval', int32]],
  [0x15, ['authenticationMethod', text]],
  [0x16, ['authenticationData', binary]],
  [0x17, ['requestProblemInformation', flag]],
  [0x18, ['willDelayInterval', int32]],
  [0x19, ['requestResponseInformation', flag]],
  [0x1c, ['serverReference', text]],
  [0x1f, ['reasonString', text]],
  [0x21, ['receiveMaximum', (cursor) => positive(cursor.int16())]],
  [0x22, ['topicAliasMaximum', (cursor) => cursor.int16()]],
  [0x23, ['topicAlias', topicAlias]],
  [0x27, ['maximumPacketSize', (cursor) => positive(cursor.int32())]],
])

/** What each packet may hold beside user properties. */
export const CONNECT_MAY: readonly Name[] = [
  'sessionExpiryInterval',
  'receiveMaximum',
  'maximumPacketSize',
  'topicAliasMaximum',
  'requestResponseInformation',
  'requestProblemInformation',
  'authenticationMethod',
  'authenticationData',
]
const MESSAGE_MAY: readonly Name[] = [
  'payloadFormatIndicator',
  'messageExpiryInterval',
  'contentType',
  'responseTopic',
  'correlationData',
]
export const WILL_MAY: readonly Name[] = ['willDelayInterval', ...MESSAGE_MAY]
export const PUBLISH_MAY: readonly Name[] = ['topicAlias', 'subscriptionIdentifier', ...MESSAGE_MAY]
export const ACK_MAY: readonly Name[] = ['reasonString']
export const SUBSCRIBE_MAY: readonly Name[] = ['subscriptionIdentifier']
export const UNSUBSCRIBE_MAY: readonly Name[] = []
export const DISCONNECT_MAY: readonly Name[] = [
  'sessionExpiryInterval',
  'reasonString',
  'serverReference',
]
export const AUTH_MAY: readonly Name[] = [
  'authenticationMethod',
  'authenticationData',
  'reasonString',
]

/**
 * Undefined where there are none. Throws MqttError: 0x81 for a property that the packet may not
 * have, 0x82 for one that is there twice or has a value it may not have, 0x94 for a topic alias
 * of 0 (M18), 0x95 for too many user properties.
 */
export function readProperties(cursor: Cursor, may: readonly Name[]): Properties | undefined {
  const size = cursor.varint()
  if (size === 0) return undefined
  const properties: Properties = {}
  const inner = cursor.inner(size)
  let pairs = 0
  while (inner.left > 0) {
    const id = inner.varint()
    if (id !== USER_PROPERTY) readProperty(inner, id, may, properties)
    else if (++pairs > USER_PROPERTIES_MAX) throw tooManyPairs()
    else readUserProperty(inner, properties)
  }
  return properties
}

function readProperty(
  cursor: Cursor,
  id: number,
  may: readonly Name[],
  properties: Properties,
): void {
  const [name, read] = KNOWN.get(id) ?? []
  if (!name || !read || !may.includes(name)) throw malformed('a property that has no place here')
  if (Object.hasOwn(properties, name)) throw protocolError('a property is there twice')
  Object.assign(properties, { [name]: read(cursor) })
}

function readUserProperty(cursor: Cursor, properties: Properties): void {
  properties.userProperties ??= Object.create(null) as UserProperties
  const to = properties.userProperties
  const name = cursor.text()
  const value = cursor.text()
  properties.userPairs ??= []
  properties.userPairs.push([name, value])
  const before = to[name]
  if (before === undefined) to[name] = value
  else if (Array.isArray(before)) before.push(value)
  else to[name] = [before, value]
}

function flag(cursor: Cursor): boolean {
  const value = cursor.byte()
  if (value > 1) throw protocolError('a property is neither 0 nor 1')
  return value === 1
}

function int32(cursor: Cursor): number {
  return cursor.int32()
}

function text(cursor: Cursor): string {
  return cursor.text()
}

function binary(cursor: Cursor): Buffer {
  return cursor.binary()
}

function positive(value: number): number {
  if (value === 0) throw protocolError('a property is 0')
  return value
}

function responseTopic(cursor: Cursor): string {
  const topic = cursor.text()
  if (topic === '' || hasWildcard(topic)) throw protocolError('a response topic that is no topic')
  return topic
}

function topicAlias(cursor: Cursor): number {
  const alias = cursor.int16()
  if (alias !== 0) return alias
  throw new MqttError(Reason.TOPIC_ALIAS_INVALID, Code.ROUTE_UNKNOWN, 'a topic alias of 0')
}

function tooManyPairs(): MqttError {
  const detail = `over ${USER_PROPERTIES_MAX} user properties`
  return new MqttError(Reason.PACKET_TOO_LARGE, Code.HEADERS_TOO_LARGE, detail)
}
