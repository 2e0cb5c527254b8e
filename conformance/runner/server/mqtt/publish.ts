/** An Envelope's template as a PUBLISH, and a PUBLISH as the frame that a WebSocket would get. */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf'
import type { IPublishPacket, UserProperties } from 'mqtt-packet'
import { channelOfTopic, topicOf } from './topics.ts'
import type { Version } from './wire.ts'

/** What a PUBLISH has a place for, by the fields of Envelope and Routing. */
const SAID: Record<Version, readonly string[]> = {
  4: ['routing', 'payload', 'text'],
  5: [
    ...['routing', 'payload', 'text', 'contentType', 'headers', 'replyTo', 'correlationId'],
    'expiresAfter',
  ],
}
const ROUTED: Record<Version, readonly string[]> = {
  4: ['route', 'channel', 'to', 'receipt', 'retain'],
  5: ['route', 'channel', 'to', 'receipt', 'retain', 'idempotencyKey', 'acting'],
}

/** Without DUP and a packet id. */
export type Said = Pick<IPublishPacket, 'topic' | 'payload' | 'qos' | 'retain' | 'properties'>

/**
 * Undefined where a PUBLISH cannot say it: not to exactly one room, or of a receipt level that
 * MQTT has no word for. `topics`: of routes that were given.
 */
export function publishOf(
  envelope: JsonObject,
  version: Version,
  topics: ReadonlyMap<number, string>,
): Said | undefined {
  const routing = (envelope.routing ?? {}) as JsonObject
  const isSayable =
    Object.keys(envelope).every((name) => SAID[version].includes(name)) &&
    Object.keys(routing).every((name) => ROUTED[version].includes(name)) &&
    !('payload' in envelope && 'text' in envelope)
  const qos = qosOf(routing.receipt)
  const topic = topicOfRouting(routing, topics)
  if (!isSayable || qos === undefined || topic === undefined) return undefined
  return {
    topic,
    qos,
    retain: routing.retain === true,
    payload: 'text' in envelope ? String(envelope.text) : bytesOf(envelope.payload),
    ...(version === 5 && { properties: propertiesOf(envelope, routing) }),
  }
}

function qosOf(level: JsonValue | undefined): 0 | 1 | undefined {
  if (level === undefined) return 0
  return level === 'RECEIPT_LEVEL_ROUTED' ? 1 : undefined
}

function topicOfRouting(
  { route, channel, to }: JsonObject,
  topics: ReadonlyMap<number, string>,
): string | undefined {
  if (Array.isArray(to)) return to.length === 1 && !route ? topicOf(String(to[0])) : undefined
  const topic = topics.get(Number(route))
  return topic && (channel ? `${topic}/${channel}` : topic)
}

function propertiesOf(
  envelope: JsonObject,
  { idempotencyKey, acting }: JsonObject,
): NonNullable<IPublishPacket['properties']> {
  const { text, contentType, headers, replyTo, correlationId, expiresAfter } = envelope
  const topic = replyTo === undefined ? undefined : topicOf(String(replyTo))
  const userProperties: UserProperties = {
    ...((headers ?? {}) as Record<string, string>),
    ...(idempotencyKey !== undefined && { 'porthouse-key': String(idempotencyKey) }),
    ...(acting !== undefined && { 'porthouse-acting': String(acting) }),
    ...(replyTo !== undefined && !topic && { 'porthouse-reply-to': String(replyTo) }),
  }
  return {
    ...(text !== undefined && { payloadFormatIndicator: true }),
    ...(contentType !== undefined && { contentType: String(contentType) }),
    ...(topic && { responseTopic: topic }),
    ...(correlationId !== undefined && { correlationData: bytesOf(correlationId) }),
    ...(expiresAfter !== undefined && { messageExpiryInterval: Number(expiresAfter) }),
    ...(Object.keys(userProperties).length > 0 && { userProperties }),
  }
}

/** `route`: what the connection calls the room; 0 where it has no name for it. */
export function envelopeOf(packet: IPublishPacket, version: Version, route: number): JsonObject {
  const { topic, properties = {} } = packet
  const payload = packet.payload as Buffer
  const channel = channelOfTopic(topic)
  const place = { ...(route > 0 && { route }), ...(channel !== '' && { channel }) }
  if (version === 4) {
    return withEitherContent({
      envelope: { stamp: place, payload: payload.toString('base64') },
    })
  }
  const { userProperties = {}, responseTopic, contentType, correlationData } = properties
  const { 'porthouse-reply-to': replyTo } = userProperties
  const headers = Object.entries(userProperties).filter(([name]) => !name.startsWith('porthouse-'))
  const { payloadFormatIndicator: isText, messageExpiryInterval: expiresAfter } = properties
  const envelope: JsonObject = {
    stamp: { ...place, ...stampOf(userProperties) },
    ...(isText ? { text: payload.toString() } : { payload: payload.toString('base64') }),
    ...(contentType !== undefined && { contentType }),
    ...(correlationData && { correlationId: correlationData.toString('base64') }),
    ...(responseTopic !== undefined && { replyTo: `room:${responseTopic}` }),
    ...(replyTo !== undefined && { replyTo: String(replyTo) }),
    ...(expiresAfter !== undefined && { expiresAfter }),
    // Of one name the later counts (PH-6.6).
    ...(headers.length > 0 && {
      headers: Object.fromEntries(headers.map(([name, value]) => [name, [value].flat().at(-1)!])),
    }),
  }
  return { envelope }
}

/** Before MQTT 5 nobody can tell text and bytes apart, of what others heard neither. */
export function withEitherContent(frame: JsonObject): JsonObject {
  const { payload, text } = (frame.envelope ?? {}) as Record<string, string | undefined>
  if (payload === undefined && text === undefined) return frame
  const bytes = text === undefined ? Buffer.from(payload!, 'base64') : Buffer.from(text)
  const either = { text: bytes.toString(), payload: bytes.toString('base64') }
  return { ...frame, envelope: { ...(frame.envelope as JsonObject), ...either } }
}

/** What the user properties of PH-17.5 say, as Stamp has it. */
function stampOf(userProperties: UserProperties): JsonObject {
  const told = (name: string) => userProperties[`porthouse-${name}`] as string | undefined
  const id = told('id')?.replaceAll('-', '')
  const from = told('from')
  const sequence = told('sequence')
  const epoch = told('epoch')
  const timeMs = told('time')
  const replay = told('replay')
  return {
    ...(id !== undefined && { id: Buffer.from(id, 'hex').toString('base64') }),
    ...(from !== undefined && { from }),
    ...(sequence !== undefined && { sequence }),
    ...(epoch !== undefined && { epoch }),
    ...(timeMs !== undefined && { timeMs }),
    ...(replay !== undefined && { replay: `REPLAY_${replay.toUpperCase()}` }),
  }
}

function bytesOf(base64: JsonValue | undefined): Buffer {
  return Buffer.from(String(base64 ?? ''), 'base64')
}
