/** Sockets that are slow, in each way that they can be, and how the gateway tells. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Phase } from '../../gateway/session/slow.ts'
import type { Store } from '../../gateway/store/store.ts'
import { answer, join, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { OPEN } from '../support/memory-store.ts'
import { MqttClient, resetMqttClients } from '../support/mqtt-client.ts'
import { block, DURABLE, joinFrom, since } from '../support/past.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'
import { scrape } from '../support/scrape.ts'

/** Parts of the store that do not answer until they are let go. */
const held = new Map<string, PromiseWithResolvers<void>>()

function hold(method: string): void {
  held.set(method, Promise.withResolvers())
}

function letGo(): void {
  for (const each of held.values()) each.resolve()
  held.clear()
}

/** The same store, with methods that can be held. */
function holdable(store: Store, methods: readonly string[]): Store {
  const parts = methods.map((method) => {
    const [part, name] = method.split('.') as ['histories', string]
    const target = store[part] as unknown as Record<string, (...given: unknown[]) => unknown>
    const slow = async (...given: unknown[]) => {
      await held.get(method)?.promise
      return target[name]?.(...given)
    }
    return { part, name, slow }
  })
  const get = (part: string) => (target: object, name: string) => {
    const own = parts.find((each) => each.part === part && each.name === name)
    const found = own?.slow ?? Reflect.get(target, name)
    return typeof found === 'function' ? found.bind(target) : found
  }
  const proxied = Object.entries(store).map(([name, part]) => {
    return [name, typeof part === 'object' ? new Proxy(part, { get: get(name) as never }) : part]
  })
  return Object.assign(Object.create(store), Object.fromEntries(proxied))
}

let base: TestGateway
let gateway: TestGateway
let folder: string

beforeAll(async () => {
  base = await TestGateway.start({ features: ['websocket'] })
  folder = await mkdtemp(joinPath(tmpdir(), 'porthouse-programs-'))
  const methods = ['histories.page', 'histories.append', 'tokens.find']
  gateway = await base.beside(
    { metrics: { listen: '127.0.0.1:0' }, programs: { folder }, outbox: { bytes: 600_000 } },
    holdable(base.store, methods),
  )
})
afterEach(() => {
  letGo()
  resetRawWebSockets()
  resetMqttClients()
})
afterAll(async () => {
  await gateway?.stop()
  await base?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Somebody who is in a room that anybody may enter. */
async function comes(room: string): Promise<RawWebSocket> {
  const socket = await RawWebSocket.open(gateway.port)
  socket.packet(join(1, `room:${room}`))
  await vi.waitUntil(async () => (await socket.frame()).body.case === 'room')
  return socket
}

/** Waits until so many are stuck in that, and in nothing else; gives the bytes that wait. */
async function stuck(phase: Phase, sockets = 1): Promise<number> {
  let bytes = 0
  await vi.waitFor(
    async () => {
      const page = await scrape(gateway.metricsPort)
      expect(page.of('porthouse_slow_sockets', { phase })).toBe(sockets)
      expect(page.of('porthouse_slow_sockets')).toBe(sockets)
      bytes = page.of('porthouse_slow_bytes', { phase })
    },
    { timeout: 10_000 },
  )
  return bytes
}

/** Nothing waits for anybody, nor anybody for anything. */
const noneStuck = () => stuck('transport', 0)

test('who does not read is stuck in the transport, and what gives way is counted', async () => {
  await base.room('acme/flood', [OPEN, block('slowConsumers', { policy: Policy.DROP_OLDEST })])
  const [slow, sender] = [await comes('acme/flood'), await comes('acme/flood')]
  slow.pause()
  const content = 'x'.repeat(50_000)
  for (let i = 0; i < 250; i++) {
    sender.packet(text(i + 10, content, { to: ['room:acme/flood'] }))
    await vi.waitUntil(async () => (await sender.frame()).body.case === 'receipt')
  }
  expect(await stuck('transport')).toBeGreaterThan(500_000)
  const page = await scrape(gateway.metricsPort)
  expect(page.of('porthouse_messages_lost_total', { policy: 'drop_oldest' })).toBeGreaterThan(10)
  expect(page.of('porthouse_slowed_total')).toBeGreaterThan(0)
  slow.resume()
  await noneStuck()
})

test('who does not acknowledge is stuck behind what he was sent', async () => {
  await base.room('acme/acks', [OPEN])
  const client = await MqttClient.connected(gateway.mqttPort, {
    version: 5,
    properties: { receiveMaximum: 1 },
  })
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'acme/acks', qos: 1 }] })
  await client.next('suback')
  const publish = { cmd: 'publish', topic: 'acme/acks', dup: false, retain: false, qos: 1 } as const
  const sender = await MqttClient.connected(gateway.mqttPort)
  for (const messageId of [1, 2, 3]) {
    sender.send({ ...publish, messageId, payload: 'y'.repeat(1_000) })
    await sender.next('puback')
  }
  expect(await stuck('unacknowledged')).toBeGreaterThan(2_000)
  expect((await scrape(gateway.metricsPort)).of('porthouse_mqtt_inflight_messages')).toBe(1)
  for (let i = 0; i < 3; i++) {
    const { messageId = 0 } = await client.next('publish')
    client.send({ cmd: 'puback', messageId })
  }
  await noneStuck()
})

test('who is given what he has missed is catching up, for as long as the store takes', async () => {
  await base.room('acme/past', [OPEN, DURABLE])
  const writer = await comes('acme/past')
  writer.packet(
    text(10, 'one', { to: ['room:acme/past'], receipt: ReceiptLevel.STORED }),
    text(11, 'two', { to: ['room:acme/past'], receipt: ReceiptLevel.STORED }),
  )
  await writer.frames(2)
  writer.reset()
  // What is in memory has gone with the last member.
  await vi.waitFor(async () => {
    expect((await scrape(gateway.metricsPort)).of('porthouse_memberships')).toBe(0)
  })
  hold('histories.page')
  const reader = await RawWebSocket.open(gateway.port)
  reader.packet(joinFrom(1, 'room:acme/past', since(0)))
  await stuck('catching-up')
  letGo()
  await noneStuck()
})

test('who waits for a lock has what he sends behind it held', async () => {
  await base.room('acme/locked')
  const secret = await base.token('acme', ['locked'])
  hold('tokens.find')
  const socket = await RawWebSocket.open(gateway.port)
  socket.packet(answer(1, secret))
  socket.packet(text(2, 'z'.repeat(2_000), { to: ['room:acme/locked'] }))
  expect(await stuck('held')).toBeGreaterThan(2_000)
  letGo()
  await noneStuck()
})

test('who sends to a program that is not ready waits for it', async () => {
  await writeFile(
    joinPath(folder, 'never.ts'),
    'await new Promise(() => setInterval(() => {}, 9e4))',
  )
  await base.room('acme/played', [OPEN, block('program', { module: 'never.ts' })])
  const socket = await comes('acme/played')
  for (const id of [10, 11])
    socket.packet(text(id, 'w'.repeat(1_000), { to: ['room:acme/played'] }))
  expect(await stuck('program')).toBeGreaterThan(2_000)
  const page = await scrape(gateway.metricsPort)
  expect(page.of('porthouse_program_processes')).toBe(1)
  expect(page.of('porthouse_program_queue_messages')).toBe(2)
})

test('who sends to a room whose store does not answer waits for that', async () => {
  await base.room('acme/book', [OPEN, DURABLE])
  const socket = await comes('acme/book')
  hold('histories.append')
  socket.packet(text(10, 'v'.repeat(1_000), { to: ['room:acme/book'] }))
  expect(await stuck('store')).toBeGreaterThan(1_000)
  expect((await scrape(gateway.metricsPort)).of('porthouse_history_queue_messages')).toBe(1)
  letGo()
  await noneStuck()
})
