/** MQTT 5: how much is under way at once, how large it may be, and topics by number. */
import { expect } from 'vitest'
import type { MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover({ mqtt: { receiveMaximum: 4, topicAliases: 3 } })

/** Bytes in which a CONNACK has its place, and a reason has not. */
const SMALL = 30

proves(
  "at most the client's receive maximum is under way, and all else goes on",
  { v5: '3.3.4-9 3.3.4-10 4.9.0-1 4.9.0-2 4.9.0-3' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client({ properties: { receiveMaximum: 2 } })
      await client.subscribe(topic, 2)
      const sender = await at.client()
      for (const [i, qos] of ([1, 2, 1, 2, 1] as const).entries()) {
        await sender.publish(topic, `${i}`, { qos })
      }
      const [one, two] = [await client.next('publish'), await client.next('publish')]
      expect(await client.settled()).toEqual([])
      expect(await client.subscribe(`${topic}/other`, 1)).toEqual([1])
      await sender.publish(topic, 'of QoS 0')
      client.send({ cmd: 'puback', messageId: one.messageId as number })
      expect(`${(await next(client, 1)).payload}`).toBe('2')
      client.send({ cmd: 'pubrec', messageId: two.messageId as number })
      await client.next('pubrel')
      expect((await client.settled()).filter(isUnderWay)).toEqual([])
      client.send({ cmd: 'pubcomp', messageId: two.messageId as number })
      const four = await next(client, 1)
      expect(`${four.payload}`).toBe('3')
      client.send({ cmd: 'pubrec', messageId: four.messageId as number, reasonCode: 0x80 })
      expect(`${(await next(client, 1)).payload}`).toBe('4')
    }
  },
)

proves(
  'the window and full topics hold at resume, too',
  { v5: '3.3.2-7 3.3.4-9 4.9.0-2' },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const properties = { receiveMaximum: 3, topicAliasMaximum: 3 }
      const client = await at.client(at.kept(clientId, { properties }))
      await client.subscribe(topic, 1)
      const sender = await at.client()
      for (const word of ['0', '1', '2', '3']) await sender.publish(topic, word, { qos: 1 })
      for (let i = 0; i < 3; i++) await client.next('publish')
      client.reset()
      const small = { ...properties, receiveMaximum: 2 }
      const back = await at.client(at.kept(clientId, { properties: small }))
      const ids: number[] = []
      for (const word of ['0', '1', '2', '3']) {
        const packet = await back.next('publish')
        expect(packet.payload.toString()).toBe(word)
        if (word === '0') expect(packet.topic).toBe(topic)
        ids.push(packet.messageId as number)
        if (ids.length < 2) continue
        expect(await back.settled()).toEqual([])
        back.send({ cmd: 'puback', messageId: ids.shift() as number })
      }
    }
  },
)

proves(
  'what is over the receive maximum of the server ends the connection',
  { v5: '3.3.4-7' },
  async (at) => {
    const { client, connack } = await at.enter()
    const most = connack.properties?.receiveMaximum as number
    expect(most).toBeGreaterThan(0)
    for (let i = 1; i <= most; i++) client.sendPublish(at.topic, 'x', { qos: 2, messageId: i })
    for (let i = 1; i <= most; i++) await client.next('pubrec')
    expect(await client.settled()).toEqual([])
    client.sendPublish(at.topic, 'x', { qos: 2, messageId: most + 1 })
    await at.ends(client, 0x93)
  },
)

proves('aliases are accepted up to the maximum, and set anew', { v5: '3.3.2-12' }, async (at) => {
  for (const topic of at.topics) {
    const { client, connack } = await at.enter()
    const most = connack.properties?.topicAliasMaximum as number
    await client.subscribe(`${topic}/#`)
    for (const alias of [1, most]) {
      for (const [name, level] of [
        ['a', 'a'],
        ['', 'a'],
        ['b', 'b'],
        ['', 'b'],
      ] as const) {
        aliased(client, name && `${topic}/${name}`, alias)
        expect((await client.message()).topic).toBe(`${topic}/${level}`)
      }
    }
  }
})

proves(
  'an alias of 0, above the maximum, or unknown, ends the connection',
  { v5: '3.2.2-17 3.3.2-8 3.3.2-9 4.13.1-1' },
  async (at) => {
    const { connack } = await at.enter()
    const most = connack.properties?.topicAliasMaximum as number
    for (const [topic, alias] of [
      [at.topic, 0],
      [at.topic, most + 1],
      ['', 1],
    ] as const) {
      const client = await at.client()
      aliased(client, topic, alias)
      await at.ends(client, 0x94, 0x82, 0x81)
    }
  },
)

proves('an alias does not outlive its connection', { v5: '3.3.2-7' }, async (at) => {
  const clientId = at.name()
  const client = await at.client(at.kept(clientId, { properties: { topicAliasMaximum: 5 } }))
  await client.subscribe(at.topic, 1)
  aliased(client, at.topic, 1)
  aliased(client, '', 1)
  for (let i = 0; i < 2; i++) await client.message()
  client.reset()
  const back = await at.client(at.kept(clientId, { properties: { topicAliasMaximum: 5 } }))
  await back.publish(at.topic, 'x', { qos: 1 })
  expect((await back.message()).topic).toBe(at.topic)
  aliased(back, '', 1)
  await at.ends(back, 0x94, 0x82, 0x81)
})

proves('without a maximum no alias is sent', { v5: '3.1.2-27' }, async (at) => {
  for (const properties of [{}, { topicAliasMaximum: 0 }]) {
    const client = await at.client({ properties })
    await client.subscribe(at.topic, 1)
    for (let i = 0; i < 3; i++) await client.publish(at.topic, 'x', { qos: 1 })
    for (let i = 0; i < 3; i++) {
      const packet = await client.message()
      expect(packet.topic).toBe(at.topic)
      expect(packet.properties?.topicAlias).toBe(undefined)
    }
  }
})

proves("no alias is above the client's maximum", { v5: '3.1.2-26 3.3.2-11' }, async (at) => {
  for (const topic of at.topics) {
    const client = await at.client({ properties: { topicAliasMaximum: 2 } })
    await client.subscribe(`${topic}/#`, 1)
    const sent = ['a', 'a', 'b', 'a', 'c', 'c', 'b', 'a', 'd', 'd'].map((end) => `${topic}/${end}`)
    const sender = await at.client()
    for (const one of sent) await sender.publish(one, 'x', { qos: 1 })
    const known = new Map<number, string>()
    for (const one of sent) {
      const { topic: told, properties } = await client.message()
      const alias = properties?.topicAlias
      if (alias !== undefined) {
        expect([1, 2]).toContain(alias)
        if (told !== '') known.set(alias, told)
      }
      expect(told || known.get(alias ?? 0)).toBe(one)
    }
  }
})

proves(
  'what is too large for a client is not sent, and counts as delivered',
  { v5: '3.1.2-24 3.1.2-25' },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const small = at.kept(clientId, { properties: { maximumPacketSize: 100, receiveMaximum: 1 } })
      const client = await at.client(small)
      const other = await at.client()
      for (const each of [client, other]) await each.subscribe(topic, 1)
      await other.publish(topic, 'x'.repeat(100), { qos: 1 })
      await other.publish(topic, 'small', { qos: 1 })
      expect((await other.message()).payload).toHaveLength(100)
      expect((await client.message()).payload.toString()).toBe('small')
      client.reset()
      await other.publish(topic, 'y'.repeat(100), { qos: 1 })
      await other.publish(topic, 'while away', { qos: 1 })
      const back = await at.client(small)
      expect((await back.message()).payload.toString()).toBe('while away')
      expect(await back.settled()).toEqual([])
    }
  },
)

proves(
  'what is over the maximum of the server ends the connection',
  { v5: '3.2.2-15' },
  async (at) => {
    const { client, connack } = await at.enter()
    const most = connack.properties?.maximumPacketSize as number
    expect(most).toBeGreaterThan(0)
    const length = most
    const bytes = [0x30, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80]
    client.write(Buffer.from([...bytes, ((length >> 14) & 0x7f) | 0x80, length >> 21]))
    await at.ends(client, 0x95)
  },
)

proves(
  'reasons and user properties give way to the maximum packet size',
  {
    v5: '3.2.2-19 3.2.2-20 3.4.2-2 3.4.2-3 3.5.2-2 3.5.2-3 3.7.2-2 3.7.2-3 3.9.2-1 3.9.2-2',
  },
  async (at) => {
    const properties = { maximumPacketSize: SMALL, requestProblemInformation: true }
    const refused = await at.asks({ properties: { ...properties, authenticationMethod: 'none' } })
    fits(refused.connack)
    const { client, connack } = await at.enter({ properties })
    fits(connack)
    await answersFit(client, at)
  },
)

proves(
  'those of UNSUBACK and DISCONNECT, too',
  { v5: '3.11.2-1 3.11.2-2 3.14.2-3 3.14.2-4' },
  async (at) => {
    const properties = { maximumPacketSize: SMALL, requestProblemInformation: true }
    const client = await at.client({ properties })
    client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [`${at.topic}/none`] })
    fits(await client.next('unsuback'))
    client.write('0000')
    for (const packet of await client.rest()) fits(packet)
  },
)

proves('who wants no problem information gets none', { v5: '3.1.2-29' }, async (at) => {
  const properties = { requestProblemInformation: false }
  const client = await at.client({ properties })
  for (const packet of await answersFit(client, at, Number.POSITIVE_INFINITY)) {
    expect(packet.properties ?? {}).not.toHaveProperty('reasonString')
    expect(packet.properties ?? {}).not.toHaveProperty('userProperties')
  }
})

/** Answers to what is refused, each of which would like to say why. */
async function answersFit(client: MqttClient, at: Site, most = SMALL) {
  const bad = { payloadFormatIndicator: true }
  const ill = Buffer.from([0xff])
  client.sendPublish(at.topic, ill, { qos: 1, messageId: 1, properties: bad })
  const puback = await client.next('puback')
  client.sendPublish(at.topic, ill, { qos: 2, messageId: 2, properties: bad })
  const pubrec = await client.next('pubrec')
  client.send({ cmd: 'pubrel', messageId: 3 })
  const pubcomp = await client.next('pubcomp')
  client.send({ cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: '$none/x', qos: 0 }] })
  const suback = await client.next('suback')
  client.send({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['x'] })
  const answers = [puback, pubrec, pubcomp, suback, await client.next('unsuback')]
  for (const packet of answers) fits(packet, most)
  return answers
}

function fits({ length = 0 }: { length?: number }, most = SMALL): void {
  expect(length + 2).toBeLessThanOrEqual(most)
}

function aliased(client: MqttClient, topic: string, topicAlias: number): void {
  client.sendPublish(topic, 'x', { properties: { topicAlias } })
}

/** The next message over QoS 0, unacknowledged. */
async function next(client: MqttClient, least: number) {
  for (;;) {
    const packet = await client.next('publish')
    if (packet.qos >= least) return packet
  }
}

function isUnderWay(packet: { cmd: string; qos?: number }): boolean {
  return packet.cmd === 'publish' && packet.qos !== 0
}
