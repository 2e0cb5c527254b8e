/** docs/api/asyncapi.json: WebSocket and MQTT, for tools that read AsyncAPI. */
import type { FileRegistry } from '@bufbuild/protobuf'
import { RESERVED_KINDS } from '../../../gateway/ingress/mqtt/mapping/reserved.ts'
import { type Schema, Schemas } from './json-schema.ts'

const KINDS: Readonly<Record<(typeof RESERVED_KINDS)[number], string>> = {
  lock: 'Lock steps, both ways.',
  receipt: 'Receipts, from the gateway.',
  room: 'Frames of rooms, both ways.',
  event: 'Events of the technical channel, from the gateway.',
  command: 'Commands and their answers, both ways, and what is of the session as a whole.',
  message: 'Envelopes that a topic cannot say, both ways.',
}

const ROOM_PARAMETERS = {
  account: { description: 'Slug or UUID of an account.' },
  room: { description: 'Slug or UUID of a room.' },
}

export function renderAsyncApi(protos: FileRegistry): string {
  const schemas = new Schemas()
  const packet = protos.getMessage('porthouse.v1.Packet')
  if (!packet) throw new Error('no Packet')
  const payload = schemas.of(packet, 'written')
  const channels = { ...webSocketChannels(), ...mqttChannels() }
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'porthouse over WebSocket and MQTT',
      version: 'v1',
      license: { name: 'Apache-2.0' },
      description: 'The wire, clause by clause, is docs/protocol.md; section 17 of it is MQTT.',
    },
    defaultContentType: 'application/x-protobuf',
    servers: {
      websocket: { host: '127.0.0.1:8080', protocol: 'ws', description: 'wss where TLS is on.' },
      mqtt: { host: '127.0.0.1:1883', protocol: 'mqtt', description: 'MQTT 3.1, 3.1.1 and 5.' },
      mqttOverWebSocket: { host: '127.0.0.1:8080', pathname: '/mqtt', protocol: 'ws' },
    },
    channels,
    operations: Object.fromEntries(Object.keys(channels).flatMap(operationsOf)),
    components: { messages: messagesOf(payload), schemas: schemas.all },
  }
  // AsyncAPI has its components where OpenAPI has them, so the references are the same.
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function messagesOf(payload: Schema): Schema {
  return {
    packet: {
      contentType: 'application/x-protobuf',
      description: 'One porthouse.v1.Packet, binary: subprotocol porthouse.v1.',
      payload: {},
    },
    packetJson: {
      contentType: 'application/json',
      description: 'The same as Protobuf JSON: subprotocol porthouse.v1.json.',
      payload,
    },
    content: {
      description: 'What is said, as it is: payload or text of an Envelope.',
      payload: {},
    },
  }
}

function messages(...names: string[]): Schema {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]))
}

function webSocketChannels(): Record<string, Schema> {
  const servers = [{ $ref: '#/servers/websocket' }]
  const packets = messages('packet', 'packetJson')
  return {
    socket: {
      address: '/v1/ws',
      servers,
      description: 'All routing happens in-band (R6).',
      messages: packets,
    },
    lobby: {
      address: '/user/{account}/',
      servers,
      parameters: { account: ROOM_PARAMETERS.account },
      description: "Enters an account's lobby (R3).",
      messages: packets,
    },
    roomSocket: {
      address: '/{account}/{room}',
      servers,
      parameters: ROOM_PARAMETERS,
      description: 'Enters a room (R2); a channel or a client may follow (R4, R5).',
      messages: packets,
    },
  }
}

function mqttChannels(): Record<string, Schema> {
  const servers = [{ $ref: '#/servers/mqtt' }, { $ref: '#/servers/mqttOverWebSocket' }]
  const reserved = RESERVED_KINDS.flatMap((kind): [string, Schema][] => {
    const description = KINDS[kind]
    const binary = { address: `$porthouse/v1/${kind}`, servers, description }
    const json = { address: `$porthouse/v1/json/${kind}`, servers, description }
    return [
      [kind, { ...binary, messages: messages('packet') }],
      [`${kind}Json`, { ...json, messages: messages('packetJson') }],
    ]
  })
  return {
    roomTopic: {
      address: '{account}/{room}',
      servers,
      parameters: ROOM_PARAMETERS,
      description: 'The room itself; account/room/# is the room with all its channels.',
      messages: messages('content'),
    },
    channelTopic: {
      address: '{account}/{room}/{channel}',
      servers,
      parameters: {
        ...ROOM_PARAMETERS,
        channel: { description: 'A channel; it may have levels.' },
      },
      description: 'A channel of a room.',
      messages: messages('content'),
    },
    ...Object.fromEntries(reserved),
  }
}

/** As the gateway sees them: it receives what clients send. */
function operationsOf(channel: string): [string, Schema][] {
  const to = { channel: { $ref: `#/channels/${channel}` } }
  return [
    [`receive_${channel}`, { action: 'receive', ...to }],
    [`send_${channel}`, { action: 'send', ...to }],
  ]
}
