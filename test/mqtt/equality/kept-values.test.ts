/** Session histories and last values, between media (R24, R54). */
import { Values } from '@porthouse/proto/room/v1/retained'
import { Owners } from '@porthouse/proto/room/v1/session_history'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { block } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
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

/** Each medium with each. */
const PAIRS = MEDIA.flatMap((owner) => MEDIA.map((other): [Medium, Medium] => [owner, other]))

const isStamped = (guest: Guest) => guest.medium !== 'mqtt 3.1.1'

test.each(PAIRS)('what %s has sent is replayed to %s while it is there', async (owner, other) => {
  const { room, secret } = await newRoom(gateway, block('sessionHistory', { owners: Owners.ALL }))
  const witness = await comes(gateway, 'binary', secret)
  await witness.enters(room, { presence: true })
  const renderer = await comes(gateway, owner, secret)
  await renderer.enters(room)
  for (const letter of 'ABC') await renderer.says(room, letter)
  const newcomer = await comes(gateway, other, secret)
  await newcomer.enters(room)
  const heard = await newcomer.hearsAll(3)
  expect(heard.map(({ bytes }) => bytes.toString())).toEqual(['A', 'B', 'C'])
  if (isStamped(newcomer)) {
    expect(heard.map(({ replay }) => replay)).toEqual(['session', 'session', 'session'])
    expect(heard.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  }
  // Nobody gets it twice.
  await renderer.says(room, 'D')
  expect(await newcomer.hearsText()).toBe('D')
  renderer.vanishes()
  await renderer.ended
  await gone(witness, room, 2)
  const late = await comes(gateway, other, secret)
  await late.enters(room)
  await newcomer.says(room, 'E')
  expect(await late.hearsText()).toBe('E')
})

/** Waits until no more than so many sockets are in the room. */
async function gone(witness: Guest, room: string, sockets: number): Promise<void> {
  for (;;) {
    const { occupancies } = (await witness.commands('getStats', { of: `room:${room}` })) as {
      occupancies: { sockets: number }[]
    }
    if ((occupancies[0]?.sockets ?? 0) <= sockets) return
  }
}

test.each(MEDIA)('where the room keeps it of those who ask, %s may ask', async (medium) => {
  const { room, secret } = await newRoom(gateway, block('sessionHistory', {}))
  const [asked, other] = [
    await comes(gateway, medium, secret),
    await comes(gateway, medium, secret),
  ]
  await asked.enters(room, { replayed: true })
  await other.enters(room)
  await asked.says(room, 'of one who asked')
  await other.says(room, 'of another')
  for (const each of MEDIA) {
    const newcomer = await comes(gateway, each, secret)
    await newcomer.enters(room)
    expect(await newcomer.hearsText()).toBe('of one who asked')
    expect(newcomer.waiting).toEqual([])
  }
})

test.each(PAIRS)('a last value that %s has set is there for %s', async (owner, other) => {
  const { room, secret } = await newRoom(gateway, block('retained', { values: Values.ASKED }))
  const setter = await comes(gateway, owner, secret)
  await setter.enters(room)
  await setter.says(room, { channel: 'a', content: Buffer.from([1, 2]), retain: true })
  await setter.says(room, { channel: 'a', content: Buffer.from([3]) })
  await setter.says(room, { channel: 'b', content: Buffer.from([4]), retain: true })
  await setter.says(room, { channel: 'b', content: Buffer.alloc(0), retain: true })
  const comer = await comes(gateway, other, secret)
  await comer.enters(room)
  const value = await comer.hears()
  expect(value).toMatchObject({ channel: 'a', bytes: Buffer.from([1, 2]) })
  if (isStamped(comer)) expect(value.replay).toBe('retained')
  if (value.qos !== undefined) expect(value.retain).toBe(true)
  await setter.says(room, 'live')
  const live = await comer.hears()
  expect(live.bytes.toString()).toBe('live')
  if (live.qos !== undefined) expect(live.retain).toBe(false)
})
