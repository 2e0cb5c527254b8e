/** A room's config, and changes of it, are the same for all media (R19, R20, R54). */
import { Values } from '@porthouse/proto/room/v1/retained'
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { pubackReason } from '../../../gateway/ingress/mqtt/mapping/reasons.ts'
import { guardedBy } from '../../support/access.ts'
import { TestGateway } from '../../support/gateway.ts'
import { OPEN } from '../../support/memory-store.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { block } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { DeviceGuest } from './device-guest.ts'
import { type Guest, MEDIA, type Medium, type Said } from './guest.ts'
import { comes, configure, newRoom } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

async function isRefused(guest: Guest, room: string, said: Said | string, code: Code) {
  const receipt = await guest.says(room, said)
  expect(receipt).toMatchObject({ status: ReceiptStatus.REJECTED, code })
  if (guest.medium === 'mqtt 5') expect((guest as DeviceGuest).reason).toBe(pubackReason(code))
}

async function isTaken(guest: Guest, room: string, said: Said | string) {
  const receipt = await guest.says(room, said)
  expect(receipt).toMatchObject({ status: ReceiptStatus.ROUTED })
}

/** Somebody of each medium in a room whose config then changes, which each is told. */
async function changes(medium: Medium, ...blocks: Parameters<typeof configure>[2][]) {
  const { room, secret } = await newRoom(gateway, OPEN)
  const guest = await comes(gateway, medium, secret)
  const listener = await comes(gateway, 'binary', secret)
  await guest.enters(room)
  await listener.enters(room)
  await configure(gateway, room, OPEN, ...blocks)
  expect(await guest.hasTold('changed')).toMatchObject({ address: `room:${room}`, revision: 2 })
  return { room, guest, secret }
}

const text = (length: number) => 'x'.repeat(length)

describe.each(MEDIA)('over %s', (medium) => {
  test('a lock that is added puts out who has not resolved it', async () => {
    const { room, secret } = await newRoom(gateway, OPEN)
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    await configure(gateway, room, guardedBy('password'))
    expect(await guest.hasTold('changed')).toMatchObject({ blocks: ['access'] })
    expect(await guest.hasTold('left')).toMatchObject({ code: Code.ENTRY_NOT_PERMITTED })
  })

  test('limits that are lowered hold at once', async () => {
    const { room, guest } = await changes(medium, block('limits', { payloadBytes: 10 }))
    await isTaken(guest, room, text(10))
    await isRefused(guest, room, text(11), Code.PAYLOAD_TOO_LARGE)
  })

  test('rates of a socket and of the room', async () => {
    const socketRate = { perSecond: 0.001, burst: 2 }
    const { room, guest, secret } = await changes(medium, block('limits', { socketRate }))
    await isTaken(guest, room, '1')
    await isTaken(guest, room, '2')
    await isRefused(guest, room, '3', Code.RATE_LIMITED)
    const other = await comes(gateway, medium, secret)
    await isTaken(other, room, '4')
    await configure(gateway, room, OPEN, block('limits', { roomRate: socketRate }))
    await guest.told('changed')
    await isTaken(guest, room, '5')
    await isTaken(other, room, '6')
    await isRefused(guest, room, '7', Code.RATE_LIMITED)
    await isRefused(other, room, '8', Code.RATE_LIMITED)
  })

  test('channels that it has, and no others', async () => {
    const channels = block('channels', { allowed: ['a', 'b/**'], only: true })
    const { room, guest } = await changes(medium, channels)
    for (const channel of ['a', 'b/1/2']) await isTaken(guest, room, { channel, content: 'x' })
    for (const channel of ['', 'c', 'a/1']) {
      await isRefused(guest, room, { channel, content: 'x' }, Code.CHANNEL_UNKNOWN)
    }
  })

  test('JSON that fits its schema', async () => {
    const schema = JSON.stringify({ type: 'object', required: ['celsius'] })
    const structure = { case: 'json', value: { schema } }
    const { room, guest } = await changes(medium, block('messages', { structure }))
    await isTaken(guest, room, '{"celsius": 4}')
    await isTaken(guest, room, { content: Buffer.from('{"celsius": 4}') })
    await isRefused(guest, room, '{"fahrenheit": 4}', Code.CONTENT_INVALID)
    await isRefused(guest, room, '{', Code.CONTENT_INVALID)
    await isRefused(guest, room, { content: Buffer.from([0xff]) }, Code.CONTENT_INVALID)
    const said = await guest.says(room, '{"fahrenheit": 4}')
    expect(said.detail).toContain('celsius')
  })

  test('text, which bytes become that are UTF-8', async () => {
    const { room, guest, secret } = await changes(
      medium,
      block('messages', { structure: { case: 'text', value: {} } }),
    )
    const listener = await comes(gateway, 'mqtt 5', secret)
    await listener.enters(room)
    await isTaken(guest, room, { content: Buffer.from('ö') })
    expect(await listener.hears()).toMatchObject({ text: true, bytes: Buffer.from('ö') })
    await isRefused(guest, room, { content: Buffer.from([0xff]) }, Code.CONTENT_INVALID)
  })

  test('last values, as many and as large as it keeps', async () => {
    const retained = block('retained', { values: Values.ASKED, channels: 2, bytes: 10 })
    const { room, guest } = await changes(medium, retained)
    const keep = (channel: string, content = 'x') => ({ channel, content, retain: true })
    for (const channel of ['a', 'b']) await isTaken(guest, room, keep(channel))
    await isRefused(guest, room, keep('c'), Code.RETAINED_LIMIT)
    await isRefused(guest, room, keep('a', text(11)), Code.PAYLOAD_TOO_LARGE)
    await isTaken(guest, room, { channel: 'c', content: text(11) })
  })

  test('a room that is full', async () => {
    const { room, secret } = await newRoom(gateway, OPEN, block('limits', { sockets: 1 }))
    const first = await comes(gateway, medium, secret)
    await first.enters(room)
    for (const each of MEDIA) {
      const second = await comes(gateway, each, secret)
      await expect(second.enters(room)).rejects.toThrow('refused')
      second.vanishes()
    }
    await first.leaves(room)
    await (await comes(gateway, medium, secret)).enters(room)
  })

  test('a room that is deleted', async () => {
    const { room, secret } = await newRoom(gateway, OPEN)
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    const [account = '', slug = ''] = room.split('/')
    await gateway.store.rooms.delete(account, slug)
    expect(await guest.hasTold('left')).toMatchObject({ code: Code.ROOM_UNKNOWN })
  })
})

test('3.1.1 without receipts is closed for what is refused, and only for that', async () => {
  const { room, secret } = await newRoom(gateway, block('limits', { payloadBytes: 4 }))
  for (const qos of [1, 2] as const) {
    const guest = await DeviceGuest.comes(gateway.mqttPort, 'mqtt 3.1.1', secret, { qos })
    await guest.client.unsubscribe('$porthouse/v1/json/receipt')
    expect(await guest.client.publish(room, '1234', { qos })).toBe(0)
    guest.client.sendPublish(room, '12345')
    expect(await guest.client.publish(room, '1234', { qos })).toBe(0)
    guest.client.sendPublish(room, '12345', { qos })
    expect(await guest.ended).toBeUndefined()
  }
})
