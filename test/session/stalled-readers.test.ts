/**
 * Clients of a real gateway that read nothing while their system goes on to take what comes: far
 * less than its buffers hold is written to them (R46).
 */
import { once } from 'node:events'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import { text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { textOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { MqttClient, resetMqttClients } from '../support/mqtt-client.ts'
import { block } from '../support/past.ts'
import {
  PING,
  PONG,
  type RawOptions,
  RawWebSocket,
  resetRawWebSockets,
} from '../support/raw-websocket.ts'
import { scrape } from '../support/scrape.ts'

const OUTBOX_BYTES = 600_000
const MESSAGE_BYTES = 16_384
/** What may be unread, in messages, and what may wait. */
const UNREAD = 40
const WAITING = 30

let gateway: TestGateway
let login: { readonly username: string; readonly password: string }

beforeAll(async () => {
  const outbox = { bytes: OUTBOX_BYTES, probeMs: 50 }
  gateway = await TestGateway.start({ outbox, metrics: { listen: '127.0.0.1:0' } })
  await gateway.room('acme/hall', [OPEN])
  await gateway.room('acme/latest', [OPEN, block('slowConsumers', { policy: Policy.CONFLATE })])
  login = { username: 'acme', password: await gateway.token('acme', ['hall']) }
})
afterEach(() => {
  resetRawWebSockets()
  resetMqttClients()
})
afterAll(() => gateway.stop())

async function member(room: string, options: RawOptions = {}): Promise<RawWebSocket> {
  const socket = await RawWebSocket.open(gateway.port, { path: `/acme/${room}`, ...options })
  await socket.frame()
  return socket
}

/** Somebody who sends messages that say their number. */
async function speaker(room: string) {
  const sender = await member(room)
  let said = 0
  return async (messages: number): Promise<number> => {
    for (let i = 0; i < messages; i++) {
      const content = `${++said} `.padEnd(MESSAGE_BYTES, '.')
      sender.packet(text(said, content, { to: [`room:acme/${room}`] }))
      await sender.frame()
    }
    return said
  }
}

/** Waits until so many are slow. */
async function slow(sockets: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const page = await scrape(gateway.metricsPort)
      expect(page.of('porthouse_slow_sockets', { phase: 'transport' })).toBe(sockets)
    },
    { timeout: 10_000 },
  )
}

/** Pours until what comes for one waits. */
async function fill(pour: (messages: number) => Promise<number>): Promise<void> {
  await pour(UNREAD)
  await vi.waitFor(
    async () => {
      await pour(1)
      const page = await scrape(gateway.metricsPort)
      expect(page.of('porthouse_slow_sockets', { phase: 'transport' })).toBe(1)
    },
    { timeout: 10_000, interval: 200 },
  )
}

async function numbers(socket: RawWebSocket, count: number): Promise<number[]> {
  const frames = await socket.frames(count)
  return frames.map(({ body }) =>
    body.case === 'envelope' ? Number.parseInt(textOf(body.value), 10) : Number.NaN,
  )
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

test('one that reads on has missed nothing, in order', async () => {
  const [lazy, pour] = [await member('hall'), await speaker('hall')]
  lazy.pause()
  await fill(pour)
  const said = await pour(WAITING / 2)
  lazy.resume()
  expect(await numbers(lazy, said)).toEqual(upTo(said))
  await slow(0)
})

test('so has one that reads, and is late to say so', async () => {
  const mute = await member('hall', { answersPings: false })
  const pour = await speaker('hall')
  await fill(pour)
  const said = await pour(WAITING / 2)
  mute.send(PONG, await mute.next(PING))
  expect(await numbers(mute, said)).toEqual(upTo(said))
  await slow(0)
})

test('one that does not goes where its room says so, and is told', async () => {
  const [lazy, pour] = [await member('hall'), await speaker('hall')]
  lazy.pause()
  await fill(pour)
  await pour(2 * WAITING)
  await slow(0)
  lazy.resume()
  expect((await lazy.ended).code).toBe(4072)
})

test('or gets the latest where its room says that', async () => {
  const [lazy, pour] = [await member('latest'), await speaker('latest')]
  lazy.pause()
  await fill(pour)
  const said = await pour(2 * WAITING)
  lazy.resume()
  for (let frame = await lazy.frame(); ; frame = await lazy.frame()) {
    if (frame.body.case !== 'room') continue
    expect(frame.body.value.action).toMatchObject({ case: 'lost' })
    break
  }
  expect(await numbers(lazy, 1)).toEqual([said])
})

test('nor is MQTT over WebSocket read by what the system takes, at QoS 0', async () => {
  const socket = new WebSocket(`${gateway.url}/mqtt`, 'mqtt')
  await once(socket, 'open')
  const client = new MqttClient(createWebSocketStream(socket))
  await client.connect(login)
  await client.subscribe('acme/hall', 0)
  const pour = await speaker('hall')
  socket.pause()
  await fill(pour)
  const said = await pour(WAITING / 2)
  socket.resume()
  const heard: number[] = []
  while (heard.length < said) {
    heard.push(Number.parseInt(`${(await client.message()).payload}`, 10))
  }
  expect(heard).toEqual(upTo(said))
  await slow(0)
})
