/** The whole process under bad input; its exit tells whether any of it got through (L10, L13). */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { create, toJsonString } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { json, Running } from '../cli/process.ts'
import { field } from '../support/bytes.ts'
import { answer, hello, join, packetOf, text } from '../support/client-frames.ts'
import { member, Witnesses } from '../support/outcome.ts'
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  encodeFrame,
  encodeHandshake,
  PING,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../support/raw-websocket.ts'

const ROOM = 'room:demo/attacked'
const BINARY_LANE = 'porthouse.v1'

let data: string
let gateway: Running
let port: number
let token: string
let attacker: string
let witnesses: Witnesses

beforeAll(async () => {
  data = await mkdtemp(joinPath(tmpdir(), 'porthouse-test-'))
  const options = ['--http', '127.0.0.1:0', '--data', data, '--demo']
  gateway = new Running(['run', ...options])
  const said = await gateway.says(/--token \S+/)
  port = Number(/listens on http:\/\/127.0.0.1:(\d+)/.exec(said)![1])
  token = /--token (\S+)/.exec(said)![1]!
  const env = { PORTHOUSE_DATA: data }
  await json(['room', 'create', 'demo/attacked'], { env })
  const grant = ['--room', 'attacked:send,receive']
  attacker = (await json<{ secret: string }>(['token', 'create', 'demo', ...grant], { env })).secret
  const [speaker, listener] = [await enter({ kept: true }), await enter({ kept: true })]
  witnesses = new Witnesses(speaker, listener)
})
afterEach(async () => {
  resetRawWebSockets()
  await witnesses.check()
})
afterAll(async () => {
  const { code, stderr } = await gateway.stop('SIGTERM')
  await rm(data, { recursive: true, force: true, maxRetries: 20 })
  expect(code).toBe(0)
  // Nothing of all this was the gateway's own fault, and what bad clients do does not fill its log.
  const messages = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg)
    // What the commands above have made.
    .filter((message) => message !== 'administered')
  expect(messages).toEqual(['listening', 'draining', 'ended'])
  for (const secret of [token, attacker]) expect(stderr).not.toContain(secret)
})

const enter = (options = {}) => member({ port }, token, 'room:demo/hello', options)

const opcodes = fc.constantFrom(BINARY, BINARY, BINARY, TEXT, PING, CONTINUATION, CLOSE, 3, 15)
const packets = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.constant(packetOf(hello(1), join(2, ROOM), text(3, 'x'))),
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 33 }), fc.uint8Array({ maxLength: 30 })))
    .map((fields) => field(1, ...fields.map(([number, bytes]) => field(number, bytes)))),
)
/** WebSocket frames, most of them legal, and here and there bytes that are none. */
const traffic = fc.array(
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .tuple(opcodes, packets, fc.record({ fin: fc.boolean(), rsv: fc.constantFrom(0, 0, 0, 2) }))
        .map(([opcode, packet, options]) => encodeFrame(opcode, packet, options)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)) },
  ),
  { minLength: 1, maxLength: 12 },
)

test('any bytes, in limbo and unlocked, on both lanes', async () => {
  const way = fc.record({
    protocol: fc.constantFrom(BINARY_LANE, 'porthouse.v1.json'),
    path: fc.constantFrom('/v1/ws', '/demo/attacked', '/demo/attacked/channel'),
    unlocked: fc.boolean(),
    ending: fc.constantFrom('reset', 'close', 'half'),
  })
  const frames = [answer(1, attacker), join(2, ROOM)]
  const proof = encodeFrame(BINARY, packetOf(...frames))
  const proofInJson = encodeFrame(
    TEXT,
    toJsonString(PacketSchema, create(PacketSchema, { frames })),
  )
  await fc.assert(
    fc.asyncProperty(way, traffic, async ({ protocol, path, unlocked, ending }, frames) => {
      const early = unlocked ? { early: protocol === BINARY_LANE ? proof : proofInJson } : {}
      const socket = await RawWebSocket.open(port, { protocol, path, ...early })
      socket.write(Buffer.concat(frames))
      if (ending === 'close') socket.send(CLOSE)
      if (ending === 'reset') socket.reset()
    }),
    { numRuns: 500 },
  )
})

test('any bytes for a handshake', async () => {
  const handshake = Buffer.from(encodeHandshake())
  const cut = fc
    .tuple(fc.nat(handshake.length), fc.uint8Array({ maxLength: 40 }))
    .map(([at, bytes]) =>
      Buffer.concat([handshake.subarray(0, at), bytes, Buffer.from('\r\n\r\n')]),
    )
  const start = fc.oneof(
    fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
    cut,
  )
  await fc.assert(
    fc.asyncProperty(start, async (bytes) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined).resume()
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.end(bytes)
      await closed
    }),
    { numRuns: 200 },
  )
})

test('1,000 connections at once, each with something else to say', async () => {
  const said = [
    '',
    'GET / HTTP/1.1\r\n\r\n',
    encodeHandshake({ path: '/demo/hello' }),
    encodeHandshake({ headers: { Origin: 'https://evil.example' } }),
    `${encodeHandshake()}\x82\x85`,
    Buffer.alloc(1000, 0xff),
  ]
  const sockets = Array.from({ length: 1000 }, (_, i) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(said[i % said.length]!)
    return socket
  })
  await witnesses.check()
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
  for (const socket of sockets) socket.resetAndDestroy()
})
