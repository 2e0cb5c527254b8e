/** What was before, over each medium: live is what MQTT has, the rest is asked for (R36, R54). */

import { Keep } from '@porthouse/proto/room/v1/history'
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { DURABLE, keeping, since, UNREAD } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { position, roomFrame } from '../../support/told.ts'
import { type Guest, MEDIA, type Medium } from './guest.ts'
import { comes, newRoom } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

const isDevice = (medium: Medium) => medium.startsWith('mqtt')

/** A room where somebody has said one to five. */
async function past(keep = DURABLE) {
  const { room, secret } = await newRoom(gateway, keep)
  const speaker = await comes(gateway, 'binary', secret)
  // Nothing is kept of a room that nobody is in, but what is durable.
  await speaker.enters(room)
  for (const word of ['1', '2', '3', '4', '5']) await speaker.says(room, { content: word })
  return { room, secret, speaker }
}

const brief = (heard: Awaited<ReturnType<Guest['hearsAll']>>) =>
  heard.map(({ bytes, sequence, replay, retain }) =>
    [bytes, sequence, replay, retain && 'retained'].filter((each) => each).join(' '),
  )

/** The same as the medium tells it. */
const told = (medium: Medium, ...lines: string[]) =>
  medium === 'mqtt 3.1.1' ? lines.map((line) => line.split(' ')[0]) : lines

test.each(['mqtt 3.1.1', 'mqtt 5'] as const)(
  'SUBSCRIBE by %s gets what is live',
  async (medium) => {
    const { room, secret, speaker } = await past()
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    await speaker.says(room, '6')
    expect(brief(await guest.hearsAll(1))).toEqual(told(medium, '6 6'))
  },
)

/** Asks for a room's past by a Join, in the room that it is in by now; gives Joined. */
function asksPast(guest: Guest, room: string, backlog: object) {
  return guest.asksRoom('join', { address: `room:${room}`, backlog })
}

/** Goes in and asks for the past: by one Join, or over MQTT by a topic filter and then a Join. */
async function entersWith(guest: Guest, room: string, backlog: object) {
  if (isDevice(guest.medium)) await guest.enters(room)
  return asksPast(guest, room, backlog)
}

describe.each([
  ['durable', DURABLE],
  ['a window', keeping(Keep.WINDOW)],
])('of a history that is %s', (_, keep) => {
  test.each(MEDIA)('a Join by %s brings what was asked for, then what is live', async (medium) => {
    for (const [backlog, first] of [
      [since(2), 3],
      [{ case: 'last', value: 2 }, 4],
    ] as const) {
      const { room, secret, speaker } = await past(keep)
      const guest = await comes(gateway, medium, secret)
      expect(await entersWith(guest, room, backlog)).toMatchObject({
        listening: true,
        backlog: { recovered: true, afterSequence: BigInt(first - 1) },
      })
      expect(await guest.hasTold('caughtUp')).toMatchObject({ sequence: 5n })
      const expected = [3, 4, 5].filter((n) => n >= first).map((n) => `${n} ${n} history`)
      expect(brief(await guest.hearsAll(6 - first))).toEqual(told(medium, ...expected))
      await speaker.says(room, 'live')
      expect(await guest.hearsText()).toBe('live')
      expect(guest.waiting).toEqual([])
    }
  })
})

test.each(['mqtt 3.1.1', 'mqtt 5'] as const)(
  'by %s a Join alone, without a topic filter, brings and hears nothing',
  async (medium) => {
    const { room, secret, speaker } = await past()
    const guest = await comes(gateway, medium, secret)
    expect(await asksPast(guest, room, since(0))).toMatchObject({ listening: false })
    const { sockets } = await speaker.says(room, '6')
    expect(sockets).toBe(0)
    await guest.enters(room)
    await speaker.says(room, '7')
    expect(await guest.hearsText()).toBe('7')
  },
)

test.each(MEDIA)('what is unread is counted, and moved, by %s', async (medium) => {
  const { room, speaker } = await past()
  const [, slug = ''] = room.split('/')
  await gateway.store.clients.create({ account: 'acme', slug: `reader-${slug}`, grants: [] })
  const secret = await gateway.token('acme', [slug], { client: `reader-${slug}` })
  const [reader, watcher] = [
    await comes(gateway, medium, secret),
    await comes(gateway, 'binary', secret),
  ]
  await watcher.enters(room)
  const unread = async () =>
    ((await reader.commands('listUnread', {})) as { rooms: object[] }).rooms
  expect(await unread()).toMatchObject([{ address: `room:${room}`, lastSequence: 5n, count: 5 }])
  await reader.enters(room)
  const moved = { address: `room:${room}`, position: position(3) }
  expect(await reader.asksRoom('cursor', moved)).toMatchObject({ position: { sequence: 3n } })
  expect(await watcher.hasTold('cursor')).toMatchObject({ position: { sequence: 3n } })
  expect(await unread()).toMatchObject([{ cursor: 3n, count: 2 }])
  reader.vanishes()
  const again = await comes(gateway, medium, secret)
  await entersWith(again, room, UNREAD)
  expect(brief(await again.hearsAll(2))).toEqual(told(medium, '4 4 history', '5 5 history'))
  // And the other way about: what is read elsewhere is told to it.
  await watcher.asksRoom('cursor', { address: `room:${room}`, position: position(5) })
  expect(await again.hasTold('cursor')).toMatchObject({ position: { sequence: 5n } })
  await speaker.says(room, '6')
  expect(await again.hearsText()).toBe('6')
})

test.each(MEDIA)(
  'a page that was fetched by %s comes under its id, and then Fetched',
  async (medium) => {
    const { room, secret } = await past()
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    const id = guest.nextId()
    const range = { case: 'after', value: position(1) }
    guest.tells(roomFrame(id, 'fetch', { address: `room:${room}`, range, limit: 3 }))
    for (const word of ['2', '3', '4']) {
      const frame = await guest.told('envelope')
      expect(frame.id).toBe(id)
      expect(frame.body.value).toMatchObject({ content: { value: word }, stamp: { replay: 1 } })
    }
    const frame = await guest.told('fetched')
    expect(frame.id).toBe(id)
    expect(frame.body.value).toMatchObject({ action: { value: { count: 3, moreAfter: true } } })
    expect(guest.waiting).toEqual([])
  },
)

test.each(MEDIA)(
  'a question that cannot be answered is refused to %s where it asked',
  async (medium) => {
    const { room, secret } = await newRoom(gateway)
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    const range = { case: 'after', value: position(0) }
    const refused = await guest.asksRoom('fetch', { address: `room:${room}`, range })
    expect(refused).toMatchObject({ code: Code.NO_HISTORY })
    const other = await comes(gateway, medium, secret)
    expect(await entersWith(other, room, since(0))).toMatchObject({
      backlog: { recovered: false, code: Code.NO_HISTORY },
    })
  },
)
