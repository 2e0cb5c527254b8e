/** CONNECT and its answer: what is accepted, what ends the connection, and with which word. */
import type { Packet } from 'mqtt-packet'
import { expect } from 'vitest'
import { MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover({ mqtt: { keepAliveMaxS: 600 } })

/** Where its fields stand behind the protocol's name. */
const LEVEL = 4
const FLAGS = 5
const WILL = 0x04
const PASSWORD = 0x40
const USER_NAME = 0x80

proves(
  'over TCP, with nothing beyond the standard, CONNECT is answered with CONNACK of success',
  {
    v311: '3.1.3-1 3.1.4-4 3.2.0-1 3.2.2-1 7.0.0-2 7.1.1-1',
    v5: '3.1.3-1 3.1.4-5 3.2.0-1 3.2.2-1 3.2.2-2 3.2.2-8 4.2-1',
  },
  async (at) => {
    const will = { topic: at.topic, payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    const { connack } = await at.enter({
      username: 'acme',
      password: 'x',
      will,
      ...at.target.credentials,
    })
    expect(connack.sessionPresent).toBe(false)
  },
)

proves(
  'a first packet other than CONNECT ends the connection, and nothing is said before CONNACK',
  { v311: '3.1.0-1 3.2.0-1', v5: '3.1.0-1 3.2.0-1 3.14.0-1' },
  async (at) => {
    const packets: Packet[] = [
      { cmd: 'pingreq' },
      { cmd: 'disconnect' },
      { cmd: 'publish', topic: at.topic, payload: 'x', qos: 0, dup: false, retain: false },
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: at.topic, qos: 0 }] },
      { cmd: 'pubrel', messageId: 1 },
    ]
    for (const packet of packets) {
      const client = await at.wrote(at.bytes(packet))
      expect(await client.rest()).toEqual([])
    }
  },
)

proves(
  'a second CONNECT is answered with the end, never with a second CONNACK',
  { v311: '3.1.0-2 4.8.0-1', v5: '3.1.0-2 3.2.0-2 4.13.1-1 4.13.2-1' },
  async (at) => {
    const client = await at.client()
    client.write(at.connectBytes())
    await at.ends(client, 0x82)
  },
)

proves(
  'another protocol name is not taken for this protocol',
  { v311: '3.1.2-1', v5: '3.1.2-1' },
  async (at) => {
    const bytes = at.connectBytes()
    bytes.write('MQTX', bytes.indexOf('MQTT'))
    await unsupported(at, bytes)
  },
)

proves('an unknown level is refused with code 1', { v311: '3.1.2-2 3.2.2-5' }, async (at) => {
  const bytes = at.connectBytes()
  bytes[bytes.indexOf('MQTT') + LEVEL] = 99
  const told = await (await at.wrote(bytes)).rest()
  expect(told).toMatchObject([{ cmd: 'connack', returnCode: 1, sessionPresent: false }])
})

proves('an unknown version is refused', { v5: '3.1.2-2' }, async (at) => {
  const bytes = at.connectBytes()
  bytes[bytes.indexOf('MQTT') + LEVEL] = 6
  await unsupported(at, bytes)
})

proves(
  'the reserved flag ends the connection',
  { v311: '3.1.2-3 3.1.4-1 3.2.2-6', v5: '3.1.2-3 3.1.4-1' },
  (at) => spoilt(at, set(1)),
)

proves(
  'flags of a will without a will, and a QoS of 3, end the connection',
  { v311: '3.1.2-11 3.1.2-13 3.1.2-14 3.1.2-15 3.1.4-1', v5: '3.1.2-11 3.1.2-12 3.1.2-13 3.1.4-1' },
  async (at) => {
    for (const flags of [0x08, 0x10, 0x18, 0x20]) {
      await spoilt(at, set(flags))
    }
    const will = { topic: at.topic, payload: Buffer.from('gone'), qos: 0 as const, retain: false }
    await spoilt(at, set(0x18), { will })
  },
)

proves(
  'fields that its flags promise are there, and others are not',
  {
    v311: '3.1.2-9 3.1.2-18 3.1.2-19 3.1.2-20 3.1.2-21 3.1.4-1',
    v5: '3.1.2-9 3.1.2-16 3.1.2-17 3.1.2-18 3.1.2-19 3.1.4-1',
  },
  async (at) => {
    const named = { username: 'acme', password: 'x' }
    await spoilt(at, set(WILL))
    await spoilt(at, flip(USER_NAME), named)
    await spoilt(at, flip(PASSWORD), named)
    await spoilt(at, set(USER_NAME), {
      username: undefined as never,
      password: undefined as never,
    })
    await spoilt(at, set(PASSWORD), {
      username: 'acme',
      password: undefined as never,
    })
  },
)

proves('a password without a user name ends the connection', { v311: '3.1.2-22' }, (at) =>
  spoilt(at, flip(USER_NAME | PASSWORD), {
    username: 'acme',
    password: undefined as never,
  }),
)

proves(
  'a CONNECT without the field of its client identifier ends the connection',
  { v311: '3.1.3-3 3.1.4-1', v5: '3.1.3-3 3.1.4-1' },
  async (at) => {
    const fields = at.five ? [0] : []
    const bytes = [0, 4, ...Buffer.from('MQTT'), at.version, 2, 0, 0, ...fields]
    await at.refuses(await at.wrote(Buffer.from([0x10, bytes.length, ...bytes])), undefined, 0x81)
  },
)

proves(
  'client identifiers of 1 to 23 letters and digits are accepted',
  { v311: '3.1.3-5', v5: '3.1.3-5' },
  async (at) => {
    const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
    const ids = ['a', ...(letters.match(/.{1,23}/g) as string[])]
    for (const clientId of ids) await at.client({ clientId })
  },
)

proves(
  'an empty client identifier is given a unique one',
  { v311: '3.1.3-6 3.1.3-7' },
  async (at) => {
    const one = await at.client({ clientId: '' })
    const other = await at.client({ clientId: '' })
    await one.subscribe(at.topic)
    await other.publish(at.topic, 'both live')
    expect((await one.message()).payload.toString()).toBe('both live')
  },
)

proves(
  'an empty client identifier is given a new one, told in CONNACK, which names the session',
  { v5: '3.1.3-6 3.1.3-7 3.2.2-16' },
  async (at) => {
    const { client, connack } = await at.enter(at.kept(''))
    const { connack: second } = await at.enter(at.kept(''))
    const clientId = connack.properties?.assignedClientIdentifier as string
    expect(clientId).not.toBe('')
    expect(second.properties?.assignedClientIdentifier).not.toBe(clientId)
    client.reset()
    const { connack: again } = await at.enter(at.kept(clientId))
    expect(again.sessionPresent).toBe(true)
    expect(again.properties?.assignedClientIdentifier).toBe(undefined)
  },
)

proves(
  'an empty client identifier for a session to be kept is refused with code 2',
  { v311: '3.1.3-8 3.1.3-9 3.2.2-4 3.2.2-5' },
  async (at) => {
    const { client, connack } = await at.asks({ clientId: '', clean: false })
    expect(connack).toMatchObject({ returnCode: 2, sessionPresent: false })
    expect(await client.rest()).toEqual([])
  },
)

proves(
  'a client identifier that connects again ends the older connection',
  { v311: '3.1.4-2', v5: '3.1.4-3 3.14.2-1 3.14.2-2 3.14.4-2' },
  async (at) => {
    const clientId = at.name()
    const older = await at.client({ clientId })
    const newer = await at.client({ clientId })
    await at.ends(older, 0x8e)
    expect(await newer.settled()).toEqual([])
  },
)

proves(
  'what comes after a refused CONNECT is not processed, and no session is present in it',
  { v311: '3.1.4-5 3.2.2-4 3.2.2-5', v5: '3.1.4-2 3.1.4-6 3.2.2-6 3.2.2-7 3.2.2-8 4.13.2-1' },
  async (at) => {
    const watcher = await at.client()
    await watcher.subscribe(at.topic)
    const clientId = at.name()
    if (at.five) (await at.client(at.kept(clientId))).reset()
    const refused = at.five
      ? at.connectBytes({ ...at.kept(clientId), properties: { authenticationMethod: 'none such' } })
      : at.connectBytes({ clientId: '', clean: false })
    const publish = { cmd: 'publish', topic: at.topic, qos: 0, dup: false, retain: false } as const
    const client = await at.wrote(Buffer.concat([refused, at.bytes({ ...publish, payload: 'no' })]))
    await at.refuses(client, 2, 0x8c)
    await watcher.publish(at.topic, 'the first')
    expect((await watcher.message()).payload.toString()).toBe('the first')
  },
)

proves(
  'silence ends the connection, by the keep alive of the client where the server names none',
  { v311: '3.1.2-24', v5: '3.1.2-22 3.2.2-22' },
  async (at) => {
    const will = { topic: at.topic, payload: Buffer.from('gone'), qos: 0 as const, retain: false }
    const watcher = await at.client()
    await watcher.subscribe(at.topic)
    const { client, connack } = await at.enter({ keepalive: 1, will })
    expect(connack.properties?.serverKeepAlive).toBe(undefined)
    await at.ends(client, 0x8d)
    expect((await watcher.message()).payload.toString()).toBe('gone')
  },
)

proves('a longer keep alive than the server wants is replaced', { v5: '3.1.2-21' }, async (at) => {
  for (const keepalive of [0, 601]) {
    const { connack } = await at.enter({ keepalive })
    expect(connack.properties?.serverKeepAlive).toBe(600)
  }
})

proves(
  'packets that come along with CONNECT are processed after it',
  { v311: '3.2.0-1', v5: '3.2.0-1 3.2.0-2' },
  async (at) => {
    const client = await at.wrote(
      Buffer.concat([
        at.connectBytes(),
        at.bytes({ cmd: 'pingreq' }),
        at.bytes({ cmd: 'pingreq' }),
      ]),
    )
    const cmds = [await client.next(), await client.next(), await client.next()].map(
      ({ cmd }) => cmd,
    )
    expect(cmds).toEqual(['connack', 'pingresp', 'pingresp'])
  },
)

function set(flags: number): (bytes: Buffer) => void {
  return (bytes) => {
    bytes[bytes.indexOf('MQTT') + FLAGS]! |= flags
  }
}

function flip(flags: number): (bytes: Buffer) => void {
  return (bytes) => {
    bytes[bytes.indexOf('MQTT') + FLAGS]! ^= flags
  }
}

/** A CONNECT that is spoilt so is no CONNECT: MQTT 3.1.1 hears nothing, MQTT 5 perhaps why. */
async function spoilt(at: Site, spoil: (bytes: Buffer) => unknown, init = {}): Promise<void> {
  const bytes = at.connectBytes(init)
  spoil(bytes)
  await at.refuses(await at.wrote(bytes), undefined, 0x81, 0x82)
}

/** Refused as unsupported, or not answered at all. */
async function unsupported(at: Site, bytes: Buffer): Promise<void> {
  // Which form the answer has is open: the versions of both sides have nothing in common.
  const client = await MqttClient.open(at.target.port)
  client.write(bytes)
  for (const packet of await client.rest()) {
    expect(packet.cmd).toBe('connack')
    expect([1, 0x84]).toContain((packet as { returnCode?: number }).returnCode)
  }
}
