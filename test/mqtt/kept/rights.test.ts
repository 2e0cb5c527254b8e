/** What was kept, and rights that changed meanwhile (A1, A8); and how much is kept (L3). */
import { fromBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { NewGrant } from '../../../gateway/store/store.ts'
import { type MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { heard } from '../hostile/siege.ts'
import { arrive, type House, startHouse, textOf } from './house.ts'

let house: House

beforeAll(async () => {
  house = await startHouse({
    mqtt: { queueMessages: 10, queueBytes: 4096, sessionsPerPrincipal: 8 },
  })
})
afterEach(resetMqttClients)
afterAll(() => house.gateway.stop())

let names = 0
const name = () => `device-${++names}`

interface Device {
  readonly id: string
  readonly token: string
  /** UUID of the token. */
  readonly tokenId: string
  come(init?: Parameters<typeof arrive>[2]): ReturnType<typeof arrive>
}

async function device(): Promise<Device> {
  const id = name()
  const token = await house.gateway.token('acme', ['hall', 'attic'])
  const tokenId = (await house.gateway.store.tokens.list('acme')).at(-1)!.id
  return { id, token, tokenId, come: (init) => arrive({ ...house, token }, id, init) }
}

async function sender(): Promise<MqttClient> {
  const { client } = await arrive({ ...house, token: house.other }, name(), {
    expiry: 0,
    clean: true,
  })
  return client
}

function grant(room: string, rights: Partial<NewGrant> = {}): NewGrant {
  return { room, send: true, receive: true, admit: false, channels: [], ...rights }
}

describe.each(['hall', 'attic'])('in room %s', (room) => {
  it('a filter that was refused is not kept (A1)', async () => {
    const { come } = await device()
    const { client } = await come()
    const granted = await client.subscribe([`acme/${room}/a`, 'acme/cellar', '#', `acme/+`], 1)
    expect(granted).toEqual([1, 0x87, 0x87, 0x87])
    await client.disconnect()
    const other = await sender()
    await other.publish(`acme/${room}/b`, 'no', { qos: 1 })
    await other.publish(`acme/${room}/a`, 'yes', { qos: 1 })
    const { client: back } = await come()
    expect(await heard(back, `acme/${room}/mark`)).toEqual(['yes'])
  })

  it('what was kept goes with the right, and so does its subscription (A8)', async () => {
    const { come, tokenId, id } = await device()
    const { client } = await come()
    await client.subscribe([`acme/${room}/a`, `acme/${room}/b`], 1)
    await client.disconnect()
    const other = await sender()
    await other.publish(`acme/${room}/a`, 'secret', { qos: 1 })
    await other.publish(`acme/${room}/b`, 'open', { qos: 1 })
    const { tokens } = house.gateway.store
    await tokens.change(tokenId, { grants: [grant(room, { channels: ['b'] })] })
    const { client: back, present } = await come()
    expect(present, id).toBe(true)
    expect(textOf(await back.message())).toBe('open')
    await other.publish(`acme/${room}/a`, 'secret', { qos: 1 })
    expect(await heard(back, `acme/${room}/b`)).toEqual([])
    await back.disconnect()
    // The right is back; the subscription is not.
    await tokens.change(tokenId, { grants: [grant(room)] })
    await other.publish(`acme/${room}/a`, 'later', { qos: 1 })
    const { client: last } = await come()
    expect(await heard(last, `acme/${room}/mark`)).toEqual([])
  })

  it('what was sent and not acknowledged is not sent again either', async () => {
    const { come, tokenId } = await device()
    const { client } = await come()
    await client.subscribe(`acme/${room}`, 1)
    const other = await sender()
    await other.publish(`acme/${room}`, 'seen', { qos: 1 })
    await client.next('publish')
    client.reset()
    await client.ended
    const { tokens } = house.gateway.store
    await tokens.change(tokenId, { grants: [grant('cellar')] })
    const { client: back } = await come()
    expect(await heard(back, 'acme/cellar/mark')).toEqual([])
  })

  it('a session goes with its token, and nobody keeps for it', async () => {
    const { come, tokenId } = await device()
    const topic = `acme/${room}/of-${tokenId}`
    const { client } = await come()
    await client.subscribe(topic, 1)
    await client.disconnect()
    const other = await sender()
    await other.publish(topic, 'kept', { qos: 1 })
    const { tokens, mqttSessions } = house.gateway.store
    expect(await mqttSessions.count(`token:${tokenId}`)).toBe(1)
    await tokens.delete(tokenId)
    expect(await mqttSessions.count(`token:${tokenId}`)).toBe(0)
    if (room === 'attic') return
    let code: number | undefined = 0
    while (code === 0) code = await other.publish(topic, 'to nobody', { qos: 1 })
    expect(code).toBe(0x10)
  })
})

describe('a room that is deleted', () => {
  it('takes along what was kept of it', async () => {
    const { gateway } = house
    await gateway.room('acme/shed')
    const token = await gateway.token('acme', ['shed', 'hall'])
    const own = { ...house, token }
    const id = name()
    const { client } = await arrive(own, id)
    await client.subscribe(['acme/shed', 'acme/hall/x'], 1)
    await client.disconnect()
    const { client: other } = await arrive(own, name(), { expiry: 0, clean: true })
    await other.publish('acme/shed', 'gone', { qos: 1 })
    await other.publish('acme/hall/x', 'here', { qos: 1 })
    await gateway.store.rooms.delete('acme', 'shed')
    const { client: back } = await arrive(own, id)
    expect(await heard(back, 'acme/hall/mark')).toEqual(['here'])
  })
})

describe('a queue', () => {
  it('is bounded in messages: the oldest go, which is told', async () => {
    const { come } = await device()
    const { client } = await come()
    await client.subscribe(['acme/hall/q', '$porthouse/v1/room'], 1)
    await client.disconnect()
    const other = await sender()
    for (let i = 0; i < 25; i++) await other.publish('acme/hall/q', `${i}`, { qos: 1 })
    const { client: back } = await come()
    const kept = Array.from({ length: 10 }, (_, i) => `${15 + i}`)
    const heard: string[] = []
    let lost = 0
    while (heard.length < 10 || lost === 0) {
      const message = await back.message()
      if (message.topic === 'acme/hall/q') heard.push(textOf(message))
      else {
        const { frames } = fromBinary(PacketSchema, message.payload as Buffer)
        for (const { body } of frames) {
          if (body.case !== 'room' || body.value.action.case !== 'lost') continue
          expect(body.value.action.value.code).toBe(Code.QUEUE_FULL)
          lost += body.value.action.value.count
        }
      }
    }
    expect(heard).toEqual(kept)
    expect(lost).toBe(15)
  })

  it('is bounded in bytes', async () => {
    const { come } = await device()
    const { client } = await come()
    await client.subscribe('acme/hall/b', 1)
    await client.disconnect()
    const other = await sender()
    for (let i = 0; i < 5; i++) {
      await other.publish('acme/hall/b', `${i}`.repeat(1500), { qos: 1 })
    }
    const { client: back } = await come()
    const kept = await heard(back, 'acme/hall/mark')
    expect(kept.map((payload) => payload[0])).toEqual(['3', '4'])
  })
})

describe('sessions', () => {
  it('are bounded for one principal: what is one too many ends with its connection', async () => {
    const token = await house.gateway.token('acme', ['hall'])
    const own = { ...house, token }
    for (let i = 0; i < 8; i++) {
      const { connack } = await arrive(own, `many-${i}`)
      expect(connack.properties?.sessionExpiryInterval).toBeUndefined()
    }
    const ninth = await arrive(own, 'many-8')
    expect(ninth.connack.reasonCode).toBe(0)
    expect(ninth.connack.properties?.sessionExpiryInterval).toBe(0)
    await ninth.client.disconnect()
    expect((await arrive(own, 'many-8')).present).toBe(false)
    expect((await arrive(own, 'many-3')).present).toBe(true)
  })

  it('have any name', async () => {
    const { token } = await device()
    for (const id of ['__proto__', 'constructor', 'a/b', '#', "'; --", 'ü'.repeat(100)]) {
      const { client } = await arrive({ ...house, token }, id)
      await client.subscribe('acme/hall/n', 1)
      await client.disconnect()
      const back = await arrive({ ...house, token }, id)
      expect(back.present).toBe(true)
      await back.client.disconnect()
    }
  })
})
