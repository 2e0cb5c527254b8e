/** Who hears himself: by the room on WebSocket, by his subscription on MQTT (PH-17.6, R54). */
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { block, DURABLE } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { DeviceGuest } from './device-guest.ts'
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

/** Each says its name; then one more says the end, and each tells what it has heard before. */
async function round(room: string, secret: string, guests: readonly Guest[]): Promise<string[][]> {
  const sockets: number[] = []
  for (const guest of guests) sockets.push((await guest.says(room, guest.medium)).sockets)
  const last = await comes(gateway, 'binary', secret)
  await last.says(room, 'end')
  return Promise.all(
    guests.map(async (guest, i) => {
      const heard: string[] = []
      for (let said = await guest.hearsText(); said !== 'end'; said = await guest.hearsText()) {
        heard.push(said)
      }
      // A receipt counts all who have got it.
      expect(sockets[i]).toBe(guests.length - (heard.includes(guest.medium) ? 0 : 1))
      return heard
    }),
  )
}

describe.each([
  ['nothing', []],
  ['all', [DURABLE]],
])('in a room that keeps %s', (_, blocks) => {
  test.each([false, true])('with echo %s, WebSockets follow it and MQTT does not', async (echo) => {
    const { room, secret } = await newRoom(gateway, block('echo', { enabled: echo }), ...blocks)
    const guests = await Promise.all(MEDIA.map((medium) => comes(gateway, medium, secret)))
    for (const guest of guests) await guest.enters(room)
    const heard = await round(room, secret, guests)
    for (const [i, medium] of MEDIA.entries()) {
      const others = MEDIA.filter((each) => each !== medium || echo || isDevice(medium))
      expect(heard[i]).toEqual(others)
    }
  })
})

test.each([0, 1, 2] as const)('no local is for its own alone, at QoS %i', async (qos) => {
  const { room, secret } = await newRoom(gateway, block('echo', { enabled: true }))
  const [ann, bob] = await Promise.all(
    [1, 2].map(() => DeviceGuest.comes(gateway.mqttPort, 'mqtt 5', secret, { qos })),
  )
  for (const one of [ann, bob]) {
    await one!.client.subscribe([{ topic: `${room}/#`, qos, nl: true }])
  }
  const page = await comes(gateway, 'json', secret)
  await page.enters(room)
  const { sockets } = await ann!.says(room, 'of ann')
  expect(sockets).toBe(2)
  await page.says(room, 'of the page')
  expect(await ann!.hearsText()).toBe('of the page')
  expect([await bob!.hearsText(), await bob!.hearsText()]).toEqual(['of ann', 'of the page'])
  expect([await page.hearsText(), await page.hearsText()]).toEqual(['of ann', 'of the page'])
})

test('whom nobody else hears is void with no local, and has himself without', async () => {
  const { room, secret } = await newRoom(gateway)
  const local = await DeviceGuest.comes(gateway.mqttPort, 'mqtt 5', secret)
  await local.client.subscribe([{ topic: room, qos: 1, nl: true }])
  expect((await local.says(room, 'x')).status).toBe(ReceiptStatus.VOID)
  expect(local.reason).toBe(0x10)
  await local.client.subscribe([{ topic: room, qos: 1, nl: false }])
  expect(await local.says(room, 'y')).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1 })
  expect(local.reason).toBe(0)
  expect(await local.hearsText()).toBe('y')
})
