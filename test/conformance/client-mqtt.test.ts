/** The rules that hold for whatever a client sends over MQTT, broken on purpose. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { create, fromJson, type JsonObject, toBinary } from '@bufbuild/protobuf'
import { ClientCaseSchema } from '@porthouse/proto/conformance/v1/client_suite'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { generate, type IConnectPacket, type Packet, type Parser, parser } from 'mqtt-packet'
import { afterEach, expect, test } from 'vitest'
import { ReferenceGateway } from '../../conformance/runner/client/reference-gateway.ts'
import { Variables } from '../../conformance/runner/template.ts'

let gateway: ReferenceGateway
let socket: Socket
let reader: Parser
afterEach(async () => {
  socket.destroy()
  await gateway.stop()
})

const LOGIN: IConnectPacket = {
  cmd: 'connect',
  protocolVersion: 4,
  clientId: 'a',
  username: 'acme',
  password: Buffer.from('a-secret'),
  clean: true,
}

/** Connects; resolves with what CONNECT is answered. */
async function dial(theCase: JsonObject = {}, login: IConnectPacket = LOGIN): Promise<Packet> {
  gateway = await ReferenceGateway.start({
    theCase: fromJson(ClientCaseSchema, theCase),
    transport: Transport.MQTT3,
    variables: new Variables(),
    trace: () => {},
  })
  reader = parser({ protocolVersion: 4 })
  socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  socket.on('data', (bytes) => reader.parse(bytes))
  return ask(login)
}

async function ask(packet: Packet): Promise<Packet> {
  const answer = once(reader, 'packet')
  socket.write(generate(packet, { protocolVersion: 4 }))
  return (await answer)[0]
}

function subscribe(topic: string): Promise<Packet> {
  return ask({ cmd: 'subscribe', messageId: 7, subscriptions: [{ topic, qos: 1 }] })
}

function publish(topic: string, payload: Uint8Array | string): Promise<Packet> {
  const bytes = Buffer.from(payload)
  return ask({
    cmd: 'publish',
    topic,
    payload: bytes,
    qos: 1,
    messageId: 8,
    dup: false,
    retain: false,
  })
}

test('a client that keeps to the rules breaks none', async () => {
  expect(await dial()).toMatchObject({ cmd: 'connack', returnCode: 0 })
  expect(await subscribe('acme/boiler/#')).toMatchObject({ cmd: 'suback', granted: [1] })
  expect(await publish('acme/boiler', 'hi')).toMatchObject({ cmd: 'puback', messageId: 8 })
  expect(await ask({ cmd: 'pingreq' })).toMatchObject({ cmd: 'pingresp' })
  expect(gateway.failures).toEqual([])
})

test('a topic that is none', async () => {
  await dial()
  expect(await subscribe('$SYS/uptime')).toMatchObject({ granted: [0x80] })
  await publish('$SYS/uptime', 'now')
  expect(gateway.failures).toEqual([
    'PH-17.12: it listens to $SYS/uptime',
    'PH-17.12: it publishes on $SYS/uptime',
  ])
})

test('a frame on the topic of another kind, and what is no packet', async () => {
  await dial()
  const room = {
    case: 'room',
    value: { action: { case: 'leave', value: { address: 'room:a/b' } } },
  }
  const frame = { id: 1, body: room } as NonNullable<
    Parameters<typeof create<typeof FrameSchema>>[1]
  >
  const bytes = toBinary(PacketSchema, create(PacketSchema, { frames: [frame] }))
  await publish('$porthouse/v1/command', bytes)
  await publish('$porthouse/v1/lock', Buffer.from([0x0a, 0xff]))
  expect(gateway.failures).toEqual([
    'PH-17.11: a frame of another kind on $porthouse/v1/command',
    expect.stringMatching(/^PH-2.6: /),
  ])
})

test('in limbo there is but the topic of locks', async () => {
  const { username: _, password: __, ...nobody } = LOGIN
  await dial({}, nobody)
  expect(await subscribe('$porthouse/v1/receipt')).toMatchObject({ granted: [0x80] })
  await publish('acme/boiler', 'hi')
  expect(gateway.failures).toEqual(['PH-17.14: acme/boiler, in limbo'])
  expect(await subscribe('$porthouse/v1/lock')).toMatchObject({ granted: [1] })
})

test('a refused message ends a connection that listens to no receipts', async () => {
  const status = { status: 'RECEIPT_STATUS_REJECTED', code: 'CODE_SEND_NOT_PERMITTED' }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the language of cases
  const sends = { send: { frames: [{ id: '${id}', receipt: status }] } }
  await dial({ gateway: [{ take: { envelope: {} } }, sends] })
  const ended = once(socket, 'close')
  void publish('acme/boiler', 'hi')
  await ended
})

test('CONNECT of another version', async () => {
  await dial({}, { ...LOGIN, protocolVersion: 5 })
  expect(gateway.failures).toEqual(['MQTT: version 5, not 4'])
})
