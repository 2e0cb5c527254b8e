/** A subscriber that takes nothing costs what it is allowed to, and nobody else anything (L2). */
import { Keep } from '@porthouse/proto/room/v1/history'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { text } from '../../support/client-frames.ts'
import { type Guest, Hall } from '../../support/hall.ts'
import { OPEN } from '../../support/memory-store.ts'
import { Device } from './device.ts'

const OUTBOX = { bytes: 100_000, ageMs: 5_000 }
const MESSAGE = 10_000

let hall: Hall
let ann: Guest

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  hall = new Hall({ outbox: OUTBOX, limits: { frameBytes: 50_000, payloadBytes: 40_000 } })
})
afterEach(() => vi.useRealTimers())

async function room(policy: Policy): Promise<void> {
  const slowConsumers = { case: 'slowConsumers', value: { policy } } as never
  hall.store.room('acme/boiler', OPEN, slowConsumers)
  ann = hall.open('/acme/boiler')
  await hall.settle()
}

async function says(from: number, to: number, size = MESSAGE): Promise<void> {
  for (let i = from; i <= to; i++) {
    ann.say(text(0, `${i} `.padEnd(size, '.'), { to: ['room:acme/boiler'], receipt: 0 }))
    await hall.settle()
  }
}

const numbers = (device: Device) =>
  device.messages().map(({ payload }) => Number(`${payload}`.split(' ')[0]))

/** Bytes that lie in what a device was given and what waits for it. */
function held({ written, outbox }: Device): number {
  const waiting = [...outbox.pending].reduce(
    (sum, { parcel }) => sum + parcel.content.bytes.length,
    0,
  )
  return written.reduce((sum, { length }) => sum + length, 0) + waiting
}

describe.each([0, 1, 2] as const)('one that takes nothing, at QoS %i', (qos) => {
  test('has to go where its room says so, and others hear all', async () => {
    await room(Policy.DISCONNECT)
    const [frozen, other] = [new Device(hall), new Device(hall)]
    await frozen.subscribe(hall, 'acme/boiler', { qos })
    await other.subscribe(hall, 'acme/boiler', { qos: 0 })
    frozen.stick()
    await says(1, 60)
    expect(frozen.ended).toBe(Code.SLOW_CONSUMER)
    expect(numbers(other)).toHaveLength(60)
    expect(held(frozen)).toBeLessThan(65_536 + 2 * OUTBOX.bytes + 2 * MESSAGE)
  })

  test('loses the oldest where its room says so, is told, and goes on', async () => {
    await room(Policy.DROP_OLDEST)
    const frozen = await new Device(hall).subscribe(hall, 'acme/boiler', { qos })
    await frozen.subscribe(hall, '$porthouse/v1/json/room')
    frozen.stick()
    await says(1, 60)
    expect(held(frozen)).toBeLessThan(65_536 + OUTBOX.bytes + 2 * MESSAGE)
    frozen.unstick()
    const heard: number[] = []
    const lost: string[] = []
    for (let i = 0; i < 10; i++) {
      await hall.settle()
      frozen.unstick()
      for (const packet of frozen.take()) {
        if (packet.cmd === 'pubrel') frozen.acknowledge('pubcomp', packet.messageId!)
        if (packet.cmd !== 'publish') continue
        if (packet.topic !== 'acme/boiler') lost.push(`${packet.payload}`)
        else heard.push(Number(`${packet.payload}`.split(' ')[0]))
        if (packet.qos === 1) frozen.acknowledge('puback', packet.messageId!)
        if (packet.qos === 2) frozen.acknowledge('pubrec', packet.messageId!)
      }
    }
    expect(heard).toEqual([...new Set(heard)].toSorted((a, b) => a - b))
    expect(heard.at(-1)).toBe(60)
    const told = lost.map((each) => JSON.parse(each).frames[0].room.lost.count ?? 0)
    expect(heard.length + told.reduce((sum, count) => sum + count, 0)).toBe(60)
  })
})

test('one that reads and never acknowledges is bounded as well, in bytes and in time', async () => {
  await room(Policy.DROP_NEWEST)
  const mute = await new Device(hall).subscribe(hall, 'acme/boiler', { qos: 1 })
  await says(1, 60, 30_000)
  expect(numbers(mute).length).toBeLessThan(6)
  expect([...mute.outbox.pending].reduce((sum, { parcel }) => sum + parcel.length, 0)).toBeLessThan(
    2 * OUTBOX.bytes + 30_100,
  )
  hall.pass(OUTBOX.ageMs + 1_000)
  expect(mute.ended).toBe(Code.SLOW_CONSUMER)
})

test('one that acknowledges slowly, yet does, stays', async () => {
  await room(Policy.DROP_NEWEST)
  const slow = await new Device(hall, { options: { inflight: 1 } }).subscribe(hall, 'acme/boiler', {
    qos: 1,
  })
  await says(1, 5, 100)
  for (let i = 1; i <= 5; i++) {
    const [packet] = slow.messages()
    expect(`${packet!.payload}`.split(' ')[0]).toBe(`${i}`)
    hall.pass(OUTBOX.ageMs - 1_000)
    slow.acknowledge('puback', packet!.messageId!)
    await hall.settle()
  }
  expect(slow.ended).toBeUndefined()
})

test('a history comes page after page, as fast as it is acknowledged', async () => {
  const history = { case: 'history', value: { keep: Keep.WINDOW } } as never
  hall.store.room('acme/past', OPEN, history)
  const bob = hall.open('/acme/past')
  await hall.settle()
  for (let i = 1; i <= 40; i++) {
    bob.say(text(0, `${i} `.padEnd(8_000, '.'), { to: ['room:acme/past'], receipt: 0 }))
    await hall.settle()
  }
  const late = new Device(hall, { options: { inflight: 4 } })
  late.parts.kept.pastOf = () => ({ kind: 'last', count: 40 })
  await late.subscribe(hall, 'acme/past', { qos: 1 })
  bob.say(text(0, '41 ', { to: ['room:acme/past'], receipt: 0 }))
  await hall.settle()
  const heard: number[] = []
  for (let i = 0; i < 41; i++) {
    expect([...late.outbox.pending].length).toBeLessThan(20)
    for (const { payload, messageId } of late.messages()) {
      heard.push(Number(`${payload}`.split(' ')[0]))
      late.acknowledge('puback', messageId!)
    }
    await hall.settle()
  }
  expect(heard).toEqual(Array.from({ length: 41 }, (_, i) => i + 1))
})
