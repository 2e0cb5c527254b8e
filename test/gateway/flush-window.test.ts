/** A real gateway's flush window, with an event loop that the test, which shares it, keeps busy. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { framesOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { MqttClient, resetMqttClients } from '../support/mqtt-client.ts'
import { block } from '../support/past.ts'
import { BINARY, RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'

/** The longest one, so that a slow machine sends twice within it. */
const WINDOW = block('flushWindow', { milliseconds: 50 })

let gateway: TestGateway
let busy = false

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/yard', [OPEN, WINDOW])
})
beforeEach(() => {
  busy = true
  work()
})
afterEach(() => {
  busy = false
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway.stop())

/** A millisecond in each turn, so that no turn waits for anything. */
function work(): void {
  const until = performance.now() + 1
  while (performance.now() < until);
  if (busy) setImmediate(work)
}

async function open(): Promise<RawWebSocket> {
  const socket = await RawWebSocket.open(gateway.port, { path: '/acme/yard' })
  expect((await socket.frame()).body.case).toBe('room')
  return socket
}

async function say(socket: RawWebSocket): Promise<void> {
  socket.packet(text(1, 'hi'))
  expect((await socket.frame()).body).toMatchObject({ case: 'receipt', value: { code: 0 } })
}

/** Each is told as routed before the next is sent, so without a window none would come together. */
async function sendsTogether(ann: RawWebSocket, bob: RawWebSocket): Promise<void> {
  for (let sent = 0, heard = 0; ; ) {
    for (; sent < heard + 2; sent++) await say(ann)
    const frames = framesOf(await bob.next(BINARY), false)
    if (frames.length > 1) return
    heard += frames.length
  }
}

test('messages of several turns come together', async () => {
  await sendsTogether(await open(), await open())
})

test('who unsubscribes hears what was sent before', async () => {
  const [ann, bob] = [await open(), await open()]
  const password = await gateway.token('acme', ['yard'])
  const device = await MqttClient.connected(gateway.mqttPort, { username: 'acme', password })
  await sendsTogether(ann, bob)
  await device.subscribe('acme/yard')
  await say(ann)
  await device.unsubscribe('acme/yard')
  expect(device.waiting).toMatchObject([{ cmd: 'publish', topic: 'acme/yard' }])
})
