/** Who a client is by user name, password and device path (R3, R4, R14; K13 to K17, A12, H11). */
import { fromBinary } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { packetOf, say } from '../../support/client-frames.ts'
import {
  type ConnectInit,
  MqttClient,
  resetMqttClients,
  type Version,
} from '../../support/mqtt-client.ts'
import { brief, type Hub, heardSteps, PASSWORD, PATIENT, RESPONSE, startHub } from './hub.ts'

const LOCK = '$porthouse/v1/lock'

let hub: Hub

beforeAll(async () => {
  hub = await startHub()
}, 60_000)
afterEach(resetMqttClients)
afterAll(() => hub?.gateway.stop())

async function tried(init: ConnectInit = {}, version: Version = 5) {
  const client = await MqttClient.open(hub.port, { version })
  const { reasonCode, returnCode, properties } = await client.connect(init)
  return { client, code: version === 5 ? reasonCode : returnCode, properties }
}

async function mayPublish(client: MqttClient, topic: string): Promise<boolean> {
  const reason = await client.publish(topic, 'hi', { qos: 1 })
  return reason !== undefined && reason < 0x80
}

/** CONNECT of MQTT 5 with a password and no user name, which mqtt-packet does not write. */
async function passwordAlone(clientId: string, password: string): Promise<MqttClient> {
  const client = await MqttClient.open(hub.port, { version: 5 })
  const field = (text: string) => [Buffer.from([0, Buffer.byteLength(text)]), Buffer.from(text)]
  const head = [...field('MQTT'), Buffer.from([5, 0x42, 0, 0, 0])]
  const body = Buffer.concat([...head, ...field(clientId), ...field(password)])
  client.write(Buffer.concat([Buffer.from([0x10, body.length]), body]))
  return client
}

describe('an account and the secret of a token', () => {
  test('let a client in, with the token’s rights', async () => {
    const { client, code } = await tried({ username: 'acme', password: hub.token })
    expect(code).toBe(0)
    expect(await mayPublish(client, 'acme/yard')).toBe(true)
    expect(await client.subscribe('rival/yard')).toEqual([0x87])
  })

  test('by the account’s UUID as well', async () => {
    const account = await hub.gateway.store.accounts.find('acme')
    expect((await tried({ username: account?.id ?? '', password: hub.token })).code).toBe(0)
  })

  test('of a client, by its name as well', async () => {
    expect((await tried({ username: 'acme/ann', password: hub.ann })).code).toBe(0)
    expect((await tried({ username: 'acme/pump', password: hub.ann })).code).toBe(0x86)
    expect((await tried({ username: 'acme/pump', password: hub.token })).code).toBe(0x86)
  })

  test('a client’s password does where it has one', async () => {
    const { client, code } = await tried({ username: 'acme/pump', password: PASSWORD })
    expect(code).toBe(0)
    expect(await mayPublish(client, 'acme/worded')).toBe(true)
    expect((await tried({ username: 'acme/pump', password: 'wrong' })).code).toBe(0x86)
    expect((await tried({ username: 'acme/ann', password: PASSWORD })).code).toBe(0x86)
  })

  test('a password alone is a token’s secret, in MQTT 5', async () => {
    const client = await passwordAlone('x', hub.token)
    expect((await client.next('connack')).reasonCode).toBe(0)
    expect(await mayPublish(client, 'acme/yard')).toBe(true)
    const wrong = await passwordAlone('x', 'wrong')
    expect((await wrong.next('connack')).reasonCode).toBe(0x86)
  })
})

describe('what proves nobody', () => {
  const wrongs = (): ConnectInit[] => [
    { username: 'acme', password: `${hub.token.slice(0, -4)}AAAA` },
    { username: 'acme', password: 'secret' },
    { username: 'acme', password: hub.other },
    { username: 'rival', password: hub.token },
    { username: 'nobody', password: hub.token },
    { username: '#', password: hub.token },
    { username: '+', password: hub.token },
    { username: 'acme/#', password: hub.token },
    { username: 'acme:x', password: hub.token },
    { username: 'acme/', password: hub.token },
    { username: 'acme/yard/x', password: hub.token },
    { username: '', password: hub.token },
    { username: '', password: '' },
    { username: '' },
    { username: 'acme' },
    { username: 'acme', password: '' },
    { username: 'acme', password: 'a\0b' },
    { username: 'acme', password: `${hub.token}\0` },
    { username: 'acme', password: Buffer.from([0xff, 0xfe, 0xfd]) },
    { username: 'acme', password: 'x'.repeat(60_000) },
    { username: 'acme/pump', password: 'x'.repeat(60_000) },
    { username: 'acme/pump', password: '' },
  ]

  test('is refused in the same words, whatever is wrong (K14, K17, A12)', async () => {
    for (const init of wrongs()) {
      const { client, code, properties } = await tried(init)
      expect([init.username, code]).toEqual([init.username, 0x86])
      expect(properties?.reasonString).toBe('user name and password do not prove anybody')
      await client.ended
    }
  })

  test('is refused with 4 in 3.1.1', async () => {
    for (const init of wrongs()) {
      const { client, code } = await tried(init, 4)
      expect([init.username, code]).toEqual([init.username, 4])
      await client.ended
    }
  })

  test('is not told why, where reasons are not wanted', async () => {
    const { properties } = await tried({
      username: 'acme',
      password: 'secret',
      properties: { requestProblemInformation: false },
    })
    expect(properties?.reasonString).toBeUndefined()
  })

  test('leaves nothing behind', async () => {
    const before = hub.gateway.sockets
    for (const init of wrongs().slice(0, 5)) await (await tried(init)).client.ended
    expect(hub.gateway.sockets).toBeLessThanOrEqual(before)
  })
})

describe('a device path (R4)', () => {
  const path = (room: string, channel = '') => `acme/${room}/${hub.pump}${channel}`

  test('as user name or client id is answered by the password', async () => {
    for (const client of [
      (await tried({ username: path('boiler'), password: RESPONSE })).client,
      (await tried({ username: path('boiler', '/heat'), password: RESPONSE })).client,
      await passwordAlone(path('boiler'), RESPONSE),
    ]) {
      expect(await client.subscribe('acme/boiler/#', 1)).toEqual([1])
      expect(await mayPublish(client, 'acme/boiler/heat')).toBe(true)
      expect((await client.message()).topic).toBe('acme/boiler/heat')
      await client.disconnect()
    }
  })

  test('hears nothing that it has not subscribed', async () => {
    const device = await tried({ username: path('worded'), password: PASSWORD })
    expect(device.code).toBe(0)
    const { client } = await tried({ username: 'acme/pump', password: PASSWORD })
    expect(await mayPublish(client, 'acme/worded')).toBe(true)
    expect(await mayPublish(device.client, 'acme/worded')).toBe(true)
    expect(await device.client.settled()).toEqual([])
  })

  test('takes the lock that the password is for', async () => {
    for (const [room, password] of [
      ['yard', hub.pumpToken],
      ['either', hub.pumpToken],
      ['either', RESPONSE],
      ['worded', PASSWORD],
    ] as const) {
      expect([room, (await tried({ username: path(room), password })).code]).toEqual([room, 0])
    }
  })

  test('is for that client alone, whoever else may enter the room', async () => {
    expect((await tried({ username: path('yard'), password: hub.token })).code).toBe(0x87)
    expect((await tried({ username: path('yard'), password: hub.token }, 4)).code).toBe(5)
  })

  test('is refused alike where the room, the client or the response is another', async () => {
    for (const username of [
      path('boiler'),
      path('boiler').replace(hub.pump, '0190a5f3-9c5e-7c3a-8b1d-2f6e4d5c6b7a'),
      path('nowhere'),
      `nobody/boiler/${hub.pump}`,
    ]) {
      expect((await tried({ username, password: 'wrong' })).code).toBe(0x86)
      expect((await tried({ username, password: 'wrong' }, 4)).code).toBe(4)
    }
  })

  test('of an open room needs no password', async () => {
    const id = '0190a5f3-9c5e-7c3a-8b1d-2f6e4d5c6b7a'
    const { code } = await tried({ username: `acme/open/${id}` })
    // It is not that client, whatever its path says.
    expect(code).toBe(0x87)
  })
})

describe('without a password', () => {
  test('a client is in limbo, where there is the lock topic (R14)', async () => {
    const { client, code, properties } = await tried({
      clean: false,
      properties: { sessionExpiryInterval: 600 },
    })
    expect(code).toBe(0)
    expect(properties?.sessionExpiryInterval).toBe(0)
    const asked = ['acme/yard', 'acme/nowhere', '$porthouse/v1/room', '$SYS/#', '#', LOCK]
    expect(await client.subscribe(asked)).toEqual([0x87, 0x87, 0x87, 0x87, 0x87, 0])
    expect(await client.publish('$porthouse/v1/room', packetOf(), { qos: 1 })).toBe(0x87)
  })

  test('an open room lets it in, as it lets in anybody (R54)', async () => {
    const { client } = await tried()
    expect(await client.subscribe('acme/open', 1)).toEqual([1])
    expect(await client.publish('acme/open', 'hi', { qos: 1 })).toBe(0)
    expect(await client.message()).toMatchObject({ topic: 'acme/open' })
  })

  test('it proves a token over the lock topic, and is in', async () => {
    for (const version of [4, 5] as const) {
      const { client } = await tried({}, version)
      expect(await client.subscribe(LOCK, 1)).toEqual([1])
      await client.publish(LOCK, packetOf(say(7, 'token', hub.token)), { qos: 1 })
      expect((await heardSteps(client)).map(brief)).toEqual(['passed'])
      expect(await mayPublish(client, 'acme/yard')).toBe(true)
    }
  })

  test('and in JSON, for people', async () => {
    const topic = '$porthouse/v1/json/lock'
    const { client } = await tried({})
    await client.subscribe(topic)
    const frame = { id: 7, lockStep: { answer: { acceptor: 'token', text: hub.token } } }
    client.sendPublish(topic, JSON.stringify({ frames: [frame] }))
    const { payload } = await client.message()
    expect(JSON.parse(payload.toString())).toMatchObject({
      frames: [{ id: 7, lockStep: { verdict: { outcome: 'OUTCOME_PASSED' } } }],
    })
  })

  test('a device is asked over the lock topic, once it listens (R4)', async () => {
    const { client, code } = await tried({ username: `acme/boiler/${hub.pump}` }, 4)
    expect(code).toBe(0)
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: LOCK, qos: 0 }] })
    const { payload } = await client.message()
    const [frame] = fromBinary(PacketSchema, payload as Buffer).frames
    expect(frame?.body).toMatchObject({
      case: 'lockStep',
      value: { step: { case: 'challenge', value: { acceptor: 'preset' } } },
    })
    client.sendPublish(LOCK, packetOf(say(3, 'preset', RESPONSE)))
    expect((await heardSteps(client)).map(brief)).toEqual(['passed'])
    expect(await mayPublish(client, 'acme/boiler')).toBe(true)
  })

  test('silence ends it in time (H11)', async () => {
    const beside = await hub.gateway.beside({ limbo: { deadlineMs: 50 } })
    for (const [version, told] of [
      [5, [{ cmd: 'disconnect', reasonCode: 0x87 }]],
      [4, []],
    ] as const) {
      const client = await MqttClient.connected(beside.mqttPort, { version })
      expect(await client.rest()).toMatchObject(told)
    }
    const asked = await MqttClient.open(beside.mqttPort, { version: 5 })
    asked.sendConnect({ properties: { authenticationMethod: 'porthouse.v1' } })
    expect(await asked.rest()).toMatchObject([
      { cmd: 'auth' },
      { cmd: 'connack', reasonCode: 0x87 },
    ])
    await beside.stop()
  })

  test('too much from it ends it', async () => {
    const { client } = await tried({})
    for (let i = 0; i < 100; i++) client.send({ cmd: 'pingreq' })
    const rest = await client.rest()
    expect(rest.at(-1)).toMatchObject({ cmd: 'disconnect', reasonCode: 0x97 })
  })
})

test('wrong answers beyond a rate bar the network they came from, and no other (K15)', async () => {
  const { gateway } = hub
  const beside = await gateway.beside({ limbo: { failures: 5 } })
  const connect = async (from: string, init: ConnectInit, version: Version = 5) => {
    const client = await MqttClient.open(beside.mqttPort, { version, from })
    const { reasonCode, returnCode } = await client.connect(init)
    return version === 5 ? reasonCode : returnCode
  }
  const wrong = { username: 'acme', password: 'wrong' }
  const right = { username: 'acme', password: hub.token }
  for (let i = 0; i < 5; i++) expect(await connect('127.1.1.1', wrong)).toBe(0x86)
  expect([0x97, 0x9f]).toContain(await connect('127.1.1.1', right))
  expect(await connect('127.1.1.1', right, 4)).toBe(3)
  expect(await connect('127.1.2.1', right)).toBe(0)
  await beside.stop()
})

test('a right login counts as no wrong answer, whatever the room takes (K15)', async () => {
  const beside = await hub.gateway.beside({ limbo: { ...PATIENT, failures: 3 } })
  for (let i = 0; i < 6; i++) {
    for (const init of [
      { username: 'acme', password: hub.token },
      { username: `acme/boiler/${hub.pump}`, password: RESPONSE },
      { username: `acme/either/${hub.pump}`, password: hub.pumpToken },
      { username: 'acme/pump', password: PASSWORD },
    ]) {
      const client = await MqttClient.open(beside.mqttPort, { version: 5 })
      expect((await client.connect(init)).reasonCode).toBe(0)
      client.reset()
    }
  }
  await beside.stop()
})
