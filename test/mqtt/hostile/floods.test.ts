/** L1, L4 to L6, L10, M7, M8, M17, over a real gateway: much of everything; others never wait. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { answer, join, packetOf } from '../../support/client-frames.ts'
import { MqttClient, resetMqttClients, type Version } from '../../support/mqtt-client.ts'
import { type Comes, heard, PAYLOAD, Siege, type Token } from './siege.ts'

/** limits.subscriptions, mqtt.receiveMaximum and what room `board` retains. */
const SUBSCRIPTIONS = 1_024
const RECEIVE = 64
const CHANNELS = 100

const QUOTA = 0x97
const TOO_LARGE = 0x95

let siege: Siege
let token: Token

beforeAll(async () => {
  siege = await Siege.start({
    boiler: [],
    board: [{ case: 'retained', value: { channels: CHANNELS } as never }],
  })
  token = await siege.token(['boiler', 'board'])
})
afterEach(async () => {
  resetMqttClients()
  await siege.unmoved()
})
afterAll(() => siege?.stop())

const enter = (init?: Comes) => siege.enter(token, init)

function numbered(count: number, topic: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => topic(i))
}

/** A client in limbo, told that it is connected. */
function limbo(version: Version): Promise<MqttClient> {
  return MqttClient.connected(siege.port, { version })
}

/** It ends, in MQTT 5 with this reason. */
async function ends(client: MqttClient, reason: number): Promise<void> {
  const last = (await client.rest()).at(-1)
  if (client.version === 5) expect(last).toMatchObject({ cmd: 'disconnect', reasonCode: reason })
}

describe.each([4, 5] as const)('version %s', (version) => {
  test('QoS 2 that is never released is taken up to the bound (L1)', async () => {
    const hearer = await enter()
    await hearer.subscribe('acme/boiler/two')
    const client = await enter({ version })
    for (let messageId = 1; messageId <= 1_000; messageId++) {
      client.sendPublish('acme/boiler/two', PAYLOAD, { qos: 2, messageId })
    }
    const answers = await client.rest()
    expect(answers.filter(({ cmd }) => cmd === 'pubrec')).toHaveLength(RECEIVE)
    if (version === 5) expect(answers.at(-1)).toMatchObject({ reasonCode: 0x93 })
    expect(await heard(hearer, 'acme/boiler/two')).toHaveLength(RECEIVE)
  })

  test.each([
    ['channels', (i: number) => `acme/boiler/a${i}`],
    ['groups', (i: number) => `$share/g${i}/acme/boiler/a`],
    ['filters', (i: number) => `acme/boiler/${i % 2 ? `b${i}/#` : `b${i}/+`}`],
  ])('5,000 subscriptions by %s are too many (L4)', async (_, topic) => {
    const client = await enter({ version })
    const codes: number[] = []
    const topics = numbered(5_000, topic)
    for (let i = 0; i < topics.length; i += 500) {
      codes.push(...(await client.subscribe(topics.slice(i, i + 500), 0)))
    }
    const granted = codes.filter((code) => code === 0).length
    expect(granted).toBeLessThanOrEqual(SUBSCRIPTIONS)
    expect(granted).toBeGreaterThan(SUBSCRIPTIONS / 2)
    expect(codes.filter((code) => code !== 0 && code !== (version === 5 ? QUOTA : 0x80))).toEqual(
      [],
    )
    // Those that it has it may have again, and others in their place.
    expect(await client.subscribe(topics[0] as string, 1)).toEqual([1])
    await client.unsubscribe(...topics.slice(0, 10))
    expect(await client.subscribe('acme/boiler/more')).toEqual([0])
  })

  test('what is larger than a packet may be ends at its header (M7, M8)', async () => {
    for (const header of ['30 ffffff7f', '32 80e1eb17', '82 ffffff7f']) {
      const client = await enter({ version })
      client.write(header)
      await ends(client, TOO_LARGE)
    }
    const client = await enter({ version })
    client.sendPublish('acme/boiler', Buffer.alloc(50_000_000))
    await ends(client, TOO_LARGE)
  })

  test('in limbo little is read, whatever it is', async () => {
    const floods: ((client: MqttClient) => void)[] = [
      (client) => client.send({ cmd: 'pingreq' }),
      (client) => void client.sendPublish('acme/boiler', PAYLOAD),
      (client) => void client.sendPublish('$porthouse/v1/lock', 'x'.repeat(1_000)),
      (client) => client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['a'] }),
      (client) =>
        client.send({
          cmd: 'subscribe',
          messageId: 1,
          subscriptions: numbered(100, (i) => `acme/boiler/${i}`).map((topic) => ({
            topic,
            qos: 0,
          })),
        }),
    ]
    for (const flood of floods) {
      const client = await limbo(version)
      for (let i = 0; i < 200; i++) flood(client)
      await ends(client, QUOTA)
    }
    const large = await limbo(version)
    large.sendPublish('$porthouse/v1/lock', Buffer.alloc(100_000))
    await ends(large, TOO_LARGE)
  })

  test('20,000 PINGREQ are answered (M17)', async () => {
    const client = await enter({ version })
    client.write(Buffer.alloc(40_000, Buffer.from([0xc0, 0])))
    for (let i = 0; i < 20_000; i++) await client.next('pingresp')
    expect(await client.settled()).toEqual([])
  })
})

test('who asks and never reads is let go, or has all his answers (L2, M17)', async () => {
  const client = await enter()
  client.pause()
  const before = siege.rounds
  for (let i = 0; i < 100; i++) {
    // SUBACKs and PINGRESPs, and packet ids that nobody knows.
    client.write(Buffer.alloc(1_000, Buffer.from([0xc0, 0])))
    client.subscribe(numbered(100, (n) => `nothing-${n}`)).catch(() => undefined)
    client.send({ cmd: 'pubrel', messageId: i + 1 })
    client.send({ cmd: 'pubrec', messageId: i + 1 })
  }
  await siege.unmoved()
  expect(siege.rounds).toBeGreaterThan(before)
  client.resume()
  let pings = 0
  const over = client.ended.then(() => undefined)
  while (pings < 50_000) {
    const came = await Promise.race([client.next('pingresp').catch(() => undefined), over])
    if (!came) break
    pings++
  }
  const [last] = client.waiting.slice(-1)
  if (pings < 50_000) expect(last).toMatchObject({ cmd: 'disconnect', reasonCode: QUOTA })
})

describe('subscribing and unsubscribing again and again (L5)', () => {
  test.each([true, false])('leaves what was said last; clean session %s', async (clean) => {
    const clientId = `churn-${clean}`
    const properties = { sessionExpiryInterval: clean ? 0 : 100 }
    const client = await enter({ clientId, clean, properties })
    const topic = 'acme/boiler/churn'
    const rounds = clean ? 2_000 : 300
    for (let i = 0; i < rounds; i++) {
      const subscriptions = [{ topic, qos: (i % 3) as 0 | 1 | 2 }]
      client.send({ cmd: 'subscribe', messageId: client.nextId(), subscriptions })
      client.send({ cmd: 'unsubscribe', messageId: client.nextId(), unsubscriptions: [topic] })
    }
    for (let i = 0; i < rounds; i++) {
      await client.next('suback')
      await client.next('unsuback')
    }
    const other = await enter()
    expect(await other.publish(topic, 'x', { qos: 1 })).toBe(0x10)
    expect(await client.settled()).toEqual([])
    for (const qos of [0, 2] as const) {
      const subscriptions = [{ topic, qos }]
      client.send({ cmd: 'subscribe', messageId: client.nextId(), subscriptions })
    }
    // They are answered in the order in which the store has them.
    for (let i = 0; i < 2; i++) await client.next('suback')
    expect(await other.publish(topic, 'x', { qos: 2 })).toBe(0)
    expect((await client.message()).qos).toBe(2)
    if (clean) return
    client.reset()
    await client.ended
    expect(await other.publish(topic, 'x', { qos: 2 })).toBe(0)
    const back = await enter({ clientId, clean, properties })
    expect((await back.message()).qos).toBe(2)
  })

  test('many that wait for a lock do not keep its answer away', async () => {
    const client = await limbo(5)
    await client.subscribe('$porthouse/v1/lock')
    for (let messageId = 1; messageId <= 40; messageId++) {
      const subscriptions = [{ topic: `acme/boiler/${messageId}`, qos: 1 as const }]
      client.send({ cmd: 'subscribe', messageId, subscriptions })
    }
    await client.next('publish')
    client.sendPublish('$porthouse/v1/lock', packetOf(answer(1, token.secret)))
    for (let i = 0; i < 40; i++) expect((await client.next('suback')).granted).toEqual([1])
  })

  test('10,000 SUBSCRIBEs at once are all answered', async () => {
    const client = await enter({ clientId: 'many', clean: false })
    for (let messageId = 1; messageId <= 10_000; messageId++) {
      const subscriptions = [{ topic: `acme/boiler/${messageId % 50}`, qos: 1 as const }]
      client.send({ cmd: 'subscribe', messageId, subscriptions })
    }
    const answered = new Set<unknown>()
    for (let i = 0; i < 10_000; i++) answered.add((await client.next('suback')).messageId)
    expect(answered.size).toBe(10_000)
  })
})

test('a hundred deep filters over deep topics bring each message once (L6)', async () => {
  const client = await enter()
  const filters = numbered(100, (i) => {
    const levels = Array.from({ length: 13 }, (_, level) => ((i >> (level % 7)) & 1 ? 'x' : '+'))
    return ['acme/boiler', ...levels].join('/')
  })
  expect(await client.subscribe([...new Set(filters)], 1)).not.toContain(QUOTA)
  const speaker = await enter()
  const deep = (last: string) => ['acme/boiler', ...Array(12).fill('x'), last].join('/')
  for (let i = 0; i < 500; i++) speaker.sendPublish(deep(`x${i}`), `${i}`)
  for (let i = 0; i < 500; i++) expect((await client.message()).payload.toString()).toBe(`${i}`)
  expect(await client.settled()).toEqual([])
})

test('retained topics are as many as the room keeps, whoever adds more (L4)', async () => {
  const client = await enter()
  const codes = new Set<number | undefined>()
  for (let i = 0; i < 300; i++) {
    const code = await client.publish(`acme/board/${i}`, `${i}`, { qos: 1, retain: true })
    expect([i, code]).toEqual([i, i < CHANNELS ? 0 : QUOTA])
    codes.add(code)
  }
  // One that there is may have another value, and one that goes makes room.
  expect(await client.publish('acme/board/0', 'new', { qos: 1, retain: true })).toBe(0)
  await client.publish('acme/board/1', '', { qos: 1, retain: true })
  expect(await client.publish('acme/board/x', 'x', { qos: 1, retain: true })).toBe(0)
  const reader = await enter()
  await reader.subscribe('acme/board/#')
  for (let i = 0; i < CHANNELS; i++) expect((await reader.message()).retain).toBe(true)
  expect(await reader.settled()).toEqual([])
})

describe('what is no message, on a reserved topic', () => {
  const JSON_ROOM = '$porthouse/v1/json/room'
  const bad: [string, string | Buffer][] = [
    [JSON_ROOM, '['.repeat(200_000)],
    [JSON_ROOM, '{"frames":'.repeat(20_000)],
    [JSON_ROOM, '{"frames":[{"__proto__":{"id":1}}]}'],
    ['$porthouse/v1/room', Buffer.alloc(100_000, 0x0a)],
    ['$porthouse/v1/room', Buffer.alloc(100_000, 0xff)],
    ['$porthouse/v1/lock', packetOf(join(1, 'room:acme/vault'))],
    ['$porthouse/v1/__proto__', 'x'],
    ['$porthouse/v1/json/constructor', 'x'],
  ]
  test.each(bad)('%s is refused', async (topic, payload) => {
    const client = await enter()
    const told = client.publish(topic, payload, { qos: 1 }).catch(() => 0x81)
    expect(await told).toBeGreaterThanOrEqual(0x80)
    const old = await enter({ version: 4 })
    old.sendPublish(topic, payload, { qos: 1 })
    expect((await old.rest()).filter(({ cmd }) => cmd === 'puback')).toEqual([])
  })
})

test('properties without number are refused, with the message or the connection', async () => {
  const client = await enter()
  const given = (count: number) => {
    const many = numbered(count, (i) => `p${i}`).map((name) => [name, 'v'] as const)
    return { qos: 1 as const, properties: { userProperties: Object.fromEntries(many) } }
  }
  expect(await client.publish('acme/boiler', 'x', given(1_000))).toBe(QUOTA)
  expect(await client.publish('acme/boiler', 'x', given(10))).toBe(0x10)
  client.sendPublish('acme/boiler', 'x', given(10_000))
  await ends(client, TOO_LARGE)
})

test('bad packets fill no log (L10)', async () => {
  const before = siege.watch.lines.length
  for (let i = 0; i < 100; i++) {
    const stranger = await MqttClient.open(siege.port)
    stranger.write(Buffer.alloc(100, i))
    const client = await enter()
    client.write(Buffer.alloc(100, 0xff - i))
    await Promise.all([stranger.ended, client.ended])
  }
  expect(siege.watch.lines.length - before).toBeLessThan(10)
})
