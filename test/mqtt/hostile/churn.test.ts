/** L5, L7 to L10, M15, M16, over a real gateway: who comes and goes, drips, or stops half-way. */

import { setImmediate as turn } from 'node:timers/promises'
import type { Aedes } from 'aedes'
import { generate, type Packet } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { MqttParts } from '../../../gateway/ingress/mqtt/parts.ts'
import { MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { type Comes, heard, PAYLOAD, Siege, type Token } from './siege.ts'

/** What the gateway keeps of its connections, as it was made. */
const inside = vi.hoisted(() => ({
  parts: undefined as MqttParts | undefined,
  engines: [] as Aedes[],
}))
vi.mock('../../../gateway/ingress/mqtt/parts.ts', async (original) => {
  const actual = await original<typeof import('../../../gateway/ingress/mqtt/parts.ts')>()
  const openMqtt = async (...given: Parameters<typeof actual.openMqtt>) => {
    inside.parts = await actual.openMqtt(...given)
    return inside.parts
  }
  return { ...actual, openMqtt }
})
vi.mock('aedes', async (original) => {
  const actual = await original<typeof import('aedes')>()
  class Counted extends actual.Aedes {
    constructor(...given: ConstructorParameters<typeof actual.Aedes>) {
      super(...given)
      inside.engines.push(this)
    }
  }
  return { ...actual, Aedes: Counted }
})

let siege: Siege
let token: Token

beforeAll(async () => {
  siege = await Siege.start({ boiler: [], wills: [] })
  token = await siege.token(['boiler', 'wills'])
})
afterEach(async () => {
  resetMqttClients()
  await siege.unmoved()
})
afterAll(() => siege?.stop())

const enter = (init?: Comes) => siege.enter(token, init)

/** All that grows with connections. */
function counts() {
  const { connections, sessions, core } = inside.parts!
  const place = core.router.graph.place('acme/boiler')
  return {
    sockets: siege.gateway.sockets,
    connections: connections.size,
    sessions: sessions.count,
    members: place?.members.size ?? 0,
    clients: inside.engines.reduce((sum, { connectedClients }) => sum + connectedClients, 0),
  }
}

async function drips(client: MqttClient, packet: Packet): Promise<void> {
  for (const byte of generate(packet, { protocolVersion: 5 })) {
    client.write(Buffer.from([byte]))
    await turn()
  }
}

/** So many at a time, as fast as they go. */
async function many(count: number, attack: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await attack(next++)
  }
  await Promise.all(Array.from({ length: 25 }, worker))
}

test('2,000 that come and go leave nothing (L7)', async () => {
  const before = counts()
  // The bystander alone.
  expect(before).toEqual({ sockets: 1, connections: 1, sessions: 1, members: 0, clients: 1 })
  await many(2_000, async (i) => {
    const version = i % 2 === 0 ? 4 : 5
    const client = await MqttClient.open(siege.port, { version })
    client.sendConnect({ username: 'acme', password: token.secret, clientId: `d${i % 500}` })
    if (i % 5 === 0) client.reset()
    else {
      const subscriptions = [`acme/boiler/${i % 7}`, '$share/g/acme/boiler/#'].map((topic) => ({
        topic,
        qos: 1 as const,
      }))
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
      if (i % 3 === 0) await client.next().catch(() => undefined)
      client.send({ cmd: 'disconnect' } as never)
      if (i % 4 === 0) client.reset()
    }
    await client.ended
  })
  await vi.waitFor(() => expect(counts()).toEqual(before), 20_000)
  // No share is left either.
  expect(await (await enter()).publish('acme/boiler/0', 'x', { qos: 1 })).toBe(0x10)
}, 120_000)

test('who subscribes faster than the store takes it is read no further (L5)', async () => {
  const properties = { sessionExpiryInterval: 100 }
  const client = await enter({ clientId: 'fast', clean: false, properties })
  await client.subscribe('acme/boiler/0', 1)
  const all = [...inside.parts!.connections.values()]
  const { stream } = all.find(({ agreed }) => agreed?.sessionExpiry === 100)!
  const { promise, resolve } = Promise.withResolvers<void>()
  siege.watch.gate = promise
  for (let messageId = 1; messageId <= 2_000; messageId++) {
    const subscriptions = [{ topic: `acme/boiler/${messageId % 9}`, qos: 1 as const }]
    client.send({ cmd: 'subscribe', messageId, subscriptions })
  }
  await vi.waitFor(() => expect(stream.isPaused()).toBe(true), 20_000)
  await siege.unmoved()
  expect(stream.isPaused()).toBe(true)
  siege.watch.gate = undefined
  resolve()
  for (let i = 0; i < 2_000; i++) await client.next('suback')
})

test('wills of one who comes again and again are bounded, and logged once (L8, L10)', async () => {
  const hearer = await enter()
  await hearer.subscribe('acme/wills')
  const lines = siege.watch.lines.length
  const will = { topic: 'acme/wills', payload: Buffer.from(PAYLOAD), qos: 0 as const }
  await many(1_300, async () => {
    const client = await enter({ will })
    client.reset()
    await client.ended
  })
  const wills = (await heard(hearer, 'acme/wills')).filter((payload) => payload === PAYLOAD)
  expect(wills.length).toBeGreaterThanOrEqual(1_000)
  expect(wills.length).toBeLessThan(1_300)
  expect(siege.watch.lines.length - lines).toBeLessThan(10)
}, 120_000)

test('a hundred that have said half of it hold up nobody, and may go on (L9)', async () => {
  const connect = Buffer.from('100d00044d51545404020000000161', 'hex')
  const halves = await Promise.all(
    Array.from({ length: 50 }, () => MqttClient.open(siege.port, { version: 4 })),
  )
  for (const half of halves) half.write(connect.subarray(0, 9))
  const inMidst = await Promise.all(Array.from({ length: 50 }, () => enter()))
  const hearer = await enter()
  await hearer.subscribe('acme/boiler/half')
  // QoS 0 to acme/boiler/half, without properties.
  const topic = Buffer.from('acme/boiler/half')
  const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.from([0, 0x78])])
  const publish = Buffer.concat([Buffer.from([0x30, body.length]), body])
  for (const [i, client] of inMidst.entries()) client.write(publish.subarray(0, 1 + (i % 18)))
  await siege.unmoved()
  for (const half of halves) half.write(connect.subarray(9))
  for (const half of halves) expect((await half.next('connack')).returnCode).toBe(0)
  for (const [i, client] of inMidst.entries()) client.write(publish.subarray(1 + (i % 18)))
  for (let i = 0; i < 50; i++) expect((await hearer.message()).payload.toString()).toBe('x')
})

describe('bytes that drip (M15)', () => {
  test('are read, one by one', async () => {
    const client = await MqttClient.open(siege.port, { version: 5 })
    await drips(client, {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clean: true,
      keepalive: 0,
      clientId: 'dripping',
      username: 'acme',
      password: Buffer.from(token.secret),
    })
    expect((await client.next('connack')).reasonCode).toBe(0)
    const flags = { dup: false, retain: false, qos: 1 } as const
    await drips(client, {
      cmd: 'publish',
      topic: 'acme/boiler/drip',
      payload: 'x',
      messageId: 1,
      ...flags,
    })
    expect((await client.next('puback')).reasonCode).toBe(0x10)
  })

  test('are no sign of life where no packet comes (M16)', async () => {
    for (const version of [4, 5] as const) {
      const client = await enter({ version, keepalive: 1 })
      client.write('30 ff ff 03')
      const timer = setInterval(() => client.write('00'), 100)
      const said = await client.rest()
      clearInterval(timer)
      expect(said).toMatchObject(version === 5 ? [{ cmd: 'disconnect', reasonCode: 0x8d }] : [])
    }
  })
})
