/** SUBSCRIBE, UNSUBSCRIBE, and which messages come of them. */
import type { ISubscription } from 'mqtt-packet'
import { expect } from 'vitest'
import { prover } from './prover.ts'

const proves = prover()

proves(
  'SUBSCRIBE is answered with its identifier and a code for each filter, in their order',
  {
    v311: '2.3.1-7 3.8.4-1 3.8.4-2 3.8.4-4 3.8.4-5 3.9.3-1 3.9.3-2',
    v5: '2.2.1-6 3.8.4-1 3.8.4-2 3.8.4-5 3.8.4-6 3.8.4-7 3.9.3-1 3.9.3-2',
  },
  async (at) => {
    const client = await at.client()
    const subscriptions: ISubscription[] = [
      { topic: `${at.topic}/2`, qos: 2 },
      { topic: '$share/g/', qos: 1 },
      { topic: `${at.topic}/0`, qos: 0 },
      { topic: `${at.topic}/a/#`, qos: 1 },
    ]
    // A filter that cannot be is refused by itself here; elsewhere it may end the connection.
    const sent = subscriptions.filter(({ topic }) => !at.target.lenient || !/^\$/.test(topic))
    client.send({ cmd: 'subscribe', messageId: 0x1234, subscriptions: sent })
    const { messageId, granted } = await client.next('suback')
    expect(messageId).toBe(0x1234)
    const codes = [2, at.five ? 0x8f : 0x80, 0, 1]
    expect(granted).toEqual(at.target.lenient ? [2, 0, 1] : codes)
    for (const [level, qos] of [
      ['2', 2],
      ['0', 0],
      ['a/b', 1],
    ] as const) {
      await client.publish(`${at.topic}/${level}`, 'x', { qos: 2 })
      expect(await client.message()).toMatchObject({ topic: `${at.topic}/${level}`, qos })
    }
  },
)

proves(
  'no filter, or an identifier of 0, ends the connection',
  { v311: '2.3.1-1 3.8.3-3 3.10.3-2 4.8.0-1', v5: '2.2.1-3 3.8.3-2 3.10.3-2 4.13.1-1' },
  async (at) => {
    const none = at.five ? '00' : ''
    const length = at.five ? '03' : '02'
    const wrong = [`82${length}0001${none}`, `a2${length}0001${none}`]
    const filters = { subscribe: '00017801', unsubscribe: '000178' }
    const size = (fields: string) => `0${(4 + none.length + fields.length) / 2}`
    wrong.push(`82${size(filters.subscribe)}0000${none}${filters.subscribe}`)
    wrong.push(`a2${size(filters.unsubscribe)}0000${none}${filters.unsubscribe}`)
    for (const bytes of wrong) {
      const client = await at.client()
      client.write(bytes)
      await at.ends(client, 0x81, 0x82)
    }
  },
)

proves(
  'reserved bits and QoS 3 beside a filter end the connection',
  { v311: '3.8.3-4', v5: '3.8.3-5 2.1.3-1' },
  async (at) => {
    // Retain handling 3 among them.
    for (const options of at.five ? [0x03, 0x40, 0x80, 0x30] : [0x03, 0x04, 0x08, 0x10, 0x80]) {
      const client = await at.client()
      const subscriptions: ISubscription[] = [{ topic: at.topic, qos: 0 }]
      const bytes = at.bytes({ cmd: 'subscribe', messageId: 1, subscriptions })
      bytes[bytes.length - 1] = options
      client.write(bytes)
      await at.ends(client, 0x81, 0x82)
    }
  },
)

proves(
  'the same filter again replaces the subscription',
  { v311: '3.8.4-3', v5: '3.8.4-3' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(topic, 2)
      await client.subscribe(topic, 1)
      await client.publish(topic, 'x', { qos: 2 })
      expect(await client.message()).toMatchObject({ qos: 1 })
      expect(await client.settled()).toEqual([])
    }
  },
)

proves(
  'the same filter again gets what is retained again, and loses nothing',
  { v311: '3.8.4-3', v5: '3.8.4-4 3.3.1-9' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.publish(topic, 'kept', { retain: true, qos: 1 })
      await client.subscribe(topic, 1)
      expect(await client.message()).toMatchObject({ retain: true })
      const sender = await at.client()
      for (const word of ['a', 'b', 'c']) sender.sendPublish(topic, word, { qos: 1 })
      expect(await client.subscribe(topic, 1)).toEqual([1])
      const heard = []
      while (heard.length < 4) heard.push(await client.message())
      expect(heard.filter(({ retain }) => retain)).toHaveLength(1)
      const words = heard.filter(({ retain }) => !retain).map(({ payload }) => payload.toString())
      expect(words).toEqual(['a', 'b', 'c'])
    }
  },
)

proves(
  'a message goes out with the lower of its QoS and the one granted',
  { v311: '3.8.4-6', v5: '3.8.4-8' },
  async (at) => {
    for (const topic of at.topics) {
      for (const granted of [0, 1, 2] as const) {
        const client = await at.client()
        await client.subscribe(topic, granted)
        for (const qos of [0, 1, 2] as const) {
          await client.publish(topic, 'x', { qos })
          expect((await client.message()).qos).toBe(Math.min(qos, granted))
        }
      }
    }
  },
)

proves(
  'where subscriptions overlap, the highest QoS of those that match holds',
  { v311: '3.3.2-3 3.3.5-1', v5: '3.3.2-3 3.3.4-2' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe([
        { topic: `${topic}/#`, qos: 1 },
        { topic: `${topic}/+`, qos: 0 },
        { topic: `${topic}/a`, qos: 2 },
        { topic: `${topic}/b`, qos: 0 },
      ])
      await client.publish(`${topic}/a`, 'x', { qos: 2 })
      expect(await client.message()).toMatchObject({ topic: `${topic}/a`, qos: 2 })
      await client.publish(`${topic}/b`, 'x', { qos: 2 })
      expect(await client.message()).toMatchObject({ topic: `${topic}/b`, qos: 1 })
      await client.publish(`${topic}/b/c`, 'x', { qos: 2 })
      expect(await client.message()).toMatchObject({ topic: `${topic}/b/c`, qos: 1 })
      expect(await client.settled()).toEqual([])
    }
  },
)

proves(
  'a message carries the identifiers of all subscriptions that it is for',
  { v5: '3.3.4-3 3.3.4-4' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(`${topic}/#`, 1, { subscriptionIdentifier: 1 })
      await client.subscribe(`${topic}/+`, 1, { subscriptionIdentifier: 0x0fffffff })
      await client.subscribe(`${topic}/a`, 1)
      const heard = async () => [(await client.message()).properties?.subscriptionIdentifier].flat()
      await client.publish(`${topic}/a`, 'x', { qos: 1 })
      expect((await heard()).toSorted()).toEqual([1, 0x0fffffff])
      await client.publish(`${topic}/a/b`, 'x', { qos: 1 })
      expect(await heard()).toEqual([1])
      expect(await client.settled()).toEqual([])
    }
  },
)

proves(
  'subscription identifiers of 0, and from a publisher, are protocol errors',
  { v5: '3.3.4-6 4.13.1-1' },
  async (at) => {
    const zero = await at.client()
    const subscriptions: ISubscription[] = [{ topic: at.topic, qos: 0 }]
    const properties = { subscriptionIdentifier: 1 }
    const bytes = at.bytes({ cmd: 'subscribe', messageId: 1, subscriptions, properties })
    bytes[bytes.indexOf('0b01', 'hex') + 1] = 0
    zero.write(bytes)
    await at.ends(zero, 0x81, 0x82)
    const publisher = await at.client()
    publisher.sendPublish(at.topic, 'x', { properties })
    await at.ends(publisher, 0x81, 0x82)
  },
)

proves('no local: its own messages do not come', { v5: '3.8.3-3' }, async (at) => {
  for (const topic of at.topics) {
    const client = await at.client()
    const other = await at.client()
    await client.subscribe([{ topic, qos: 1, nl: true }])
    await client.publish(topic, 'mine', { qos: 1 })
    await other.publish(topic, 'yours', { qos: 1 })
    expect((await client.message()).payload.toString()).toBe('yours')
    expect(await client.settled()).toEqual([])
  }
})

proves('no local on a shared subscription ends the connection', { v5: '3.8.3-4' }, async (at) => {
  const client = await at.client()
  const subscriptions: ISubscription[] = [{ topic: `$share/g/${at.topic}`, qos: 1, nl: true }]
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  await at.ends(client, 0x82)
})

proves(
  'UNSUBSCRIBE takes the very same filter, and is answered with its identifier',
  {
    v311: '2.3.1-7 3.10.4-1 3.10.4-2 3.10.4-4 3.10.4-5 3.10.4-6',
    v5: '2.2.1-6 3.10.4-1 3.10.4-2 3.10.4-4 3.10.4-5 3.10.4-6 3.11.3-1 3.11.3-2',
  },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe([`${topic}/a`, `${topic}/b`, `${topic}/+`].map((one) => filter(one)))
      const unsubscriptions = [`${topic}/a`, `${topic}/c`, `${topic}/+`]
      client.send({ cmd: 'unsubscribe', messageId: 0x4321, unsubscriptions })
      const answer = await client.next('unsuback')
      expect(answer.messageId).toBe(0x4321)
      // MQTT 3.1.1 has no codes here.
      if (at.five) expect(answer.granted).toEqual([0x00, 0x11, 0x00])
      for (const level of ['a', 'c', 'b']) await client.publish(`${topic}/${level}`, level)
      expect((await client.message()).payload.toString()).toBe('b')
      client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [`${topic}/none`] })
      expect(await client.next('unsuback')).toMatchObject({ messageId: 1 })
    }
  },
)

proves(
  'deliveries that have begun go on after UNSUBSCRIBE',
  { v311: '3.10.4-3', v5: '3.10.4-3' },
  async (at) => {
    for (const topic of at.topics) {
      const clientId = at.name()
      const client = await at.client(at.kept(clientId))
      await client.subscribe(topic, 2)
      await client.publish(topic, 'begun', { qos: 2 })
      const { messageId } = await client.next('publish')
      await client.unsubscribe(topic)
      client.reset()
      const back = await at.client(at.kept(clientId))
      expect(await back.message()).toMatchObject({ messageId, dup: true })
      await back.publish(topic, 'new', { qos: 2 })
      expect(await back.settled()).toEqual([])
    }
  },
)

function filter(topic: string): ISubscription {
  return { topic, qos: 0 }
}
