/** Signs of life on both lanes (PH-10.1, PH-10.2, E1, W12). */
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { answer, join } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { dropped, member, Witnesses } from '../support/outcome.ts'
import {
  BINARY,
  encodeFrame,
  PING,
  PONG,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../support/raw-websocket.ts'

let gateway: TestGateway
let quick: TestGateway
let token: string
let witnesses: Witnesses

beforeAll(async () => {
  gateway = await TestGateway.start()
  quick = await gateway.beside({ heartbeatMs: 100 })
  await gateway.room('acme/boiler')
  token = await gateway.token('acme', ['boiler'])
  witnesses = await Witnesses.call(gateway)
})
afterEach(() => {
  resetRawWebSockets()
  return witnesses.check()
})
afterAll(async () => {
  await quick.stop()
  await gateway.stop()
})

const json = { protocol: 'porthouse.v1.json' }

test('an empty packet is answered by an empty packet', async () => {
  const { socket } = await member(gateway, token, 'room:acme/boiler')
  for (let i = 0; i < 3; i++) {
    socket.send(BINARY)
    expect(await socket.next(BINARY)).toHaveLength(0)
  }
  socket.send(BINARY, '', { fin: false })
  socket.send(0, '')
  expect(await socket.next(BINARY)).toHaveLength(0)
})

test('on JSON, an empty text or an empty object is answered by an empty text', async () => {
  const socket = await RawWebSocket.open(gateway.port, json)
  for (const beat of ['', '{}', '{"frames":[]}', ' { } ']) {
    socket.send(TEXT, beat)
    expect(await socket.next(TEXT)).toHaveLength(0)
  }
})

test('a ping is answered by a pong of the same bytes, and a pong by nothing', async () => {
  const socket = await RawWebSocket.open(gateway.port)
  socket.send(PONG, 'unasked')
  for (const bytes of ['', 'x'.repeat(125)]) {
    socket.send(PING, bytes)
    expect((await socket.next(PONG)).toString()).toBe(bytes)
  }
  socket.packet(join(1, ''))
  expect(await socket.frame()).toMatchObject({ id: 1 })
})

test.each([
  ['porthouse.v1', BINARY],
  ['porthouse.v1.json', TEXT],
])('a peer that is silent on %s is asked, and dropped', async (protocol, opcode) => {
  const silent = { protocol, path: '/acme/boiler', answersPings: false }
  const socket = await RawWebSocket.open(quick.port, silent)
  await socket.next(PING)
  expect((await dropped(socket, opcode)).code).toBe('HEARTBEAT_TIMEOUT')
})

test('a peer that answers is asked again and again, and stays', async () => {
  const { socket } = await member(quick, token, 'room:acme/boiler')
  const beating = await RawWebSocket.open(quick.port)
  beating.packet(answer(1, token))
  for (let i = 0; i < 4; i++) {
    await socket.next(PING)
    beating.send(BINARY)
  }
  socket.packet(join(2, ''))
  expect(await socket.frame()).toMatchObject({ id: 2 })
  await beating.next(BINARY)
})

test('a peer that takes nothing is dropped as well', async () => {
  const socket = await RawWebSocket.open(quick.port)
  socket.pause()
  await vi.waitFor(() => expect(quick.sockets).toBe(0), { timeout: 20_000 })
})

test('pings whose answers nobody takes end the connection', async () => {
  const { socket } = await member(gateway, token, 'room:acme/boiler')
  socket.pause()
  let over = false
  void socket.ended.then(() => {
    over = true
  })
  const pings = Buffer.concat(
    Array.from({ length: 5000 }, () => encodeFrame(PING, 'x'.repeat(125))),
  )
  // What the gateway reads no more waits here, and says so.
  while (!over) {
    socket.write(pings)
    await setImmediate()
  }
})
