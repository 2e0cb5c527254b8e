/** RETAIN: the last word of each topic for those who come later. */
import type { ISubscription } from 'mqtt-packet'
import { expect } from 'vitest'
import type { MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover()

proves(
  'who subscribes gets the retained message of each matching topic, with its QoS',
  { v311: '3.3.1-5 3.3.1-6 3.3.1-8', v5: '3.3.1-5 3.3.1-9' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.publish(`${topic}/a`, 'old', kept(2))
      await client.publish(`${topic}/a`, 'one', kept(1))
      await client.publish(`${topic}/b`, 'two', kept(2))
      await client.publish(`${topic}/c/d`, 'else', kept(2))
      const late = await at.client()
      await late.subscribe(`${topic}/+`, 2)
      const heard = [await late.message(), await late.message()]
      heard.sort((a, b) => a.topic.localeCompare(b.topic))
      expect(heard).toMatchObject([
        { topic: `${topic}/a`, payload: Buffer.from('one'), qos: 1, retain: true },
        { topic: `${topic}/b`, payload: Buffer.from('two'), qos: 2, retain: true },
      ])
      expect(await late.settled()).toEqual([])
    }
  },
)

proves(
  'to a subscription that was there RETAIN is 0',
  { v311: '3.3.1-9', v5: '3.3.1-12' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(topic, 1)
      await client.publish(topic, 'x', kept(1))
      expect((await client.message()).retain).toBe(false)
    }
  },
)

proves('retain as published passes RETAIN on as it came', { v5: '3.3.1-13' }, async (at) => {
  for (const topic of at.topics) {
    const client = await at.client()
    await client.subscribe([{ topic, qos: 1, rap: true }])
    await client.publish(topic, 'x', kept(1))
    expect((await client.message()).retain).toBe(true)
    await client.publish(topic, 'x', { qos: 1 })
    expect((await client.message()).retain).toBe(false)
  }
})

proves(
  'an empty message with RETAIN is passed on, is not retained, and takes the value away',
  { v311: '3.3.1-10 3.3.1-11', v5: '3.3.1-6 3.3.1-7' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.subscribe(topic, 1)
      await client.publish(topic, 'x', kept(1))
      await client.publish(topic, '', kept(1))
      expect((await client.message()).payload.toString()).toBe('x')
      expect((await client.message()).payload).toHaveLength(0)
      await nothingRetained(at, topic)
    }
  },
)

proves(
  'without RETAIN the retained message stays as it is',
  { v311: '3.3.1-12', v5: '3.3.1-8' },
  async (at) => {
    for (const topic of at.topics) {
      const client = await at.client()
      await client.publish(`${topic}/none`, 'passing', { qos: 1 })
      await nothingRetained(at, `${topic}/none`)
      await client.publish(topic, 'stays', kept(1))
      await client.publish(topic, 'passing', { qos: 1 })
      await client.publish(topic, '', { qos: 1 })
      expect(await retainedOf(at, topic)).toBe('stays')
    }
  },
)

proves('RETAIN at QoS 0 takes the place of what was there', { v311: '3.3.1-7' }, async (at) => {
  for (const topic of at.topics) {
    const client = await at.client()
    await client.subscribe(topic)
    await client.publish(topic, 'before', kept(1))
    client.sendPublish(topic, 'after', kept(0))
    await client.message()
    await client.message()
    expect(await retainedOf(at, topic)).toBe('after')
  }
})

proves(
  'retain handling says which SUBSCRIBE gets what is retained',
  { v5: '3.3.1-9 3.3.1-10 3.3.1-11' },
  async (at) => {
    for (const topic of at.topics) {
      const sender = await at.client()
      await sender.publish(topic, 'x', kept(1))
      const always = await at.client()
      expect(await handled(always, { topic, qos: 1, rh: 0 })).toBe(1)
      expect(await handled(always, { topic, qos: 1, rh: 0 })).toBe(1)
      const once = await at.client()
      expect(await handled(once, { topic, qos: 1, rh: 1 })).toBe(1)
      expect(await handled(once, { topic, qos: 1, rh: 1 })).toBe(0)
      await once.unsubscribe(topic)
      expect(await handled(once, { topic, qos: 1, rh: 1 })).toBe(1)
      const never = await at.client()
      expect(await handled(never, { topic, qos: 1, rh: 2 })).toBe(0)
    }
  },
)

function kept(qos: 0 | 1 | 2) {
  return { qos, retain: true }
}

async function retainedOf(at: Site, topic: string): Promise<string> {
  const late = await at.client()
  await late.subscribe(topic, 2)
  const { retain, payload } = await late.message()
  expect(retain).toBe(true)
  return payload.toString()
}

async function nothingRetained(at: Site, topic: string): Promise<void> {
  const late = await at.client()
  await late.subscribe(topic, 2)
  await late.publish(topic, 'nothing was there', { qos: 1 })
  expect((await late.message()).payload.toString()).toBe('nothing was there')
}

/** How many messages come of a subscription before the next live one. */
async function handled(client: MqttClient, subscription: ISubscription): Promise<number> {
  await client.subscribe([subscription])
  await client.publish(subscription.topic, 'live', { qos: 1 })
  for (let count = 0; ; count++) {
    const { payload, retain } = await client.message()
    if (payload.toString() === 'live') return count
    expect(retain).toBe(true)
  }
}
