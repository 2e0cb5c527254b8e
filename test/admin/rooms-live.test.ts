/** What the admin API changes of a room is felt by those who are inside, and drops nobody (R51). */
import type { Client } from '@connectrpc/connect'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { adminClient } from '../support/admin.ts'
import { text } from '../support/client-frames.ts'
import { felt } from '../support/felt.ts'
import { TestGateway } from '../support/gateway.ts'
import { brief } from '../support/heard.ts'
import { member } from '../support/outcome.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'
import { configOf } from './configs.ts'

let gateway: TestGateway
let rooms: Client<typeof RoomService>

const name = 'accounts/acme/rooms/boiler'
const address = 'room:acme/boiler'

beforeAll(async () => {
  gateway = await TestGateway.start()
  rooms = adminClient(RoomService, gateway, await gateway.operatorKey())
  await gateway.room('acme/boiler')
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

test('a config by the API: a member hears of it, feels it and stays', async () => {
  const secret = await gateway.token('acme', ['boiler'])
  const { socket } = await member(gateway, secret, address)
  await rooms.updateRoom({
    room: { name, config: configOf({ echo: { enabled: true } }) },
    updateMask: { paths: ['config.blocks.echo'] },
  })
  expect(brief(await felt(socket.frame()))).toBe('0 changed')
  socket.packet(text(3, 'who?', { to: [address] }))
  const heard = (await socket.frames(2)).map(brief)
  expect(heard.toSorted()).toEqual(['0 envelope who?', '3 receipt ROUTED 1'].toSorted())
  await rooms.rollbackRoom({ name, revision: 1 })
  expect(brief(await felt(socket.frame()))).toBe('0 changed')
  socket.packet(text(4, 'me?', { to: [address] }))
  expect(brief(await socket.frame())).toBe('4 receipt VOID 0')
})

test('a room that is deleted by the API is left by all who are in it', async () => {
  await gateway.room('other/attic')
  const secret = await gateway.token('other', ['attic'])
  const { socket } = await member(gateway, secret, 'room:other/attic')
  await rooms.deleteRoom({ name: 'accounts/other/rooms/attic' })
  expect(brief(await felt(socket.frame()))).toBe('0 left room:other/attic')
  socket.packet(text(3, 'still here', { to: ['room:other/attic'] }))
  expect(brief(await socket.frame())).toBe('3 receipt REJECTED ROOM_UNKNOWN')
})

test('a room that the API makes can be entered at once', async () => {
  await rooms.createRoom({
    parent: 'accounts/acme',
    roomId: 'yard',
    room: { config: configOf({ access: {} }) },
  })
  const socket = await RawWebSocket.open(gateway.port, { path: '/acme/yard' })
  expect(brief(await socket.frame())).toBe('0 joined room:acme/yard')
})
