/** Client ids: one session a principal and id, and nobody else's (A12 to A14, M13). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { MqttClient, resetMqttClients, type Version } from '../../support/mqtt-client.ts'
import { type Hub, PASSWORD, startHub } from './hub.ts'

let hub: Hub

beforeAll(async () => {
  hub = await startHub()
}, 60_000)
afterEach(resetMqttClients)
afterAll(() => hub?.gateway.stop())

function arrive(clientId: string, version: Version = 5, password = hub.token): Promise<MqttClient> {
  return MqttClient.connected(hub.port, { version, clientId, username: 'acme', password })
}

async function lives(client: MqttClient): Promise<boolean> {
  return client.settled().then(
    () => true,
    () => false,
  )
}

describe('the same client id', () => {
  test('of the same principal takes the session over (A13)', async () => {
    for (const version of [4, 5] as const) {
      const older = await arrive('pump', version)
      const newer = await arrive('pump', version)
      const told = version === 5 ? [{ cmd: 'disconnect', reasonCode: 0x8e }] : []
      expect(await older.rest()).toMatchObject(told)
      expect(await lives(newer)).toBe(true)
    }
  })

  test('of another token, client or account is another session (A13)', async () => {
    const all = await Promise.all([
      arrive('pump'),
      arrive('pump', 5, hub.ann),
      MqttClient.connected(hub.port, {
        version: 5,
        clientId: 'pump',
        username: 'rival',
        password: hub.other,
      }),
      MqttClient.connected(hub.port, {
        version: 5,
        clientId: 'pump',
        username: 'acme/pump',
        password: PASSWORD,
      }),
    ])
    for (const each of all) expect(await lives(each)).toBe(true)
  })

  test('of one client is the same session, by whatever it has proved itself', async () => {
    const older = await arrive('pump', 5, hub.pumpToken)
    const newer = await MqttClient.connected(hub.port, {
      version: 5,
      clientId: 'pump',
      username: 'acme/pump',
      password: PASSWORD,
    })
    expect(await older.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x8e }])
    expect(await lives(newer)).toBe(true)
  })

  test('takes nothing over in limbo, where anybody could say it', async () => {
    const known = await arrive('pump')
    const limbo = await Promise.all(
      [1, 2, 3].map(() => MqttClient.connected(hub.port, { version: 5, clientId: 'pump' })),
    )
    for (const each of [known, ...limbo]) expect(await lives(each)).toBe(true)
  })

  test('of a wrong password takes nothing over', async () => {
    const known = await arrive('pump')
    await expect(arrive('pump', 5, 'wrong')).rejects.toThrow('134')
    expect(await lives(known)).toBe(true)
  })

  test.each(['__proto__', 'constructor', 'hasOwnProperty'])('%s, too (M13)', async (clientId) => {
    const older = await arrive(clientId)
    const newer = await arrive(clientId)
    expect(await older.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x8e }])
    expect(await lives(newer)).toBe(true)
  })
})

describe('of a token for one connection', () => {
  let one: string
  beforeAll(async () => {
    one = await hub.gateway.token('acme', ['yard'], { maxConnections: 1 })
  })

  test('the same client id takes over, though there is no room for both', async () => {
    let last = await arrive('only', 5, one)
    for (let i = 0; i < 3; i++) {
      const next = await arrive('only', 5, one)
      expect(await last.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x8e }])
      last = next
    }
    expect(await lives(last)).toBe(true)
    await last.disconnect()
  })

  test('another one is refused, and takes no place', async () => {
    const first = await arrive('only', 5, one)
    for (const clientId of ['other', '', '__proto__']) {
      const second = await MqttClient.open(hub.port, { version: 5 })
      const init = { clientId, username: 'acme', password: one }
      expect((await second.connect(init)).reasonCode).toBe(0x97)
      await second.ended
    }
    expect(await lives(first)).toBe(true)
  })
})

test('of many that come at once for one id, one stays (A14)', async () => {
  const beside = await hub.gateway.beside()
  const clients = await Promise.all(
    Array.from({ length: 40 }, () => MqttClient.open(beside.mqttPort, { version: 5 })),
  )
  for (const client of clients) {
    client.sendConnect({ clientId: 'one', username: 'acme', password: hub.token, clean: false })
  }
  const ends = clients.map((client) => client.ended.then(() => client))
  for (let left = clients.length; left > 1; left--) {
    const ended = await Promise.race(ends.filter((_, i) => clients[i]))
    const at = clients.indexOf(ended)
    clients.splice(at, 1)
    ends.splice(at, 1)
  }
  const [winner] = clients as [MqttClient]
  expect((await winner.next('connack')).reasonCode).toBe(0)
  expect(await winner.subscribe('acme/yard', 1)).toEqual([1])
  expect(await lives(winner)).toBe(true)
  expect(beside.sockets).toBe(1)
  await beside.stop()
})

test('two that fight for one id end each other, and mix nothing up (A14)', async () => {
  let last = await arrive('fought')
  await last.subscribe('acme/yard', 1)
  for (let i = 0; i < 30; i++) {
    const next = await arrive('fought')
    expect((await last.rest()).at(-1)).toMatchObject({ cmd: 'disconnect', reasonCode: 0x8e })
    last = next
  }
  // Each of them began a clean session: what the first had subscribed is gone.
  const other = await arrive('other')
  await other.publish('acme/yard', 'hi', { qos: 1 })
  expect(await last.settled()).toEqual([])
})
