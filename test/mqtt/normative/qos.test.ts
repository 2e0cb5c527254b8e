/** The three ways of delivery, with the gateway as receiver and as sender. */
import { expect } from 'vitest'
import type { MqttClient } from '../../support/mqtt-client.ts'
import { prover } from './prover.ts'

const proves = prover()

proves(
  'QoS 0 comes with no identifier, no DUP and no properties, and is not answered',
  {
    v311: '2.3.1-5 3.3.1-2 3.3.4-1 4.3.1-1',
    v5: '2.2.1-2 2.2.2-1 3.3.1-2 3.3.4-1 4.3.1-1',
  },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(topic)
      client.sendPublish(topic, 'x')
      const packet = await client.next()
      const fields = 2 + topic.length + (at.five ? 1 : 0) + 1
      expect(packet).toMatchObject({ cmd: 'publish', qos: 0, dup: false, length: fields })
      expect(await client.settled()).toEqual([])
    }
  },
)

proves(
  'DUP with QoS 0, and a QoS of 3, end the connection',
  { v311: '3.3.1-2 3.3.1-4', v5: '3.3.1-2 3.3.1-4' },
  async (at) => {
    for (const flags of [0x08, 0x06]) {
      const client = await at.client()
      const bytes = at.bytes({
        cmd: 'publish',
        topic: at.topic,
        payload: 'xyz',
        qos: 0,
        dup: false,
        retain: false,
      })
      bytes[0]! |= flags
      client.write(bytes)
      await at.ends(client, 0x81, 0x82)
    }
  },
)

proves('the identifier 0 ends the connection', { v311: '2.3.1-1', v5: '2.2.1-3' }, async (at) => {
  for (const qos of [1, 2] as const) {
    const client = await at.client()
    const bytes = at.bytes({
      cmd: 'publish',
      topic: at.topic,
      payload: '',
      qos,
      messageId: 0x7777,
      dup: false,
      retain: false,
    })
    bytes.fill(0, bytes.indexOf('7777', 'hex'), bytes.indexOf('7777', 'hex') + 2)
    client.write(bytes)
    await at.ends(client, 0x81, 0x82)
  }
})

proves(
  'QoS 1 is answered with PUBACK of its identifier, in order',
  {
    v311: '2.3.1-6 3.3.4-1 4.3.2-2',
    v5: '2.2.1-5 3.3.4-1 3.4.2-1 4.3.2-4',
  },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      const ids = [7, 1, 0xffff, 3]
      for (const messageId of ids) client.sendPublish(topic, 'x', { qos: 1, messageId })
      for (const messageId of ids) {
        const ack = await client.next()
        expect(ack).toMatchObject({ cmd: 'puback', messageId })
        // Nobody listens.
        if (at.five) expect([0x00, 0x10]).toContain((ack as { reasonCode?: number }).reasonCode)
      }
    }
  },
)

proves(
  'after PUBACK its identifier is that of a new message, whatever DUP says',
  { v311: '4.3.2-2', v5: '4.3.2-5' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(topic)
      await client.publish(topic, 'a', { qos: 1, messageId: 9 })
      await client.publish(topic, 'b', { qos: 1, messageId: 9 })
      await client.publish(topic, 'b', { qos: 1, messageId: 9, dup: true })
      expect(await payloads(client, 3)).toEqual(['a', 'b', 'b'])
    }
  },
)

proves(
  'QoS 2 is answered with PUBREC, and PUBREL with PUBCOMP, of its identifier',
  {
    v311: '2.3.1-6 3.3.4-1 4.3.3-2',
    v5: '2.2.1-5 3.3.4-1 3.5.2-1 3.7.2-1 4.3.3-8 4.3.3-11',
  },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      const ids = [7, 1, 0xffff]
      for (const messageId of ids) client.sendPublish(topic, 'x', { qos: 2, messageId })
      for (const messageId of ids) {
        const ack = await client.next()
        expect(ack).toMatchObject({ cmd: 'pubrec', messageId })
        if (at.five) expect([0x00, 0x10]).toContain((ack as { reasonCode?: number }).reasonCode)
      }
      for (const messageId of ids) client.send({ cmd: 'pubrel', messageId })
      for (const messageId of ids) {
        const done = await client.next()
        expect(done).toMatchObject({ cmd: 'pubcomp', messageId, ...(at.five && { reasonCode: 0 }) })
      }
    }
  },
)

proves(
  'a repeat before PUBREL is answered and delivered once; after PUBCOMP it is a new message',
  { v311: '4.3.3-2', v5: '4.3.3-10 4.3.3-12' },
  async (at) => {
    for (const topic of at.topics) {
      const listener = await at.client()
      await listener.subscribe(topic)
      const client = await at.client()
      const sent = { qos: 2, messageId: 5 } as const
      client.sendPublish(topic, 'once', sent)
      await client.next('pubrec')
      client.sendPublish(topic, 'once', { ...sent, dup: true })
      expect(await client.next('pubrec')).toMatchObject({ messageId: 5 })
      client.send({ cmd: 'pubrel', messageId: 5 })
      await client.next('pubcomp')
      await client.publish(topic, 'anew', sent)
      await client.publish(topic, 'anew', { ...sent, dup: true })
      expect(await payloads(listener, 3)).toEqual(['once', 'anew', 'anew'])
    }
  },
)

proves(
  'a repeat is delivered once over a lost connection, too',
  { v311: '4.3.3-2 4.1.0-1', v5: '4.3.3-10' },
  async (at) => {
    for (const topic of at.topics) {
      const listener = await at.client()
      await listener.subscribe(topic)
      const clientId = at.name()
      const client = await at.client(at.kept(clientId))
      client.sendPublish(topic, 'once', { qos: 2, messageId: 5 })
      await client.next('pubrec')
      client.reset()
      const back = await at.client(at.kept(clientId))
      back.sendPublish(topic, 'once', { qos: 2, messageId: 5, dup: true })
      await back.next('pubrec')
      back.send({ cmd: 'pubrel', messageId: 5 })
      await back.next('pubcomp')
      await back.publish(topic, 'after', { qos: 1 })
      expect(await payloads(listener, 2)).toEqual(['once', 'after'])
    }
  },
)

proves(
  'PUBREL of an unknown identifier is answered',
  { v311: '4.3.3-2', v5: '3.7.2-1' },
  async (at) => {
    const client = await at.client()
    client.send({ cmd: 'pubrel', messageId: 77 })
    const done = await client.next('pubcomp')
    expect(done.messageId).toBe(77)
    if (at.five) expect([0x00, 0x92]).toContain(done.reasonCode)
  },
)

proves(
  'what is sent over QoS 0 has identifiers that are not 0 and not in use, and no DUP',
  {
    v311: '2.3.1-1 2.3.1-4 4.3.2-1 4.3.3-1',
    v5: '2.2.1-4 4.3.2-1 4.3.2-2 4.3.3-1 4.3.3-2',
  },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(topic, 2)
      const sender = await at.client()
      const ids = new Set<number | undefined>()
      for (const qos of [1, 2, 1, 2, 1] as const) {
        await sender.publish(topic, 'x', { qos })
        const packet = await client.next('publish')
        expect(packet).toMatchObject({ qos, dup: false })
        expect(packet.messageId).toBeGreaterThan(0)
        ids.add(packet.messageId)
      }
      expect(ids.size).toBe(5)
    }
  },
)

proves(
  'as a sender of QoS 2 it answers PUBREC with PUBREL of the identifier',
  { v311: '2.3.1-6 4.3.3-1', v5: '2.2.1-5 3.6.2-1 4.3.3-4' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(topic, 2)
      await client.publish(topic, 'x', { qos: 2 })
      const { messageId } = await client.next('publish')
      client.send({ cmd: 'pubrec', messageId: messageId as number })
      const release = await client.next()
      expect(release).toMatchObject({ cmd: 'pubrel', messageId })
      if (at.five) expect((release as { reasonCode?: number }).reasonCode).toBe(0)
      client.send({ cmd: 'pubcomp', messageId: messageId as number })
      expect(await client.settled()).toEqual([])
    }
  },
)

proves('PUBREC with an error is the end of it', { v5: '4.3.3-4 4.4.0-2' }, async (at) => {
  const client = await at.client()
  await client.subscribe(at.topic, 2)
  await client.publish(at.topic, 'x', { qos: 2 })
  const { messageId } = await client.next('publish')
  client.send({ cmd: 'pubrec', messageId: messageId as number, reasonCode: 0x97 })
  expect(await client.settled()).toEqual([])
})

proves(
  'after its own PUBREC with an error the identifier is that of a new message',
  { v5: '3.5.2-1 4.3.3-9' },
  async (at) => {
    const client = await at.client()
    await client.subscribe(at.topic)
    const sent = { qos: 2, messageId: 5 } as const
    const properties = { payloadFormatIndicator: true }
    client.sendPublish(at.topic, Buffer.from([0xff]), { ...sent, properties })
    expect((await client.next('pubrec')).reasonCode).toBe(0x99)
    await client.publish(at.topic, 'good', sent)
    expect(await payloads(client, 1)).toEqual(['good'])
  },
)

proves('DUP of a publisher is not passed on', { v311: '3.3.1-3', v5: '3.3.1-3' }, async (at) => {
  for (const topic of at.topics) {
    const client = await at.client()
    await client.subscribe(topic, 2)
    await client.publish(topic, 'x', { qos: 1, dup: true })
    expect((await client.message()).dup).toBe(false)
  }
})

proves(
  'messages of one client reach each subscriber in their order',
  { v311: '4.6.0-5 4.6.0-6', v5: '4.6.0-5 4.6.0-6' },
  async (at) => {
    for (const topic of at.topics) {
      const listeners = [await at.client(), await at.client()]
      for (const listener of listeners) await listener.subscribe(topic, 1)
      const sender = await at.client()
      const words = Array.from({ length: 20 }, (_, i) => `${i}`)
      for (const word of words) sender.sendPublish(topic, word, { qos: 1 })
      for (const listener of listeners) expect(await payloads(listener, 20)).toEqual(words)
    }
  },
)

proves('the steps of QoS 2 go on for what has expired', { v5: '4.3.3-13' }, async (at) => {
  const client = await at.client()
  const properties = { messageExpiryInterval: 1 }
  client.sendPublish(at.topic, 'x', { qos: 2, messageId: 5, properties })
  await client.next('pubrec')
  await at.seconds(2)
  client.send({ cmd: 'pubrel', messageId: 5 })
  expect(await client.next('pubcomp')).toMatchObject({ messageId: 5, reasonCode: 0 })
})

proves('what has been sent does not expire', { v5: '4.3.3-7' }, async (at) => {
  const clientId = at.name()
  const client = await at.client(at.kept(clientId))
  await client.subscribe(at.topic, 2)
  const properties = { messageExpiryInterval: 1 }
  await (await at.client()).publish(at.topic, 'x', { qos: 2, properties })
  const { messageId } = await client.next('publish')
  client.reset()
  await at.seconds(2)
  const back = await at.client(at.kept(clientId))
  expect(await back.next('publish')).toMatchObject({ messageId, dup: true })
})

async function payloads(client: MqttClient, count: number): Promise<string[]> {
  const heard: string[] = []
  while (heard.length < count) heard.push((await client.message()).payload.toString())
  return heard
}
