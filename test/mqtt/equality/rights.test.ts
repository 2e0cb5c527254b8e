/** Rights that change while somebody is there, over each medium (R51, R54). */
import { randomBytes } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { newToken } from '../../../gateway/identity/tokens.ts'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import type { DeviceGuest } from './device-guest.ts'
import { type Guest, MEDIA } from './guest.ts'
import { comes, endOf, newRoom, newTokenIn } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

/** A room, somebody there whose token changes, and somebody whose token does not. */
async function stage(medium: (typeof MEDIA)[number]) {
  const { room, secret } = await newRoom(gateway)
  const token = await newTokenIn(gateway, room)
  const [guest, speaker] = [
    await comes(gateway, medium, token.secret),
    await comes(gateway, 'binary', secret),
  ]
  await guest.enters(room)
  const [, slug = ''] = room.split('/')
  const grants = (...rights: object[]) =>
    gateway.store.tokens.change(token.id, {
      grants: rights.map((each) => ({ room: slug, send: false, receive: false, ...each })),
    })
  return { room, token, guest, speaker, grants }
}

/** What the guest is refused with. */
async function refused(guest: Guest, room: string, channel = ''): Promise<Code> {
  const { status, code } = await guest.says(room, { channel, content: 'me too' })
  expect(status).toBe(ReceiptStatus.REJECTED)
  return code
}

const reasonFor = (guest: Guest) =>
  guest.medium === 'mqtt 5' ? (guest as DeviceGuest).reason : 0x87

describe.each(MEDIA)('over %s', (medium) => {
  test('who may no longer receive hears no more, and is told; then again', async () => {
    const { room, guest, speaker, grants } = await stage(medium)
    await grants({ send: true })
    expect(await guest.hasTold('joined')).toMatchObject({ listening: false, maySend: true })
    expect((await speaker.says(room, 'secret')).status).toBe(ReceiptStatus.VOID)
    await grants({ send: true, receive: true })
    if (medium.startsWith('mqtt')) {
      // Its topic filter is there still.
      expect(await guest.hasTold('joined')).toMatchObject({ listening: true })
    } else {
      // Nothing tells it, since it does not listen; it is felt within a second.
      await vi.waitFor(() => guest.enters(room), 5000)
    }
    expect((await speaker.says(room, 'open')).sockets).toBe(1)
    expect(await guest.hearsText()).toBe('open')
  })

  test('who may no longer send is refused, and hears on', async () => {
    const { room, guest, speaker, grants } = await stage(medium)
    await grants({ receive: true })
    expect(await guest.hasTold('joined')).toMatchObject({ listening: true, maySend: false })
    expect(await refused(guest, room)).toBe(Code.SEND_NOT_PERMITTED)
    expect(reasonFor(guest)).toBe(0x87)
    await speaker.says(room, 'go on')
    expect(await guest.hearsText()).toBe('go on')
  })

  test('who has no right any more is out, and back with the right', async () => {
    const { room, guest, speaker, grants } = await stage(medium)
    await grants()
    expect(await guest.hasTold('left')).toMatchObject({
      address: `room:${room}`,
      code: Code.ENTRY_NOT_PERMITTED,
    })
    expect((await speaker.says(room, 'secret')).status).toBe(ReceiptStatus.VOID)
    expect(await refused(guest, room)).toBe(Code.ENTRY_NOT_PERMITTED)
    await grants({ send: true, receive: true })
    expect(await guest.hasTold('joined')).toMatchObject({ listening: true, maySend: true })
    await speaker.says(room, 'open')
    expect(await guest.hearsText()).toBe('open')
  })

  test('rights for some channels are for those', async () => {
    const { room, guest, speaker, grants } = await stage(medium)
    await grants({ send: true, receive: true, channels: ['a', 'b/*'] })
    expect(await guest.hasTold('joined')).toMatchObject({ listening: false })
    expect(await refused(guest, room, 'c')).toBe(Code.CHANNEL_NOT_PERMITTED)
    const [joinsAll, joinsA] = [`room:${room}`, `room:${room}/a`]
    if (medium.startsWith('mqtt')) {
      const { client } = guest as DeviceGuest
      const failure = medium === 'mqtt 5' ? 0x87 : 0x80
      expect(await client.subscribe([`${room}/#`, `${room}/c`, `${room}/b/#`], 1)).toEqual([
        ...[failure, failure, failure],
      ])
      expect(await client.subscribe([`${room}/a`, `${room}/b/+`], 1)).toEqual([1, 1])
    } else {
      const refusal = await guest.asksRoom('join', { address: joinsAll })
      expect(refusal).toMatchObject({ code: Code.CHANNEL_NOT_PERMITTED })
      for (const address of [joinsA, `room:${room}/b/*`]) await guest.asksRoom('join', { address })
    }
    for (const channel of ['c', 'b', 'b/1', '', 'a']) {
      await speaker.says(room, { channel, content: channel })
    }
    expect([await guest.hearsText(), await guest.hearsText()]).toEqual(['b/1', 'a'])
  })

  test.each([
    ['regenerated', Code.REVOKED],
    ['deleted', Code.REVOKED],
    ['past its end', Code.TOKEN_EXPIRED],
  ])('a token that is %s ends its connection', async (how, code) => {
    const { room, secret } = await newRoom(gateway)
    const soon = how === 'past its end' ? { expiresAt: new Date(Date.now() + 2_000) } : {}
    const token = await newTokenIn(gateway, room, soon)
    const [guest, speaker] = [
      await comes(gateway, medium, token.secret),
      await comes(gateway, 'binary', secret),
    ]
    await guest.enters(room)
    if (how === 'deleted') await gateway.store.tokens.delete(token.id)
    if (how === 'regenerated') {
      const { hash } = newToken(token.id, randomBytes(32))
      await gateway.store.tokens.change(token.id, { hash })
    }
    expect(await guest.ended).toBe(endOf(medium, code))
    expect((await speaker.says(room, 'x')).status).toBe(ReceiptStatus.VOID)
  })
})

test('a right in another room brings an MQTT session nowhere, and lets it in', async () => {
  const { guest, token, room } = await stage('mqtt 5')
  const other = await newRoom(gateway)
  const rooms = [room, other.room].map((each) => each.split('/')[1] as string)
  const grants = rooms.map((slug) => ({ room: slug, send: true, receive: true }))
  await gateway.store.tokens.change(token.id, { grants })
  const { client } = guest as DeviceGuest
  while ((await client.subscribe(`${other.room}/#`, 1))[0] !== 1);
  const speaker = await comes(gateway, 'json', other.secret)
  expect((await speaker.says(other.room, 'welcome')).sockets).toBe(1)
  expect(await guest.hearsText()).toBe('welcome')
})
