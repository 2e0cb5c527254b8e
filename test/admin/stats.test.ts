/** Stats by the admin API: of the gateway, an account, a room and a channel (R23). */
import type { Client } from '@connectrpc/connect'
import { SlowPhase, StatsService } from '@porthouse/proto/admin/v1/stats_service'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { join, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { type Inside, inside } from '../support/inside.ts'
import { OPEN } from '../support/memory-store.ts'

const ACME = 'accounts/acme'
const BOILER = `${ACME}/rooms/boiler`

let gateway: TestGateway
let operator: Client<typeof StatsService>
let owner: Client<typeof StatsService>
let one: Inside
let two: Inside

beforeAll(async () => {
  gateway = await TestGateway.start({ outbox: { bytes: 1 << 24, ageMs: 3_600_000 } })
  for (const room of ['acme/boiler', 'acme/attic', 'other/room']) await gateway.room(room, [OPEN])
  operator = adminClient(StatsService, gateway, await gateway.operatorKey())
  owner = adminClient(StatsService, gateway, await gateway.apiKey('auditor', 'acme'))
  const token = await gateway.token('acme', ['boiler', 'attic'], { maxConnections: 9 })
  one = await inside(gateway, token, 'acme/boiler', 'acme/boiler/heat')
  two = await inside(gateway, token, 'acme/boiler', 'acme/attic')
  await inside(gateway, undefined, 'other/room')
  for (let i = 1; i <= 3; i++) await sent(one, 'room:acme/boiler/heat', 'warm')
  await sent(two, 'room:acme/attic', 'dust')
})
afterAll(() => gateway.stop())

let frames = 10

async function sent({ socket }: Inside, to: string, content: string): Promise<void> {
  const id = ++frames
  socket.packet(text(id, content, { to: [to] } as never))
  while ((await socket.frame()).id !== id);
}

describe('stats', () => {
  test('of a room and a channel say who is there and what was sent', async () => {
    const room = await owner.getStats({ name: BOILER })
    expect(room).toMatchObject({ name: BOILER, channel: '', sockets: 2, messages: 3n, bytes: 12n })
    expect(room.clients).toBe(2)
    expect(room.messagesPerSecond).toBeGreaterThan(0)
    const channel = await owner.getStats({ name: BOILER, channel: 'heat' })
    expect(channel).toMatchObject({ channel: 'heat', sockets: 1, messages: 3n, bytes: 12n })
    expect(await owner.getStats({ name: BOILER, channel: 'none' })).toMatchObject({ messages: 0n })
  })

  test('of an account sum up what it has', async () => {
    const stats = await owner.getStats({ name: ACME })
    expect(stats).toMatchObject({ name: ACME, sockets: 2, clients: 2, messages: 4n, rooms: 2 })
    expect(stats).toMatchObject({ lockedSockets: 0, slowSockets: 0 })
  })

  test('of the gateway are for those who see all', async () => {
    const stats = await operator.getStats({ name: '-' })
    expect(stats).toMatchObject({ name: '-', sockets: 3, rooms: 3, messages: 4n })
    expect((await failure(owner.getStats({ name: '-' }))).code).toBe('RESOURCE_UNKNOWN')
  })

  test.each([
    [{ name: 'accounts/other' }, 'RESOURCE_UNKNOWN'],
    [{ name: 'accounts/other/rooms/room' }, 'RESOURCE_UNKNOWN'],
    [{ name: `${ACME}/rooms/none` }, 'RESOURCE_UNKNOWN'],
    [{ name: ACME, channel: 'heat' }, 'ARGUMENT_INVALID'],
    [{ name: 'x' }, 'ARGUMENT_INVALID'],
  ])('%j are refused with %s', async (request, code) => {
    expect((await failure(owner.getStats(request))).code).toBe(code)
  })

  test('are listed by room and by channel, page by page', async () => {
    const rooms = await owner.listRoomStats({ parent: ACME, pageSize: 1 })
    expect(rooms.rooms).toMatchObject([{ name: `${ACME}/rooms/attic`, messages: 1n }])
    const { nextPageToken: pageToken } = rooms
    const rest = await owner.listRoomStats({ parent: ACME, pageSize: 1, pageToken })
    expect(rest).toMatchObject({ rooms: [{ name: BOILER }], nextPageToken: '' })
    const { channels } = await owner.listChannelStats({ parent: BOILER })
    expect(channels).toMatchObject([{ name: BOILER, channel: 'heat', messages: 3n }])
    expect((await operator.listRoomStats({ parent: '-' })).rooms).toHaveLength(3)
    const none = owner.listChannelStats({ parent: `${ACME}/rooms/none` })
    expect((await failure(none)).code).toBe('RESOURCE_UNKNOWN')
  })

  test('are shown again and again, with the busiest rooms', async () => {
    const interval = { seconds: 0n, nanos: 200_000_000 }
    const answers = owner.watchStats({ name: ACME, interval, rooms: 1 } as never)
    let seen = 0
    for await (const { stats, rooms } of answers) {
      expect(stats).toMatchObject({ name: ACME, sockets: 2 })
      expect(rooms).toMatchObject([{ name: BOILER }])
      if (++seen === 3) break
    }
    const tooFast = { seconds: 0n, nanos: 1 }
    const refused = (async () => {
      for await (const _ of owner.watchStats({ name: ACME, interval: tooFast } as never));
    })()
    expect((await failure(refused)).problem?.violations).toMatchObject([{ field: 'interval' }])
  })
})

describe('slow consumers', () => {
  test('are listed with what they are stuck in', async () => {
    expect((await owner.listSlowConsumers({ parent: ACME })).consumers).toEqual([])
    const token = await gateway.token('acme', ['attic'])
    const slow = await inside(gateway, token, 'acme/attic')
    slow.socket.pause()
    const large = 'x'.repeat(200_000)
    const isSlow = async () => {
      await sent(two, 'room:acme/attic', large)
      return (await owner.listSlowConsumers({ parent: ACME })).consumers
    }
    await expect
      .poll(isSlow, { timeout: 20_000 })
      .toMatchObject([{ socket: slow.name, phase: SlowPhase.TRANSPORT }])
    const [consumer] = (await owner.listSlowConsumers({ parent: ACME })).consumers
    expect(consumer?.waitingBytes).toBeGreaterThan(0n)
    expect(consumer?.waitingMessages).toBeGreaterThan(0n)
    slow.socket.packet(join(99, 'room:acme/boiler'))
    slow.socket.reset()
  })
})
