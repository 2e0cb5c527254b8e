/** Faults of a client that the reference gateway finds by itself, whatever the case is about. */
import { once } from 'node:events'
import { fromJson, type JsonObject, toBinary, toJsonString } from '@bufbuild/protobuf'
import { ClientCaseSchema } from '@porthouse/proto/conformance/v1/client_suite'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ReferenceGateway } from '../../conformance/runner/client/reference-gateway.ts'
import { Variables } from '../../conformance/runner/template.ts'

let gateway: ReferenceGateway | undefined
const sockets: WebSocket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await gateway?.stop()
})

async function start(theCase: JsonObject = {}, isJson = false): Promise<ReferenceGateway> {
  gateway = await ReferenceGateway.start({
    theCase: fromJson(ClientCaseSchema, theCase),
    transport: isJson ? Transport.JSON : Transport.WEBSOCKET,
    variables: new Variables(),
    trace: () => {},
  })
  return gateway
}

async function dial({ url }: ReferenceGateway, subprotocol = 'porthouse.v1'): Promise<WebSocket> {
  const socket = new WebSocket(`${url}/v1/ws`, [subprotocol])
  sockets.push(socket)
  await once(socket, 'open')
  return socket
}

const packet = (...frames: JsonObject[]) =>
  toBinary(PacketSchema, fromJson(PacketSchema, { frames }))
const hello = { id: 1, hello: {} }
const join = { id: 2, room: { join: { address: 'room:acme/boiler' } } }
const message = (routing: JsonObject, rest: JsonObject = {}) => ({
  id: 3,
  envelope: { text: 'hi', routing: { receipt: 'RECEIPT_LEVEL_ROUTED', ...routing }, ...rest },
})
const answer = (id: number) => ({ id, lockStep: { answer: { acceptor: `a${id}`, text: 'x' } } })

/** What is found of a client that sends these messages on one connection. */
async function found(messages: (Uint8Array | string)[], theCase?: JsonObject): Promise<string[]> {
  const gateway = await start(theCase)
  const socket = await dial(gateway)
  for (const each of messages) socket.send(each)
  await rounds(socket)
  return gateway.failures
}

/** Whatever was sent before has arrived, and was answered. */
async function rounds(socket: WebSocket): Promise<void> {
  const pong = once(socket, 'pong')
  socket.ping()
  await pong
}

const stamped = { stamp: { from: 'socket:aaaaaaaaaaaaaaaa' } }
const small = { answers: { welcome: { limits: { packetFrames: 1, frameBytes: 60 } } } }
const body = (text: string) => message({ to: ['room:acme/a'], idempotencyKey: 'k' }, { text })
const faults: Record<string, [clause: string, messages: (Uint8Array | string)[], JsonObject?]> = {
  'a text message': ['PH-1.4', ['{}']],
  'a packet over the bounds': ['PH-2.1', [packet(hello), packet(join, message({}))], small],
  'a frame over the bounds': ['PH-2.1', [packet(hello), packet(body('x'.repeat(99)))], small],
  'an id that waits still': ['PH-2.4', [packet(answer(2), join)], { answers: { none: true } }],
  'a packet that is cut short': ['PH-2.6', [packet(hello, join).subarray(0, -2)]],
  'two bodies in a frame': ['PH-2.6', [Buffer.from('0a041a002a00', 'hex')]],
  'a text that is not UTF-8': ['PH-2.6', [Buffer.from('0a062a043202fffe', 'hex')]],
  'a group': ['PH-2.6', [Buffer.from('0b0c', 'hex')]],
  'what only a gateway sends': ['PH-3.1', [packet({ welcome: {} })]],
  'Hello behind another frame': ['PH-3.1', [packet(join, hello)]],
  'answers ahead without end': [
    'PH-4.5',
    [packet(...Array.from({ length: 9 }, (_, i) => answer(i + 1)))],
    { answers: { none: true } },
  ],
  'a second packet while it resumes': [
    'PH-4.7',
    [packet({ id: 1, hello: { resume: 'token' } }), packet(join)],
    { answers: { none: true } },
  ],
  'a stamp of its own': ['PH-6.3', [packet(message({}, stamped))]],
  'a field that is set aside': ['PH-6.3', [Buffer.from('0a052a03a00101', 'hex')]],
  'route and to at once': [
    'PH-6.7',
    [packet(join), packet(message({ route: 1, to: ['room:acme/boiler'] }))],
  ],
  'a route that was not given': ['PH-7.4', [packet(message({ route: 5 }))]],
  'another message under one key': ['PH-8.8', [packet(body('a')), packet(body('b'))]],
  'an address without its kind': ['PH-11.1', [packet(message({ to: ['acme/boiler'] }))]],
}

test.for(Object.entries(faults))('%s', async ([, [clause, messages, theCase]]) => {
  const failures = await found(messages, theCase)
  expect(failures.map((failure) => failure.split(':')[0])).toContain(clause)
})

test('nothing of a client that does all well', async () => {
  const messages = [packet(hello, answer(4), join), packet(message({ route: 1 })), packet()]
  expect(await found(messages)).toEqual([])
})

test('a subprotocol that is not the right one', async () => {
  const gateway = await start()
  await dial(gateway, 'porthouse.v2').catch(() => {})
  expect(gateway.failures).toEqual(['PH-1.2: it offers porthouse.v2, not porthouse.v1'])
})

test('a return after a close that allows none', async () => {
  const gateway = await start({ gateway: [{ close: 4565 }] })
  await once(await dial(gateway), 'close')
  await dial(gateway)
  expect(gateway.failures).toEqual(['PH-9.3: it came back after 4565'])
})

test('a return before the time that was told', async () => {
  const drop = { drop: { code: 'CODE_RATE_LIMITED', retryAfterMs: 60_000 } }
  const gateway = await start({ gateway: [{ send: { frames: [drop] } }, { close: 4070 }] })
  await once(await dial(gateway), 'close')
  await dial(gateway)
  expect(gateway.failures).toEqual([expect.stringMatching(/^PH-9.4: it came back after/)])
})

test('returns without a pause', async () => {
  const gateway = await start()
  for (let i = 0; i < 30; i++) (await dial(gateway)).terminate()
  expect(gateway.failures.join()).toContain('PH-9.3')
})

test('another frame than the script insists on, and one where all is quiet', async () => {
  const steps = [{ next: { hello: {} } }, { quietMs: 60_000 }]
  expect(await found([packet(join), packet(answer(9))], { gateway: steps })).toEqual([
    expect.stringMatching(/^the script: frame.hello is absent/),
    'the script: 1 frames came, where all is quiet',
  ])
})

test('a client of JSON is spoken to in JSON', async () => {
  const gateway = await start({}, true)
  const socket = await dial(gateway, 'porthouse.v1.json')
  socket.send(toJsonString(PacketSchema, fromJson(PacketSchema, { frames: [hello, join] })))
  const [data] = (await once(socket, 'message')) as [Buffer]
  expect(JSON.parse(data.toString()).frames).toMatchObject([
    { id: 1, welcome: {} },
    { id: 2, room: { joined: { route: 1, sequence: '7' } } },
  ])
  socket.send('{"frames":')
  await rounds(socket)
  expect(gateway.failures).toEqual([expect.stringMatching(/^PH-12.4/)])
})
