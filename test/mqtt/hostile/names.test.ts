/** A12 to A14, A18, M13, over a real gateway: who somebody is, where names or the store lie. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { type Comes, heard, PAYLOAD, Siege, type Token } from './siege.ts'

/** Keys of the language's objects. */
const KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'length']
/** Patterns, paths and placeholders; `*` is none to MQTT. */
const PATTERNS = ['#', '+', '+/#', 'a/b', '*', '**', '%c', '%u', `\${clientid}`, '$SYS', '../..']

let siege: Siege
let token: Token
let other: Token

beforeAll(async () => {
  siege = await Siege.start(
    {
      boiler: [{ case: 'retained', value: {} as never }],
      shed: [],
    },
    { mqtt: { connectTimeoutMs: 5_000 } },
  )
  token = await siege.token(['boiler'])
  other = await siege.token(['boiler'])
})
afterEach(async () => {
  resetMqttClients()
  await siege.unmoved()
})
afterAll(() => siege?.stop())

const keeps = (clientId: string, more: Comes = {}): Comes => ({
  clientId,
  clean: false,
  properties: { sessionExpiryInterval: 100 },
  ...more,
})

const MARK = 'acme/boiler/mark'

describe.each([...KEYS, ...PATTERNS])('a client named %s (A12, M13)', (name) => {
  test('has a session of its own, and what it has subscribed', async () => {
    const [mine, others] = [
      await siege.enter(token, keeps(name)),
      await siege.enter(other, keeps(name)),
    ]
    await mine.subscribe('acme/boiler/mine', 1)
    await others.subscribe('acme/boiler/others', 1)
    for (const each of [mine, others]) {
      each.reset()
      await each.ended
    }
    const speaker = await siege.enter(token)
    for (const word of ['mine', 'others']) {
      expect(await speaker.publish(`acme/boiler/${word}`, word, { qos: 1 })).toBe(0)
    }
    expect(await heard(await siege.enter(token, keeps(name)), MARK)).toEqual(['mine'])
    expect(await heard(await siege.enter(other, keeps(name)), MARK)).toEqual(['others'])
  })

  test('is nobody as a user name, whoever’s secret comes with it', async () => {
    const names = [name, `acme/${name}`, `${name}/boiler`, `acme/boiler/${name}`]
    for (const username of names) expect(await siege.tries(token, { username })).toBe(0x86)
  })
})

describe.each(KEYS)('%s as a channel, a group, a property (M13)', (name) => {
  // Names of channels are as they come, those of the language are no others.
  test('is a name like others', async () => {
    const client = await siege.enter(token)
    const topic = `acme/boiler/${name}`
    expect(await client.subscribe([topic, `$share/${name}/${topic}`, name], 1)).toEqual([
      1, 1, 0x8f,
    ])
    const userProperties = { [name]: name, plain: 'x' }
    const given = { qos: 1 as const, retain: true, properties: { userProperties } }
    expect(await client.publish(topic, 'x', given)).toBe(0)
    for (let i = 0; i < 2; i++) {
      const message = await client.message()
      expect(message.topic).toBe(topic)
      expect(Object.entries(message.properties?.userProperties ?? {})).toEqual(
        Object.entries(userProperties),
      )
    }
    expect(await client.unsubscribe(`$share/${name}/${topic}`, topic, name)).toEqual([0, 0, 0x11])
    expect(await client.publish(name, 'x', { qos: 1 })).toBe(0x90)
    expect(await client.publish(topic, '', { qos: 1, retain: true })).toBe(0x10)
  })
})

test('of two principals that race for one client id each has one, unmixed (A13, A14)', async () => {
  const tries = Array.from({ length: 12 }, (_, i) => {
    const mine = i % 2 === 0
    const come = siege.enter(mine ? token : other, keeps('raced'))
    return come.then((client) => ({ client, mine })).catch(() => undefined)
  })
  const came = (await Promise.all(tries)).filter((one) => one !== undefined)
  const ends = came.map((one) => one.client.ended.then(() => one))
  const left = new Set(came)
  while (left.size > 2) left.delete(await Promise.race(ends.filter((_, i) => left.has(came[i]!))))
  const winners = [...left]
  expect(winners.map(({ mine }) => mine).sort()).toEqual([false, true])
  for (const { client, mine } of winners) {
    expect(await client.subscribe(`acme/boiler/${mine ? 'mine' : 'others'}`, 1)).toEqual([1])
  }
  const speaker = await siege.enter(token)
  for (const word of ['mine', 'others']) {
    await speaker.publish(`acme/boiler/${word}`, word, { qos: 1 })
  }
  for (const { client, mine } of winners) {
    expect(await heard(client, MARK)).toEqual([mine ? 'mine' : 'others'])
  }
})

describe('while the store is away (A18)', () => {
  test('nobody comes in, nothing is granted, nothing is acknowledged', async () => {
    const [late, kept] = [await siege.token(['boiler']), await siege.token(['boiler'])]
    const before = await siege.enter(kept, keeps('kept'))
    await before.subscribe('acme/boiler/kept', 1)
    const inside = await siege.enter(token)
    const old = await siege.enter(token, { version: 4 })
    before.reset()
    await before.ended
    siege.watch.away = true
    expect(await siege.tries(late)).toBe(0x88)
    expect(await siege.tries(late, { version: 4 })).toBe(3)
    expect(await siege.tries(kept, keeps('kept'))).toBe(0x88)
    const will = { topic: 'acme/shed', payload: Buffer.from(PAYLOAD), qos: 1 as const }
    expect(await siege.tries(token, { will })).toBe(0x88)
    // A room that nobody is in has to be asked for.
    const asked = ['acme/shed', '$share/g/acme/shed', 'rival/yard', 'nobody/yard']
    const codes = await inside.subscribe(asked, 1)
    expect(codes).toEqual(codes.map(() => 0x83))
    expect(await inside.publish('acme/shed', PAYLOAD, { qos: 1 })).toBe(0x83)
    expect(await inside.publish('acme/shed', PAYLOAD, { qos: 2 })).toBe(0x83)
    old.sendPublish('acme/shed', PAYLOAD, { qos: 1 })
    expect(await old.rest()).toEqual([])
    siege.watch.away = false
    const back = await siege.enter(kept, keeps('kept'))
    expect(await heard(back, MARK)).toEqual([])
    expect(await inside.subscribe('acme/shed', 1)).toEqual([0x87])
  })
})
