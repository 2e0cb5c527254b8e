/** Packets by chance, all of them right. */
import fc from 'fast-check'
import type { Packet } from 'mqtt-packet'
import type { Version } from '../../../gateway/ingress/mqtt/wire/kind.ts'

/** Of any characters but U+0000, up to a few. */
const string = fc.string({ unit: 'binary', maxLength: 12 }).map((each) => each.replaceAll('\0', ''))
const some = string.filter((each) => each !== '')
const binary = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each))
const int32 = fc.integer({ min: 0, max: 0xffff_ffff })
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const)
export const messageId = fc.integer({ min: 1, max: 0xffff })

const topic = some
  .map((each) => each.replaceAll(/[+#]/g, '/'))
  .filter((each) => !each.startsWith('$share/'))
const filter = fc.oneof(some, fc.constantFrom('#', 'a/+/b', 'acme/boiler/#', '__proto__', '$share'))

/** Not empty, since mqtt-packet loses the empty one of several. */
const userProperties = fc
  .dictionary(
    fc.oneof(string, fc.constantFrom('__proto__', 'constructor', 'toString')),
    fc.oneof(some, fc.array(some, { minLength: 2, maxLength: 4 })),
    { minKeys: 1, maxKeys: 4, noNullPrototype: false },
  )
  .map((each) => Object.assign(Object.create(null), each) as typeof each)

function properties<T extends object>(
  version: Version,
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
) {
  if (version < 5) return fc.constant({})
  const list = fc.record({ ...model, userProperties } as never, { requiredKeys: [] })
  // A list without any is not written as one that is empty, but is read as none.
  return list.map((each) => (Object.keys(each as object).length > 0 ? { properties: each } : {}))
}

const message = {
  payloadFormatIndicator: fc.constant(false),
  messageExpiryInterval: int32,
  contentType: string,
  responseTopic: topic,
  correlationData: binary,
}

/** As mqtt-packet gives it: 3.1.1 has `qos` alone. */
function subscription(version: Version) {
  if (version < 5) return fc.record({ topic: filter, qos })
  return fc
    .record({
      topic: filter,
      qos,
      nl: fc.boolean(),
      rap: fc.boolean(),
      rh: fc.integer({ min: 0, max: 2 }),
    })
    .map((each) => (each.topic.startsWith('$share/') ? { ...each, nl: false } : each))
}

function merged(...parts: fc.Arbitrary<object>[]): fc.Arbitrary<Packet> {
  return fc.tuple(...parts).map((each) => Object.assign({}, ...each) as Packet)
}

/** What a client may send as its first packet. */
export function connectOf(protocolVersion: Version): fc.Arbitrary<Packet> {
  const will = merged(
    fc.record({ topic, payload: binary, qos, retain: fc.boolean() }),
    properties(protocolVersion, { willDelayInterval: int32, ...message }),
  )
  const credentials = fc.oneof(
    fc.constant({}),
    fc.record({ username: string }),
    fc.record({ username: string, password: binary }),
  )
  return merged(
    fc.record({
      cmd: fc.constant('connect'),
      protocolId: fc.constant(protocolVersion === 3 ? 'MQIsdp' : 'MQTT'),
      protocolVersion: fc.constant(protocolVersion),
      clientId: some,
      clean: fc.boolean(),
      keepalive: fc.integer({ min: 0, max: 0xffff }),
    }),
    credentials,
    fc.oneof(fc.constant({}), fc.record({ will })),
    properties(protocolVersion, {
      sessionExpiryInterval: int32,
      receiveMaximum: messageId,
      maximumPacketSize: int32.filter((each) => each > 0),
      topicAliasMaximum: fc.integer({ min: 0, max: 0xffff }),
      requestResponseInformation: fc.boolean(),
      requestProblemInformation: fc.boolean(),
      authenticationMethod: string,
    }),
  )
}

/** What a client may send after it. */
export function packetOf(version: Version): fc.Arbitrary<Packet> {
  const publish = qos.chain((each) =>
    merged(
      fc.record({
        cmd: fc.constant('publish'),
        qos: fc.constant(each),
        dup: each === 0 ? fc.constant(false) : fc.boolean(),
        retain: fc.boolean(),
        topic,
        payload: binary,
        ...(each > 0 && { messageId }),
      }),
      properties(version, { topicAlias: messageId, ...message }),
    ),
  )
  const ack = fc
    .constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp')
    .chain((cmd) => ackOf(version, cmd))
  const subscribe = merged(
    fc.record({
      cmd: fc.constant('subscribe'),
      messageId,
      subscriptions: fc.array(subscription(version), { minLength: 1, maxLength: 4 }),
    }),
    properties(version, { subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }) }),
  )
  const unsubscribe = merged(
    fc.record({
      cmd: fc.constant('unsubscribe'),
      messageId,
      unsubscriptions: fc.array(filter, { minLength: 1, maxLength: 4 }),
    }),
    properties(version, {}),
  )
  const ping = fc.constant({ cmd: 'pingreq' } as Packet)
  const all = [publish, ack, subscribe, unsubscribe, ping, disconnectOf(version)]
  return fc.oneof(...all, ...(version === 5 ? [auth] : []))
}

function ackOf(version: Version, cmd: string): fc.Arbitrary<Packet> {
  const taken = cmd === 'puback' || cmd === 'pubrec'
  const reasonCode = taken ? fc.constantFrom(0, 0x10, 0x80, 0x97, 0x99) : fc.constantFrom(0, 0x92)
  return merged(
    fc.record({ cmd: fc.constant(cmd), messageId, ...(version === 5 && { reasonCode }) }),
    properties(version, { reasonString: string }),
  )
}

function disconnectOf(version: Version): fc.Arbitrary<Packet> {
  const reasonCode = fc.constantFrom(0, 0x04, 0x80, 0x82, 0x98)
  return merged(
    fc.record({ cmd: fc.constant('disconnect'), ...(version === 5 && { reasonCode }) }),
    properties(version, { sessionExpiryInterval: int32, reasonString: string }),
  )
}

const auth: fc.Arbitrary<Packet> = fc.record({
  cmd: fc.constant('auth' as const),
  reasonCode: fc.constantFrom(0x18, 0x19),
  properties: fc.record(
    {
      authenticationMethod: string,
      authenticationData: binary,
      reasonString: string,
      userProperties,
    },
    { requiredKeys: ['authenticationMethod'] },
  ),
}) as never

/** What the gateway may send. */
export function answerOf(version: Version): fc.Arbitrary<Packet> {
  const explained = { reasonString: string }
  const connack = merged(
    fc.record({
      cmd: fc.constant('connack'),
      sessionPresent: fc.boolean(),
      [version === 5 ? 'reasonCode' : 'returnCode']:
        version === 5 ? fc.constantFrom(0, 0x84, 0x87) : fc.integer({ min: 0, max: 5 }),
    }),
    properties(version, {
      sessionExpiryInterval: int32,
      receiveMaximum: messageId,
      maximumQoS: fc.constantFrom(0, 1),
      retainAvailable: fc.boolean(),
      maximumPacketSize: int32,
      assignedClientIdentifier: string,
      topicAliasMaximum: messageId,
      sharedSubscriptionAvailable: fc.boolean(),
      serverKeepAlive: messageId,
      responseInformation: string,
      serverReference: string,
      authenticationMethod: string,
      authenticationData: binary,
      ...explained,
    }),
  )
  const granted = (...codes: number[]) =>
    fc.array(fc.constantFrom(...codes), { minLength: 1, maxLength: 5 })
  const suback = merged(
    fc.record({
      cmd: fc.constant('suback'),
      messageId,
      granted: version === 5 ? granted(0, 1, 2, 0x87, 0x8f, 0x97) : granted(0, 1, 2, 0x80),
    }),
    properties(version, explained),
  )
  const unsuback = merged(
    fc.record({
      cmd: fc.constant('unsuback'),
      messageId,
      ...(version === 5 && { granted: granted(0, 0x11, 0x8f) }),
    }),
    properties(version, explained),
  )
  const publish = merged(
    fc.record({
      cmd: fc.constant('publish'),
      qos: fc.constant(1),
      topic,
      payload: binary,
      messageId,
    }),
    fc.record({ dup: fc.boolean(), retain: fc.boolean() }),
    properties(version, { ...message, subscriptionIdentifier: messageId }),
  )
  const ack = fc
    .constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp')
    .chain((cmd) => ackOf(version, cmd))
  const disconnect = merged(
    fc.record({ cmd: fc.constant('disconnect'), reasonCode: fc.constantFrom(0x8b, 0x8e, 0x98) }),
    properties(version, { ...explained, serverReference: string }),
  )
  const ping = fc.constant({ cmd: 'pingresp' } as Packet)
  const all = [connack, suback, unsuback, publish, ack, ping]
  return fc.oneof(...all, ...(version === 5 ? [disconnect, auth] : []))
}
