/** CONNECT and what CONNACK says to it: what was settled, and why not (M1 to M5, M13, K17). */
import fc from 'fast-check'
import type { Packet } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { say } from '../../support/client-frames.ts'
import { MqttClient, resetMqttClients, type Version } from '../../support/mqtt-client.ts'
import { auth, type Hub, METHOD, PASSWORD, RESPONSE, startHub } from './hub.ts'

let hub: Hub

beforeAll(async () => {
  hub = await startHub({ mqtt: { keepAliveMaxS: 300, sessionExpiryMaxS: 1000 } })
}, 60_000)
afterEach(resetMqttClients)
afterAll(() => hub?.gateway.stop())

const VERSIONS: readonly Version[] = [3, 4, 5]

async function open(version: Version = 4): Promise<MqttClient> {
  return MqttClient.open(hub.port, { version })
}

describe('a CONNECT that proves who it is', () => {
  test.each(VERSIONS)('is accepted in version %d', async (version) => {
    const client = await open(version)
    const connack = await client.connect({ username: 'acme', password: hub.token })
    expect(version === 5 ? connack.reasonCode : connack.returnCode).toBe(0)
    expect(connack.sessionPresent).toBe(false)
    expect(await client.settled()).toEqual([])
  })

  test('is told the bounds, and what is other than it asked for', async () => {
    const client = await open(5)
    const { properties } = await client.connect({
      clientId: '',
      keepalive: 600,
      username: 'acme',
      password: hub.token,
      properties: { sessionExpiryInterval: 5000 },
    })
    expect(properties).toMatchObject({
      receiveMaximum: 64,
      maximumPacketSize: 1_048_576,
      topicAliasMaximum: 32,
      assignedClientIdentifier: expect.stringMatching(/^[a-z2-7]{16}$/),
      serverKeepAlive: 300,
      sessionExpiryInterval: 1000,
      retainAvailable: true,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: true,
      sharedSubscriptionAvailable: true,
      userProperties: { 'porthouse-socket': expect.stringMatching(/^socket:[a-z2-7]{16}$/) },
    })
    expect(properties).not.toHaveProperty('maximumQoS')
    expect(properties).not.toHaveProperty('reasonString')
    expect(properties).not.toHaveProperty('responseInformation')
  })

  test('is not told what is as it asked for', async () => {
    const client = await open(5)
    const { properties } = await client.connect({
      keepalive: 60,
      username: 'acme',
      password: hub.token,
      properties: { sessionExpiryInterval: 500, requestResponseInformation: true },
    })
    for (const name of [
      'assignedClientIdentifier',
      'serverKeepAlive',
      'sessionExpiryInterval',
      'responseInformation',
    ]) {
      expect(properties).not.toHaveProperty(name)
    }
  })

  test('for ever is as long as the gateway keeps sessions', async () => {
    const client = await open(5)
    const { properties } = await client.connect({
      username: 'acme',
      password: hub.token,
      properties: { sessionExpiryInterval: 0xffff_ffff },
    })
    expect(properties?.sessionExpiryInterval).toBe(1000)
  })

  test('has no CONNACK larger than it takes [MQTT-3.2.2-20]', async () => {
    const client = await open(5)
    const { properties } = await client.connect({
      username: 'acme',
      password: hub.token,
      properties: { maximumPacketSize: 60 },
    })
    expect(properties).not.toHaveProperty('userProperties')
    const tiny = await open(5)
    tiny.sendConnect({
      username: 'acme',
      password: hub.token,
      properties: { maximumPacketSize: 10 },
    })
    expect(await tiny.rest()).toMatchObject([{ cmd: 'connack', reasonCode: 0x95 }])
  })
})

test('what comes right behind CONNECT is done after it, in order', async () => {
  for (const init of [
    { username: 'acme', password: hub.token },
    { username: 'acme/pump', password: PASSWORD },
  ]) {
    const client = await open()
    const room = init.username === 'acme' ? 'yard' : 'worded'
    client.sendConnect(init)
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: `acme/${room}`, qos: 1 }],
    })
    client.sendPublish(`acme/${room}`, 'hi', { qos: 1, messageId: 2 })
    client.send({ cmd: 'pingreq' })
    expect(await client.next()).toMatchObject({ cmd: 'connack', returnCode: 0 })
    expect(await client.next('suback')).toMatchObject({ messageId: 1, granted: [1] })
    expect(await client.next('puback')).toMatchObject({ messageId: 2 })
    await client.next('pingresp')
    client.reset()
  }
})

test('whatever comes during a login, the gateway lives and lets go of it', async () => {
  const beside = await hub.gateway.beside()
  const step = fc.constantFrom(
    { cmd: 'pingreq' },
    { cmd: 'disconnect', reasonCode: 0, properties: {} },
    { cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 5 } },
    auth(0x18),
    auth(0x19),
    auth(0x18, say(1, 'token')),
    auth(0x18, say(2, 'token', 'wrong')),
    auth(0x18, say(3, 'token', hub.token)),
    auth(0x19, say(4, 'token', hub.other)),
    auth(0x18, say(5, 'preset', RESPONSE)),
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$porthouse/v1/lock', qos: 0 }] },
  ) as fc.Arbitrary<Packet>
  const begin = fc.record({
    username: fc.constantFrom('acme', 'nobody', '#', `acme/both/${hub.pump}`),
    clientId: fc.constantFrom('', 'one', `acme/boiler/${hub.pump}`),
    ends: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(begin, fc.array(step, { maxLength: 6 }), async (init, steps) => {
      const { ends, ...connect } = init
      const client = await MqttClient.open(beside.mqttPort, { version: 5 })
      client.sendConnect({ ...connect, properties: { authenticationMethod: METHOD } })
      for (const packet of steps) client.send(packet)
      if (ends) client.reset()
      else client.send({ cmd: 'connect', clientId: 'x' } as Packet)
      await client.ended
    }),
    { numRuns: 60 },
  )
  await vi.waitFor(() => expect(beside.sockets).toBe(0))
  const after = await MqttClient.open(beside.mqttPort, { version: 5 })
  expect((await after.connect({ username: 'acme', password: hub.token })).reasonCode).toBe(0)
  await beside.stop()
})

describe('a client id', () => {
  test.each(['__proto__', 'constructor', 'toString', '#', '+', 'a/b', '%c', '$SYS', '日本'])(
    '%j is a name like others (M13, A12)',
    async (clientId) => {
      const client = await open()
      const { returnCode } = await client.connect({
        clientId,
        username: 'acme',
        password: hub.token,
      })
      expect(returnCode).toBe(0)
      expect(await client.settled()).toEqual([])
    },
  )

  test('that is empty is assigned, in 3.1.1 for a clean session alone (M5)', async () => {
    const clean = await open()
    expect((await clean.connect({ clientId: '' })).returnCode).toBe(0)
    for (const bytes of ['100c00044d5154540400000a0000', '100e00064d51497364700302000a0000']) {
      const other = await open()
      other.write(bytes)
      expect(await other.rest()).toMatchObject([{ cmd: 'connack', returnCode: 2 }])
    }
    const five = await open(5)
    five.write('100d00044d5154540500000a000000')
    const { reasonCode, properties } = await five.next('connack')
    expect(reasonCode).toBe(0)
    expect(properties?.assignedClientIdentifier).toBeDefined()
  })

  test('that is too long is refused', async () => {
    const clientId = 'x'.repeat(513)
    expect((await (await open()).connect({ clientId })).returnCode).toBe(2)
    expect((await (await open(5)).connect({ clientId })).reasonCode).toBe(0x85)
  })
})

describe('no session begins', () => {
  test('for a first packet that is not CONNECT (M1)', async () => {
    for (const first of ['c000', '300501610000', '82080001000361626300', 'e000', 'f000']) {
      const client = await open()
      client.write(first)
      expect(await client.rest()).toEqual([])
    }
  })

  test('for a second CONNECT; the first ends (M2)', async () => {
    for (const version of VERSIONS) {
      const client = await open(version)
      await client.connect({ username: 'acme', password: hub.token })
      client.sendConnect({ username: 'acme', password: hub.token })
      const rest = await client.rest()
      const told = [expect.objectContaining({ cmd: 'disconnect', reasonCode: 0x82 })]
      expect(rest).toEqual(version === 5 ? told : [])
    }
  })

  test('for a protocol level that nobody speaks, or another name (M4)', async () => {
    for (const [name, level] of [
      ['MQTT', 99],
      ['MQTT', 3],
      ['MQIsdp', 4],
      ['HTTP', 4],
      ['MQTT', 0x84],
    ] as const) {
      const client = await open()
      const body = Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name),
        Buffer.from([level, 2, 0, 0, 0, 1, 0x61]),
      ])
      client.write(Buffer.concat([Buffer.from([0x10, body.length]), body]))
      expect(await client.rest()).toMatchObject([{ cmd: 'connack', returnCode: 1 }])
    }
  })

  test('for a CONNECT of MQTT 5 that is malformed, which is told', async () => {
    const client = await open(5)
    // The reserved flag.
    client.write('100e00044d5154540503000000000161')
    expect(await client.rest()).toMatchObject([{ cmd: 'connack', reasonCode: 0x81 }])
  })

  test('for flags of a will without one, QoS 3, and the reserved flag (M3)', async () => {
    for (const flags of ['03', '0a', '1e', '22', '46']) {
      const client = await open()
      client.write(`100d00044d51545404${flags}0000000161`)
      expect(await client.rest()).toEqual([])
    }
  })
})
