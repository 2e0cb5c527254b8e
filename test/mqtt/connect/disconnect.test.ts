/** How connections end: by the client, by the gateway, and as it goes down. */

import type { IDisconnectPacket } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { MqttClient, resetMqttClients, type Version } from '../../support/mqtt-client.ts'
import { type Hub, startHub } from './hub.ts'

let hub: Hub

beforeAll(async () => {
  hub = await startHub()
}, 60_000)
afterEach(resetMqttClients)
afterAll(() => hub?.gateway.stop())

function arrive(version: Version = 5, properties = {}): Promise<MqttClient> {
  return MqttClient.connected(hub.port, {
    version,
    username: 'acme',
    password: hub.token,
    ...(version === 5 && { properties }),
  })
}

function disconnect(reasonCode: number, sessionExpiryInterval?: number): IDisconnectPacket {
  const properties = sessionExpiryInterval === undefined ? {} : { sessionExpiryInterval }
  return { cmd: 'disconnect', reasonCode, properties }
}

describe('a client that leaves', () => {
  test.each([3, 4, 5] as const)('in version %d is let go without a word', async (version) => {
    const client = await arrive(version)
    client.send(version === 5 ? disconnect(0) : ({ cmd: 'disconnect' } as IDisconnectPacket))
    expect(await client.rest()).toEqual([])
  })

  test('has what it published just before delivered, to a room that nobody was in', async () => {
    for (const version of [4, 5] as const) {
      const room = `late${version}`
      await hub.gateway.room(`acme/${room}`, [
        { case: 'access', value: { locks: [] } as never },
        { case: 'retained', value: {} as never },
      ])
      const sender = await arrive(version)
      sender.sendPublish(`acme/${room}`, 'last words', { retain: true })
      sender.send(version === 5 ? disconnect(0) : ({ cmd: 'disconnect' } as IDisconnectPacket))
      await sender.ended
      const listener = await arrive()
      expect(await listener.subscribe(`acme/${room}`)).toEqual([0])
      expect((await listener.message()).payload.toString()).toBe('last words')
    }
  })

  test('has its acknowledgement before the end', async () => {
    const client = await arrive()
    client.sendPublish('acme/open', 'last words', { qos: 1 })
    client.send(disconnect(0))
    expect(await client.rest()).toMatchObject([{ cmd: 'puback' }])
  })

  test('cannot make a session stay that was to go [MQTT-3.14.2-2]', async () => {
    const client = await arrive()
    client.send(disconnect(0, 60))
    expect(await client.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x82 }])
    const zero = await arrive()
    zero.send(disconnect(0, 0))
    expect(await zero.rest()).toEqual([])
    const kept = await arrive(5, { sessionExpiryInterval: 10 })
    kept.send(disconnect(0, 60))
    expect(await kept.rest()).toEqual([])
  })

  test('by a reason that is no client’s is told so', async () => {
    const client = await arrive()
    client.write('e0028d00')
    expect(await client.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x81 }])
  })

  test('during its login is let go', async () => {
    const client = await MqttClient.open(hub.port, { version: 5 })
    client.sendConnect({ properties: { authenticationMethod: 'porthouse.v1' } })
    await client.next('auth')
    client.send(disconnect(0))
    expect(await client.rest()).toEqual([])
  })
})

describe('a gateway that goes down', () => {
  test('says so, and where else to go if it knows', async () => {
    for (const [serverReference, reasonCode] of [
      [undefined, 0x8b],
      ['hub2.example:1883', 0x9c],
    ] as const) {
      const mqtt = serverReference ? { serverReference } : {}
      const beside = await hub.gateway.beside({ mqtt })
      const open = (version: Version) =>
        MqttClient.connected(beside.mqttPort, { version, username: 'acme', password: hub.token })
      const [older, newer, waiting] = await Promise.all([
        open(4),
        open(5),
        MqttClient.open(beside.mqttPort, { version: 5 }),
      ])
      waiting.sendConnect({ properties: { authenticationMethod: 'porthouse.v1' } })
      await waiting.next('auth')
      const stopped = beside.stop()
      expect(await older.rest()).toEqual([])
      const [told] = await newer.rest()
      expect(told).toMatchObject({ cmd: 'disconnect', reasonCode })
      expect((told as IDisconnectPacket).properties?.serverReference).toBe(serverReference)
      const [refused] = await waiting.rest()
      expect(refused).toMatchObject({
        cmd: 'connack',
        reasonCode: serverReference ? 0x9c : 0x88,
      })
      await stopped
    }
  })
})

describe('keep alive', () => {
  test('ends one that is silent for one and a half of it [MQTT-3.1.2-22]', async () => {
    const client = await MqttClient.connected(hub.port, {
      version: 5,
      keepalive: 1,
      username: 'acme',
      password: hub.token,
    })
    expect(await client.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x8d }])
  })
})
