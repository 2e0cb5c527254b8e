/** Who is there: MQTT sessions are seen as others are, and see them (R23, R28, R54). */

import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { block } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { DeviceGuest } from './device-guest.ts'
import { type Guest, MEDIA } from './guest.ts'
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

const CLOSED = codeInfo(Code.KICKED).websocketClose

const PRESENCE = block('presence', { enabled: true, intervalMs: 20 })

/** A token that acts as a client of its own. */
async function asClient(room: string, name: string): Promise<string> {
  const [account = '', slug = ''] = room.split('/')
  await gateway.store.clients.create({ account, slug: `${name}-${slug}`, grants: [] })
  return gateway.token(account, [slug], { client: `${name}-${slug}` })
}

const clientOf = (room: string, name: string) =>
  `client:${room.split('/')[0]}/${name}-${room.split('/')[1]}`

describe.each(MEDIA)('%s', (medium) => {
  test('is among the members, of each medium', async () => {
    const { room } = await newRoom(gateway, PRESENCE)
    const [ann, bob] = [await asClient(room, 'ann'), await asClient(room, 'bob')]
    const here = [
      ...(await Promise.all(MEDIA.map((each) => comes(gateway, each, ann)))),
      await comes(gateway, medium, bob),
    ]
    const [seer] = here as [Guest]
    for (const guest of here) await guest.enters(room, { presence: guest === seer })
    // Names are settled a moment after their sockets have come.
    await sees(seer, 'joined', clientOf(room, 'bob'))
    for (const guest of here) {
      const { members, count } = await guest.asksRoom('listMembers', { of: `room:${room}` })
      expect(members).toMatchObject([
        { address: clientOf(room, 'ann'), sockets: MEDIA.length },
        { address: clientOf(room, 'bob'), sockets: 1 },
      ])
      expect(count).toBe(2)
    }
  })

  test('is seen coming and going, and sees it', async () => {
    const { room } = await newRoom(gateway, PRESENCE)
    const [ann, bob] = [await asClient(room, 'ann'), await asClient(room, 'bob')]
    const seers = await Promise.all(MEDIA.map((each) => comes(gateway, each, ann)))
    for (const seer of seers) await seer.enters(room, { presence: true })
    const guest = await comes(gateway, medium, bob)
    await guest.enters(room)
    for (const seer of seers) await sees(seer, 'joined', clientOf(room, 'bob'))
    await guest.leaves(room)
    for (const seer of seers) await sees(seer, 'left', clientOf(room, 'bob'))
    await guest.enters(room)
    for (const seer of seers) await sees(seer, 'joined', clientOf(room, 'bob'))
    guest.vanishes()
    for (const seer of seers) await sees(seer, 'left', clientOf(room, 'bob'))
  })

  test('is counted in the room and in its channels', async () => {
    const { room, secret } = await newRoom(gateway)
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    await guest.says(room, { channel: 'a', content: 'four' })
    for (const each of MEDIA) {
      const asker = await comes(gateway, each, secret)
      await asker.enters(room)
      const { occupancies } = (await asker.commands('getStats', { of: `room:${room}` })) as {
        occupancies: object[]
      }
      const sockets = 2
      expect(occupancies[0]).toMatchObject({
        address: `room:${room}`,
        sockets,
        messages: 1n,
        bytes: 4n,
      })
      await asker.leaves(room)
    }
  })

  test('lists its sockets, and may end another one of them', async () => {
    const { room } = await newRoom(gateway)
    const secret = await asClient(room, 'ann')
    const guests = await Promise.all(MEDIA.map((each) => comes(gateway, each, secret)))
    for (const guest of guests) await guest.enters(room)
    const guest = await comes(gateway, medium, secret)
    const { sockets } = (await guest.commands('listSockets', {})) as {
      sockets: { socket: string; self: boolean; rooms: { address: string }[] }[]
    }
    expect(sockets.map(({ socket }) => socket)).toEqual(
      [...guests, guest].map(({ address }) => address).toSorted(),
    )
    expect(sockets.find(({ self }) => self)?.socket).toBe(guest.address)
    for (const { rooms, self } of sockets) {
      expect(rooms.map(({ address }) => address)).toEqual(self ? [] : [`room:${room}`])
    }
    for (const other of guests) {
      await guest.commands('dropSocket', { socket: other.address })
      const end = await other.ended
      expect(end).toBe(
        { binary: CLOSED, json: CLOSED, 'mqtt 3.1.1': undefined, 'mqtt 5': 0x98 }[other.medium],
      )
    }
  })

  test('hears of the technical channel what it may', async () => {
    const { room } = await newRoom(gateway)
    const secret = await asClient(room, 'ann')
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    await guest.commands('watch', { of: clientOf(room, 'ann') })
    for (const each of MEDIA) {
      const other = await comes(gateway, each, secret)
      await other.enters(room)
      other.vanishes()
      const kinds: EventKind[] = []
      while (kinds.at(-1) !== EventKind.CLOSED) {
        const event = (await guest.hasTold('event')) as { kind: EventKind; socket: string }
        expect(event.socket).toBe(other.address)
        kinds.push(event.kind)
      }
      expect(kinds).toEqual([EventKind.OPENED, EventKind.CLOSED])
    }
  })
})

test('a drain is announced on the event topic', async () => {
  const beside = await gateway.beside()
  const secret = await gateway.token('acme', [])
  const guests = await Promise.all(MEDIA.map((medium) => comes(beside, medium, secret)))
  const announced = guests.map((guest) => guest.hasTold('event'))
  await beside.stop()
  for (const event of await Promise.all(announced)) {
    expect(event).toMatchObject({ kind: EventKind.ANNOUNCED })
  }
})

test('to say Hello does not take away what the event topic stands for', async () => {
  const { room } = await newRoom(gateway)
  const guest = await DeviceGuest.comes(gateway.mqttPort, 'mqtt 5', await asClient(room, 'ann'))
  const beside = await gateway.beside()
  const there = await DeviceGuest.comes(beside.mqttPort, 'mqtt 5', await asClient(room, 'bob'))
  for (const each of [guest, there]) {
    const hello = { id: each.nextId(), body: { case: 'hello', value: {} } } as const
    const { body } = await each.asks(hello)
    expect(body).toMatchObject({ case: 'welcome', value: { socket: each.address } })
  }
  const announced = there.hasTold('event')
  await beside.stop()
  expect(await announced).toMatchObject({ kind: EventKind.ANNOUNCED })
})

/** Passes over what is told of others. */
async function sees(seer: Guest, what: 'joined' | 'left', name: string): Promise<void> {
  for (;;) {
    const presence = (await seer.hasTold('presence')) as {
      joined: { address: string }[]
      left: string[]
    }
    const names = what === 'left' ? presence.left : presence.joined.map(({ address }) => address)
    if (names.includes(name)) return
  }
}
