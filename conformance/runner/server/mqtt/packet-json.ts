/**
 * MQTT's own packets in a case, by kind as frames are, `{publish: {topic, qos, payload}}`: for what
 * only MQTT has. Fields have the names of mqtt-packet, but that `reason` is the reason code of MQTT
 * 5 and the return code of 3.1.1. What is expected may name a code there, and in `granted`.
 */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf'
import type { Packet } from 'mqtt-packet'
import { isObject } from '../../template.ts'
import { reasonIn, returnCodeOf } from './reasons.ts'
import type { Version } from './wire.ts'

const KINDS = [
  ...['connect', 'connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'subscribe'],
  ...['suback', 'unsubscribe', 'unsuback', 'pingreq', 'pingresp', 'disconnect', 'auth'],
]

/** Fields of bytes, which a case writes as text, or as JSON of which the text is made. */
const BYTES = ['payload', 'password', 'correlationData', 'authenticationData']

/** Undefined: a frame of porthouse.v1. */
export function packetOfJson(frame: JsonObject): Packet | undefined {
  const [kind = '', ...more] = Object.keys(frame)
  if (!KINDS.includes(kind) || more.length > 0) return undefined
  const { reason, ...fields } = withBytes(frame[kind] as JsonObject) as JsonObject
  const said = reason === undefined ? {} : { reasonCode: reason }
  return { cmd: kind, ...defaults[kind], ...said, ...fields } as unknown as Packet
}

const defaults: Record<string, JsonObject> = {
  connect: { protocolId: 'MQTT', clean: true, keepalive: 0 },
  publish: { qos: 0, dup: false, retain: false, payload: '' },
  auth: { reasonCode: 0 },
  disconnect: { reasonCode: 0 },
}

function withBytes(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      if (!BYTES.includes(name)) return [name, withBytes(field)]
      return [name, Buffer.from(typeof field === 'string' ? field : JSON.stringify(field))]
    }),
  )
}

/** As a case expects it: without what every packet has, payloads that are JSON as what they say. */
export function jsonOfPacket({ cmd, length: _, ...packet }: Packet): JsonObject {
  const { reasonCode, returnCode, ...fields } = shown(packet) as JsonObject
  const { dup, qos, retain, ...rest } = fields
  const reason = reasonCode ?? returnCode
  return {
    [cmd]: { ...(cmd === 'publish' ? fields : rest), ...(reason !== undefined && { reason }) },
  }
}

/** What of an expected packet this version tells; undefined: it is a frame of porthouse.v1. */
export function packetOn(version: Version, expected: JsonObject): JsonObject | undefined {
  const [kind = '', ...more] = Object.keys(expected)
  if (!KINDS.includes(kind) || more.length > 0) return undefined
  const { reason, granted, properties, ...fields } = expected[kind] as JsonObject
  return {
    [kind]: {
      ...fields,
      ...reasonOn(version, kind, reason),
      ...(granted !== undefined && { granted: grantedOn(version, granted) }),
      ...(version === 5 && properties !== undefined && { properties }),
    },
  }
}

function reasonOn(version: Version, kind: string, reason: JsonValue | undefined): JsonObject {
  if (reason === undefined) return {}
  const isConnack = kind === 'connack'
  if (version === 4 && !(isConnack && (reason === 0 || typeof reason === 'string'))) return {}
  if (typeof reason !== 'string') return { reason }
  const packet = isConnack ? 'connack' : 'puback'
  return { reason: version === 4 ? returnCodeOf(reason) : reasonIn(packet, reason) }
}

/** UNSUBACK of 3.1.1 says nothing, SUBACK 0x80 of whatever is refused. */
function grantedOn(version: Version, granted: JsonValue): JsonValue {
  if (!Array.isArray(granted)) return granted
  return granted.map((one) => {
    if (version === 4) return typeof one === 'string' || Number(one) >= 0x80 ? 0x80 : one
    return typeof one === 'string' ? reasonIn('suback', one) : one
  })
}

function shown(value: unknown): JsonValue {
  if (Buffer.isBuffer(value)) return contentOf(value.toString())
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value as JsonValue
  const told = Object.entries(value).filter(([, field]) => field !== undefined && field !== null)
  return Object.fromEntries(told.map(([name, field]) => [name, shown(field)]))
}

function contentOf(text: string): JsonValue {
  if (!text.startsWith('{')) return text
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return text
  }
}
