/** A2 to A4, A6, A7, A9 to A11, A15, over a real gateway: rights that are not there, or no more. */
import { randomUUID } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import type { Packet } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import { join, packetOf, text } from '../../support/client-frames.ts'
import { brief, framesOf } from '../../support/heard.ts'
import { type MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { type Comes, heard, PAYLOAD, Siege, type Token } from './siege.ts'

const ROOM = '$porthouse/v1/room'
const MESSAGE = '$porthouse/v1/message'
const LOCK = '$porthouse/v1/lock'
const RECEIPT = '$porthouse/v1/receipt'
/** A room without rights, and of another account one that is there and some that are not. */
const OUTSIDE = ['acme/vault', 'acme/vault/a', 'rival/yard', 'rival/none', 'nobody/yard']
/** Of one's own account it is told that it is not there (PH-5.10). */
const NOWHERE = 'acme/none'
/** The payload of what nobody may send. */
const FORBIDDEN = `${PAYLOAD}, forbidden`
const NOT_ALLOWED = 0x87

let siege: Siege
let token: Token
let owner: Token

beforeAll(async () => {
  siege = await Siege.start({
    boiler: [{ case: 'retained', value: {} as never }],
    vault: [{ case: 'retained', value: {} as never }],
  })
  token = await siege.token(['boiler'])
  owner = await siege.token(['boiler', 'vault'])
})
afterEach(async () => {
  resetMqttClients()
  await siege.unmoved()
})
afterAll(() => siege?.stop())

const enter = (init?: Comes) => siege.enter(token, init)
const keeps = (clientId: string): Comes => ({
  clientId,
  clean: false,
  properties: { sessionExpiryInterval: 100 },
})

function isPublish({ cmd }: Packet): boolean {
  return cmd === 'publish'
}

function isForbidden(packet: Packet): boolean {
  return packet.cmd === 'publish' && packet.payload.toString() === FORBIDDEN
}

/** What the owner says to the rooms, live and retained, reaches none of these. */
async function nothingLeaksTo(...clients: MqttClient[]): Promise<void> {
  const speaker = await siege.enter(owner)
  for (const topic of ['acme/vault', 'acme/vault/a']) {
    for (const retain of [false, true]) await speaker.publish(topic, PAYLOAD, { qos: 2, retain })
  }
  for (const client of clients) expect((await client.settled()).filter(isPublish)).toEqual([])
}

/** Lines of what was said on a reserved topic, until one holds `word`. */
async function until(client: MqttClient, word: string): Promise<string[]> {
  const lines: string[] = []
  while (!lines.at(-1)?.includes(word)) {
    const { topic, payload } = await client.message()
    if (topic.startsWith('$')) lines.push(...framesOf(payload as Buffer, false).map(brief))
  }
  return lines
}

describe('a filter over what one may not hear (A2, A3, A4)', () => {
  const wide = ['#', '+', '+/+', '+/#', 'acme/#', 'acme/+', 'acme/+/#', '+/vault', '/#']
  const reserved = ['$SYS/#', '$SYS/broker/uptime', '$share', '$CONTROL/#', '$porthouse/#']
  const deep = ['$porthouse/v1/+', '$porthouse/v1/json/#', '$queue/acme/vault']
  const filters = [
    ...wide,
    ...reserved,
    ...deep,
    ...OUTSIDE,
    NOWHERE,
    'acme/vault/#',
    'acme/vault/+',
  ]
  const shared = ['#', 'acme/+', 'acme/vault', 'acme/vault/#', 'rival/yard', ROOM, '$SYS/#']

  test.each([3, 4, 5] as const)('is refused, and nothing leaks; version %s', async (version) => {
    const client = await enter({ version })
    const all = [...filters, ...shared.map((each) => `$share/g/${each}`)]
    for (const qos of [0, 2] as const) {
      const codes = await client.subscribe(all, qos)
      for (const [i, code] of codes.entries())
        expect([all[i], code >= 0x80]).toEqual([all[i], true])
      if (version < 5) expect(new Set(codes)).toEqual(new Set([0x80]))
      else expect(codes.filter((code) => ![NOT_ALLOWED, 0x8f].includes(code))).toEqual([])
    }
    await nothingLeaksTo(client)
  })

  test('is refused beside what is granted, also behind a group and at resume', async () => {
    const client = await enter(keeps('beside'))
    const asked = ['acme/boiler', 'acme/vault', '$share/g/acme/vault/#', '$share/g/acme/boiler']
    expect(await client.subscribe(asked, 1)).toEqual([1, NOT_ALLOWED, NOT_ALLOWED, 1])
    await nothingLeaksTo(client)
    client.reset()
    await client.ended
    await nothingLeaksTo()
    const back = await enter(keeps('beside'))
    expect(await heard(back, 'acme/boiler/mark')).toEqual([])
  })

  test('of some channels is not wider by a group, or by the room’s UUID (A3)', async () => {
    const narrow = await siege.token(['boiler'], { channels: ['a/**'] })
    const room = await siege.base.store.rooms.find('acme', 'boiler')
    const client = await siege.enter(narrow)
    const place = `acme/${room?.id.toUpperCase()}`
    const asked = ['acme/boiler', 'acme/boiler/#', 'acme/boiler/+', `${place}/#`, `${place}/b`]
    const all = [...asked, ...asked.map((each) => `$share/g/${each}`)]
    expect(await client.subscribe(all, 1)).toEqual(all.map(() => NOT_ALLOWED))
    expect(await client.subscribe(['acme/boiler/a/#', `$share/g/${place}/a/b`])).toEqual([
      NOT_ALLOWED,
      0,
    ])
    const speaker = await enter()
    await speaker.publish('acme/boiler/b', 'no', { qos: 1 })
    await speaker.publish('acme/boiler/a/b', 'yes', { qos: 1 })
    expect((await client.message()).payload.toString()).toBe('yes')
    expect(await client.settled()).toEqual([])
  })
})

describe('publishing where one may not (A4, A10)', () => {
  const topics = [...OUTSIDE, NOWHERE, 'acme', '/', '//', 'acme/', '/vault', 'acme/vault/']
  const dollars = ['$SYS/x', '$SYS/client/kick', '$share/g/acme/boiler', '$porthouse/v1/none']
  const notTopics = new Set([...topics.slice(OUTSIDE.length), ...dollars])

  test.each([1, 2] as const)('is told at QoS %s, retained or not', async (qos) => {
    const client = await enter()
    for (const retain of [false, true]) {
      for (const topic of [...topics, ...dollars]) {
        const code = await client.publish(topic, FORBIDDEN, { qos, retain })
        expect([topic, code]).toEqual([topic, notTopics.has(topic) ? 0x90 : NOT_ALLOWED])
      }
    }
    const hearer = await siege.enter(owner)
    expect(await hearer.subscribe(['acme/vault/#'], 1)).toEqual([1])
    expect((await hearer.settled()).filter(isForbidden)).toEqual([])
  })

  test('at QoS 0 is lost, and nobody is kicked', async () => {
    const client = await enter()
    for (const topic of [...topics, ...dollars]) client.sendPublish(topic, FORBIDDEN)
    expect(await client.settled()).toEqual([])
    expect(siege.gateway.sockets).toBeGreaterThan(1)
  })

  test('before MQTT 5 ends the connection, and nothing is sent', async () => {
    const hearer = await siege.enter(owner)
    await hearer.subscribe('acme/vault/#', 1)
    for (const topic of ['acme/vault', '$SYS/x', 'rival/yard']) {
      const client = await enter({ version: 4 })
      client.sendPublish(topic, FORBIDDEN, { qos: 1, retain: true })
      expect(await client.rest()).toEqual([])
    }
    expect((await hearer.settled()).filter(isForbidden)).toEqual([])
  })

  test('as a will refuses CONNECT', async () => {
    for (const topic of [...OUTSIDE, ...dollars]) {
      const will = { topic, payload: Buffer.from(FORBIDDEN), qos: 1 as const, retain: true }
      const reason = topic.startsWith('$') ? 0x90 : NOT_ALLOWED
      expect([topic, await siege.tries(token, { will })]).toEqual([topic, reason])
      expect(await siege.tries(token, { will, version: 4 })).toBe(5)
    }
  })

  test('by a Packet on a reserved topic is as on WebSocket', async () => {
    const client = await enter()
    await client.subscribe([ROOM, RECEIPT, MESSAGE, LOCK], 1)
    for (const topic of ['acme/vault', 'acme/vault/a']) {
      const to = `room:${topic}`
      client.sendPublish(ROOM, packetOf(join(1, to)))
      expect((await until(client, '1 ')).at(-1)).toBe('1 drop ENTRY_NOT_PERMITTED')
      client.sendPublish(MESSAGE, packetOf(text(2, FORBIDDEN, { to: [to], retain: true })))
      expect((await until(client, '2 ')).at(-1)).toBe('2 receipt REJECTED ENTRY_NOT_PERMITTED')
    }
    // Others' rooms have the lock that those have which are not there (A15).
    for (const topic of OUTSIDE.slice(2)) {
      client.sendPublish(ROOM, packetOf(join(3, `room:${topic}`)))
      expect(await until(client, 'challenge')).toEqual(['3 challenge token'])
    }
    await nothingLeaksTo(client)
  })
})

test('others’ rooms are as rooms that are not there, word for word (A15)', async () => {
  const client = await enter()
  const say = async (topic: string) => {
    const subscribed = await client.subscribe([topic, `${topic}/#`, `$share/g/${topic}`], 1)
    const unsubscribed = await client.unsubscribe(topic)
    const told: unknown[] = []
    for (const [qos, answer] of [
      [1, 'puback'],
      [2, 'pubrec'],
    ] as const) {
      client.sendPublish(topic, 'x', { qos })
      const { messageId: _, length: __, ...rest } = await client.next(answer)
      told.push(rest)
    }
    return [subscribed, unsubscribed, ...told]
  }
  const told = await say('rival/yard')
  for (const other of ['rival/none', 'nobody/yard', `rival/${randomUUID()}`, 'acme/vault']) {
    expect(await say(other)).toEqual(told)
  }
})

describe('a token for one direction (A11)', () => {
  test('that only sends hears nothing, however it asks', async () => {
    const mute = await siege.token(['boiler'], { receive: false })
    const client = await siege.enter(mute, keeps('sends'))
    const filters = ['acme/boiler', 'acme/boiler/#', 'acme/boiler/a', '$share/g/acme/boiler/#']
    expect(await client.subscribe(filters, 1)).toEqual(filters.map(() => NOT_ALLOWED))
    expect(await client.publish('acme/boiler/a', 'x', { qos: 1, retain: true })).toBe(0x00)
    expect((await client.settled()).filter(isPublish)).toEqual([])
    client.reset()
    await client.ended
    await (await enter()).publish('acme/boiler/a', 'y', { qos: 1 })
    await siege.change(mute, { room: 'boiler' })
    const back = await siege.enter(mute, keeps('sends'))
    expect(await heard(back, 'acme/boiler/mark')).toEqual([])
  })

  test('that only receives sends nothing, however it tries', async () => {
    const deaf = await siege.token(['boiler'], { send: false })
    const hearer = await enter()
    await hearer.subscribe([{ topic: 'acme/boiler/none/#', qos: 1, rh: 2 }])
    const will = { topic: 'acme/boiler/none', payload: Buffer.from('x'), qos: 1 as const }
    expect(await siege.tries(deaf, { will: { ...will, retain: true } })).toBe(NOT_ALLOWED)
    const client = await siege.enter(deaf)
    expect(await client.subscribe(['acme/boiler/#', RECEIPT])).toEqual([0, 0])
    for (const topic of ['acme/boiler/none', 'acme/boiler/none/a']) {
      for (const [qos, retain] of [
        [1, false],
        [2, true],
      ] as const) {
        expect(await client.publish(topic, 'x', { qos, retain })).toBe(NOT_ALLOWED)
      }
      client.sendPublish(topic, 'x', { retain: true })
      const frame = text(7, 'x', { to: [`room:${topic}`] })
      client.sendPublish(MESSAGE, packetOf(frame))
    }
    expect((await until(client, '7 receipt')).at(-1)).toMatch(/REJECTED SEND_NOT_PERMITTED$/)
    expect(await hearer.settled()).toEqual([])
  })
})

describe('a right that is taken away', () => {
  test('ends what a live subscription hears, alone or in a group (A9)', async () => {
    const own = await siege.token(['boiler'])
    const [client, sharing] = [await siege.enter(own), await siege.enter(own)]
    await client.subscribe(['acme/boiler/live/#', ROOM], 1)
    await sharing.subscribe(['$share/g/acme/boiler/live/a', 'acme/boiler/live/b', ROOM], 1)
    const speaker = await enter()
    await speaker.publish('acme/boiler/live/a', 'before', { qos: 1 })
    for (const each of [client, sharing]) {
      const came = await each.message()
      expect([came.topic, came.payload.toString()]).toEqual(['acme/boiler/live/a', 'before'])
    }
    await siege.change(own, { room: 'boiler', channels: ['other'] })
    // That it has ended is told; from then on nothing more is heard.
    await until(client, 'left')
    await until(sharing, 'left')
    await speaker.publish('acme/boiler/live/a', PAYLOAD, { qos: 1 })
    for (const each of [client, sharing]) {
      const topics = (await each.settled())
        .filter(isPublish)
        .map((one) => 'topic' in one && one.topic)
      expect(topics).not.toContain('acme/boiler/live/a')
    }
    expect(await client.subscribe('acme/boiler/live/a')).toEqual([NOT_ALLOWED])
    expect(await client.subscribe('acme/boiler/other')).toEqual([0])
  })

  test('with its token ends the connection at once (A9)', async () => {
    const own = await siege.token(['boiler'])
    const client = await siege.enter(own)
    await client.subscribe('acme/boiler/#', 1)
    await siege.base.store.tokens.delete(own.id)
    const { reasonCode } = await client.next('disconnect')
    expect(reasonCode).toBe(codeInfo(Code.REVOKED).mqttReason)
    await client.ended
    expect(await siege.tries(own)).toBe(0x86)
  })

  test('leaves what was retained to the room’s rules, and not to whoever asks (A6)', async () => {
    const own = await siege.token(['boiler'])
    const author = await siege.enter(own)
    for (const channel of ['kept/a', 'kept/b']) {
      await author.publish(`acme/boiler/${channel}`, channel, { qos: 1, retain: true })
    }
    const reader = await siege.enter(own, keeps('reader'))
    await reader.subscribe('acme/boiler/kept/+', 1)
    expect([await reader.message(), await reader.message()]).toHaveLength(2)
    reader.reset()
    await reader.ended
    await siege.change(own, { room: 'boiler', channels: ['kept/b'], send: false })
    const back = await siege.enter(own, keeps('reader'))
    const codes = await back.subscribe(['acme/boiler/kept/+', 'acme/boiler/kept/b', ROOM], 1)
    expect(codes).toEqual([NOT_ALLOWED, 1, 1])
    expect((await back.message()).topic).toBe('acme/boiler/kept/b')
    await siege.change(own, { room: 'boiler', channels: ['kept/b', 'mark'] })
    await until(back, 'joined')
    expect(await heard(back, 'acme/boiler/mark')).toEqual([])
    // What its author may not say any more is there for those who may hear it.
    const other = await enter()
    await other.subscribe('acme/boiler/kept/+', 1)
    const topics = [await other.message(), await other.message()].map(({ topic }) => topic)
    expect(topics.sort()).toEqual(['acme/boiler/kept/a', 'acme/boiler/kept/b'])
  })

  test('between PUBLISH and PUBREL sends nothing a second time (A7)', async () => {
    const own = await siege.token(['boiler'])
    const hearer = await enter()
    await hearer.subscribe('acme/boiler/twice', 2)
    const client = await siege.enter(own, keeps('twice'))
    client.sendPublish('acme/boiler/twice', 'once', { qos: 2, messageId: 7 })
    await client.next('pubrec')
    expect((await hearer.message()).payload.toString()).toBe('once')
    await client.subscribe(ROOM)
    await siege.change(own, { room: 'boiler', send: false })
    await until(client, 'joined')
    client.sendPublish('acme/boiler/twice', PAYLOAD, { qos: 2, messageId: 7, dup: true })
    expect((await client.next('pubrec')).reasonCode ?? 0).toBe(0)
    client.reset()
    await client.ended
    const back = await siege.enter(own, keeps('twice'))
    back.sendPublish('acme/boiler/twice', PAYLOAD, { qos: 2, messageId: 7, dup: true })
    await back.next('pubrec')
    back.send({ cmd: 'pubrel', messageId: 7 })
    expect((await back.next('pubcomp')).reasonCode ?? 0).toBe(0)
    back.sendPublish('acme/boiler/twice', PAYLOAD, { qos: 2, messageId: 7, dup: true })
    expect((await back.next('pubrec')).reasonCode).toBe(NOT_ALLOWED)
    expect(await hearer.settled()).toEqual([])
  })
})
