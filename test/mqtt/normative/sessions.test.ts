/** Sessions: what outlives a connection, what does not, and what is sent again. */
import type { IPublishPacket } from 'mqtt-packet'
import { expect } from 'vitest'
import type { MqttClient } from '../../support/mqtt-client.ts'
import { prover } from './prover.ts'

const proves = prover()

proves(
  'a kept session goes on: its subscriptions, and what came over QoS 0 meanwhile',
  {
    v311: '3.1.2-4 3.1.2-5 3.1.3-2 3.1.4-3 3.2.2-2 3.2.2-3 4.1.0-1 4.5.0-1',
    v5: '3.1.2-5 3.1.2-6 3.1.2-23 3.1.3-2 3.1.4-4 3.2.2-3 4.5.0-1',
  },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const { client, connack } = await at.enter(at.kept(clientId))
      expect(connack.sessionPresent).toBe(false)
      await client.subscribe(topic, 2)
      await client.disconnect()
      const sender = await at.client()
      await sender.publish(topic, 'one', { qos: 1 })
      await sender.publish(topic, 'two', { qos: 2 })
      const { connack: other } = await at.enter(at.kept(at.name()))
      expect(other.sessionPresent).toBe(false)
      const back = await at.enter(at.kept(clientId))
      expect(back.connack.sessionPresent).toBe(true)
      expect(await back.client.message()).toMatchObject({ topic, qos: 1, dup: false })
      expect(await back.client.message()).toMatchObject({ topic, qos: 2, dup: false })
      await sender.publish(topic, 'live', { qos: 1 })
      expect((await back.client.message()).payload.toString()).toBe('live')
    }
  },
)

proves(
  'a clean start drops the session, and nothing of it comes back',
  { v311: '3.1.2-6 3.1.4-3 3.2.2-1', v5: '3.1.2-4 3.1.4-4 3.2.2-2' },
  async (at) => {
    const clientId = at.name()
    const client = await at.client(at.kept(clientId))
    await client.subscribe(at.topic, 1)
    client.reset()
    const sender = await at.client()
    await sender.publish(at.topic, 'while away', { qos: 1 })
    const { client: clean, connack } = await at.enter({ ...at.kept(clientId), clean: true })
    expect(connack.sessionPresent).toBe(false)
    await sender.publish(at.topic, 'to nobody', { qos: 1 })
    await clean.subscribe(at.topic, 1)
    await sender.publish(at.topic, 'first', { qos: 1 })
    expect((await clean.message()).payload.toString()).toBe('first')
  },
)

proves(
  'a clean session ends with its connection, and lasts as long as that',
  { v311: '3.1.2-6 3.2.2-3 4.1.0-2', v5: '3.2.2-3 4.1.0-1 4.1.0-2' },
  async (at) => {
    const clientId = at.name()
    const client = await at.client({ clientId })
    await client.subscribe(at.topic, 1)
    await client.publish(at.topic, 'lives', { qos: 1 })
    await client.message()
    await client.disconnect()
    const { connack } = await at.enter(at.kept(clientId))
    expect(connack.sessionPresent).toBe(false)
  },
)

proves('a session is gone when its expiry has passed', { v5: '4.1.0-2' }, async (at) => {
  const clientId = at.name()
  const watcher = await at.client()
  await watcher.subscribe(at.topic)
  // The end of the session publishes the will, before its own delay.
  const properties = { willDelayInterval: 600 }
  const will = { topic: at.topic, payload: Buffer.from('ended'), qos: 0, retain: false, properties }
  const short = at.kept(clientId, { properties: { sessionExpiryInterval: 1 } })
  const client = await at.client({ ...short, will: will as never })
  client.reset()
  await watcher.message()
  expect((await at.enter(at.kept(clientId))).connack.sessionPresent).toBe(false)
})

proves('DISCONNECT may change the expiry, but not from none', { v5: '4.1.0-2' }, async (at) => {
  const clientId = at.name()
  const client = await at.client(at.kept(clientId))
  client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } })
  await client.ended
  expect((await at.enter(at.kept(clientId))).connack.sessionPresent).toBe(false)
  const clean = await at.client()
  clean.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 9 } })
  await at.ends(clean, 0x82)
})

proves(
  'retained messages outlive the session that published them',
  { v311: '3.1.2-7' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.publish(topic, 'stays', { retain: true, qos: 1 })
      await client.disconnect()
      const late = await at.client()
      await late.subscribe(topic, 1)
      expect(await late.message()).toMatchObject({ topic, retain: true })
    }
  },
)

proves(
  'what is unacknowledged at the end is sent again at resume, in order, with its identifiers',
  {
    v311: '2.3.1-3 2.3.1-4 3.3.1-1 4.3.2-1 4.3.3-1 4.4.0-1',
    v5: '3.3.1-1 4.3.2-3 4.3.3-3 4.4.0-1',
  },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const client = await at.client(at.kept(clientId))
      await client.subscribe(topic, 2)
      const sender = await at.client()
      await sender.publish(topic, 'a', { qos: 1 })
      await sender.publish(topic, 'b', { qos: 2 })
      await sender.publish(topic, 'c', { qos: 1 })
      const sent = await publishes(client, 3)
      expect(sent.every(({ dup }) => !dup)).toBe(true)
      client.reset()
      const back = await at.client(at.kept(clientId))
      const again = await publishes(back, 3)
      expect(again.map(asSent)).toEqual(sent.map(asSent))
      expect(again.every(({ dup }) => dup)).toBe(true)
    }
  },
)

proves(
  'what is unacknowledged is not sent again while the connection lives',
  { v5: '4.4.0-1' },
  async (at) => {
    const client = await at.client(at.kept(at.name()))
    await client.subscribe(at.topic, 2)
    await client.publish(at.topic, 'a', { qos: 1 })
    await client.publish(at.topic, 'b', { qos: 2 })
    await publishes(client, 2)
    await at.seconds(1)
    expect(await client.settled()).toEqual([])
  },
)

proves(
  'after PUBREC it is PUBREL that is sent again, and never the PUBLISH',
  { v311: '4.3.3-1 4.4.0-1', v5: '4.3.3-5 4.3.3-6 4.4.0-1' },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const client = await at.client(at.kept(clientId))
      await client.subscribe(topic, 2)
      await (await at.client()).publish(topic, 'a', { qos: 2 })
      const { messageId } = await client.next('publish')
      client.send({ cmd: 'pubrec', messageId: messageId as number })
      await client.next('pubrel')
      client.reset()
      const back = await at.client(at.kept(clientId))
      expect(await back.next()).toMatchObject({ cmd: 'pubrel', messageId })
      back.send({ cmd: 'pubcomp', messageId: messageId as number })
      expect(await back.settled()).toEqual([])
      back.reset()
      expect(await (await at.client(at.kept(clientId))).settled()).toEqual([])
    }
  },
)

proves('what was answered with an error is not sent again', { v5: '4.4.0-2' }, async (at) => {
  const clientId = at.name()
  const client = await at.client(at.kept(clientId))
  await client.subscribe(at.topic, 2)
  const sender = await at.client()
  await sender.publish(at.topic, 'a', { qos: 1 })
  await sender.publish(at.topic, 'b', { qos: 2 })
  const [one, two] = await publishes(client, 2)
  client.send({ cmd: 'puback', messageId: one?.messageId as number, reasonCode: 0x80 })
  client.send({ cmd: 'pubrec', messageId: two?.messageId as number, reasonCode: 0x80 })
  expect(await client.settled()).toEqual([])
  client.reset()
  expect(await (await at.client(at.kept(clientId))).settled()).toEqual([])
})

proves(
  'what waited comes after what is sent again, in its order',
  { v311: '4.4.0-1 4.6.0-6', v5: '4.4.0-1 4.6.0-5' },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const client = await at.client(at.kept(clientId))
      await client.subscribe(topic, 1)
      const sender = await at.client()
      for (const word of ['a', 'b']) await sender.publish(topic, word, { qos: 1 })
      await publishes(client, 2)
      client.reset()
      for (const word of ['c', 'd']) await sender.publish(topic, word, { qos: 1 })
      const back = await at.client(at.kept(clientId))
      await sender.publish(topic, 'e', { qos: 1 })
      const heard = await publishes(back, 5)
      expect(heard.map(({ payload }) => payload.toString())).toEqual(['a', 'b', 'c', 'd', 'e'])
      expect(heard.map(({ dup }) => dup)).toEqual([true, true, false, false, false])
    }
  },
)

proves('options and identifiers of subscriptions go on', { v5: '3.1.2-5 3.8.3-3' }, async (at) => {
  for (const topic of at.topics) {
    const clientId = at.name()
    const client = await at.client(at.kept(clientId))
    const options = { qos: 1, nl: true, rap: true } as const
    await client.subscribe([{ topic, ...options }], 1, { subscriptionIdentifier: 7 })
    client.reset()
    const sender = await at.client()
    await sender.publish(topic, 'away', { qos: 1 })
    const back = await at.client(at.kept(clientId))
    expect((await back.message()).properties).toMatchObject({ subscriptionIdentifier: 7 })
    await back.publish(topic, 'its own', { qos: 1 })
    await sender.publish(topic, 'live', { qos: 1, retain: true })
    const live = await back.message()
    expect(live).toMatchObject({ retain: true, properties: { subscriptionIdentifier: 7 } })
    expect(live.payload.toString()).toBe('live')
  }
})

proves('RETAIN goes as published to those who were away, too', { v5: '3.3.1-13' }, async (at) => {
  for (const topic of at.topics) {
    const clientId = at.name()
    const client = await at.client(at.kept(clientId))
    await client.subscribe([{ topic, qos: 1, rap: true }])
    client.reset()
    const sender = await at.client()
    await sender.publish(topic, 'a', { qos: 1, retain: true })
    await sender.publish(topic, 'b', { qos: 1 })
    const back = await at.client(at.kept(clientId))
    const heard = [await back.message(), await back.message()]
    expect(heard.map(({ retain }) => retain)).toEqual([true, false])
  }
})

proves(
  'a takeover goes on with the session, and what is retained does not come again',
  { v311: '3.1.2-4 3.1.4-2 3.3.1-6', v5: '3.1.2-5 3.1.4-3 3.3.1-9' },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const older = await at.client(at.kept(clientId))
      const sender = await at.client()
      await sender.publish(topic, 'kept', { qos: 1, retain: true })
      await older.subscribe(topic, 1)
      await older.message()
      await sender.publish(topic, 'a', { qos: 1 })
      const { messageId } = await older.next('publish')
      const { client: newer, connack } = await at.enter(at.kept(clientId))
      expect(connack.sessionPresent).toBe(true)
      await at.ends(older, 0x8e)
      expect(await newer.message()).toMatchObject({ messageId, dup: true })
      await sender.publish(topic, 'b', { qos: 1 })
      expect((await newer.message()).payload.toString()).toBe('b')
    }
  },
)

async function publishes(client: MqttClient, count: number) {
  const packets: IPublishPacket[] = []
  while (packets.length < count) packets.push(await client.next('publish'))
  return packets
}

function asSent({ messageId, payload, qos, topic }: IPublishPacket): unknown[] {
  return [messageId, payload.toString(), qos, topic]
}
