/** MQTT 5: what a message carries beside its payload, and how long it lives. */
import { expect } from 'vitest'
import type { MqttClient } from '../../support/mqtt-client.ts'
import { prover } from './prover.ts'

const proves = prover()

proves(
  'properties are passed on as they are, live and retained and to those who were away',
  { v5: '3.3.2-4 3.3.2-15 3.3.2-16 3.3.2-17 3.3.2-18 3.3.2-20' },
  async (at) => {
    for (const topic of at.topics) {
      const properties = {
        payloadFormatIndicator: true,
        contentType: 'application/json; charset=utf-8',
        responseTopic: `${topic}/answers`,
        correlationData: Buffer.from([0, 0xff, 0x80, 1]),
        userProperties: { z: ['1', '', '1'], 'a b': 'ü', __proto__x: 'y', constructor: 'z' },
      }
      const away = at.kept(at.name())
      const client = await at.client(away)
      await client.subscribe(topic, 1)
      await told(client, topic, properties)
      client.reset()
      await told(await at.client(), topic, properties)
      const late = await at.client()
      await late.subscribe(topic, 1)
      for (const listener of [await at.client(away), late]) {
        const message = await listener.message()
        const { userProperties, ...rest } = message.properties ?? {}
        expect({ ...rest, userProperties: { ...userProperties } }).toEqual(properties)
        expect(Object.keys(userProperties ?? {})).toEqual(Object.keys(properties.userProperties))
      }
    }

    async function told(client: MqttClient, topic: string, properties: object): Promise<void> {
      await client.publish(topic, '{}', { qos: 1, retain: true, properties })
    }
  },
)

proves('no properties are a length of 0', { v5: '2.2.2-1' }, async (at) => {
  const client = await at.client()
  await client.subscribe(at.topic)
  await client.publish(at.topic, 'x')
  const message = await client.message()
  expect(Object.keys(message.properties ?? {})).toEqual([])
  expect(message.length).toBe(2 + at.topic.length + 1 + 1)
})

proves('a response topic has no wildcard', { v5: '3.3.2-14' }, async (at) => {
  for (const end of ['#', '+']) {
    const client = await at.client()
    client.sendPublish(at.topic, 'x', { properties: { responseTopic: `${at.topic}/${end}` } })
    await at.ends(client, 0x81, 0x82, 0x90)
  }
})

proves('response information is given to those alone who ask', { v5: '3.1.2-28' }, async (at) => {
  for (const properties of [{}, { requestResponseInformation: false }]) {
    const { connack } = await at.enter({ properties })
    expect(connack.properties ?? {}).not.toHaveProperty('responseInformation')
  }
})

proves(
  'what has expired is dropped for those it has not gone out to',
  { v5: '3.3.2-5' },
  async (at) => {
    for (const topic of at.topics) {
      const away = at.kept(at.name())
      const client = await at.client(away)
      await client.subscribe(topic, 1)
      client.reset()
      const sender = await at.client()
      const short = { messageExpiryInterval: 1 }
      await sender.publish(topic, 'short', { qos: 1, retain: true, properties: short })
      await sender.publish(`${topic}/long`, 'long', { qos: 1, retain: true })
      await at.seconds(2)
      const back = await at.client(away)
      expect(await back.settled()).toEqual([])
      const late = await at.client()
      await late.subscribe(`${topic}/#`, 1)
      expect((await late.message()).payload.toString()).toBe('long')
      expect(await late.settled()).toEqual([])
    }
  },
)

proves('the expiry passed on is less by the time waited', { v5: '3.3.2-6' }, async (at) => {
  for (const topic of at.topics) {
    const away = at.kept(at.name())
    const client = await at.client(away)
    await client.subscribe(topic, 1)
    const properties = { messageExpiryInterval: 600 }
    await client.publish(topic, 'x', { qos: 1, properties })
    expect((await client.message()).properties?.messageExpiryInterval).toBe(600)
    client.reset()
    await (await at.client()).publish(topic, 'x', { qos: 1, retain: true, properties })
    await at.seconds(2)
    const late = await at.client()
    await late.subscribe(topic, 1)
    for (const listener of [await at.client(away), late]) {
      const { messageExpiryInterval = 0 } = (await listener.message()).properties ?? {}
      expect(messageExpiryInterval).toBeLessThan(600)
      expect(messageExpiryInterval).toBeGreaterThan(500)
    }
  }
})
