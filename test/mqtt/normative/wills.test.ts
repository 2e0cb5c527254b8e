/** Wills: published when a session ends without a word, and not otherwise. */
import { expect } from 'vitest'
import type { ConnectInit, MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover()

type Will = Partial<NonNullable<ConnectInit['will']>>

proves(
  'the will is published when the connection ends without DISCONNECT, once',
  { v311: '3.1.2-8 3.1.2-9 3.1.2-10', v5: '3.1.2-7 3.1.2-8 3.1.2-9 3.1.2-10' },
  async (at) => {
    for (const topic of at.topics) {
      const watcher = await watching(at, topic)
      const clientId = at.name()
      const client = await at.client({ clientId, will: gone(topic, { qos: 1 }) })
      client.reset()
      expect(await watcher.message()).toMatchObject({ topic, qos: 1, retain: false })
      const again = await at.client({ clientId })
      await again.disconnect()
      await silence(watcher, topic)
    }
  },
)

proves(
  'a protocol error and a takeover publish it, too',
  { v311: '3.1.2-8', v5: '3.1.2-8' },
  async (at) => {
    const watcher = await watching(at, at.topic)
    const wrong = await at.client({ will: gone(at.topic) })
    wrong.write('f000')
    await watcher.message()
    const clientId = at.name()
    await at.client({ clientId, will: gone(at.topic) })
    await at.client({ clientId })
    await watcher.message()
  },
)

proves(
  'DISCONNECT drops it',
  { v311: '3.1.2-10 3.14.4-3', v5: '3.1.2-10 3.14.4-3' },
  async (at) => {
    for (const topic of at.topics) {
      const watcher = await watching(at, topic)
      const client = await at.client({ will: gone(topic) })
      await client.disconnect()
      await silence(watcher, topic)
    }
  },
)

proves('DISCONNECT with 0x04 publishes it', { v5: '3.1.2-8 3.14.2-1' }, async (at) => {
  const watcher = await watching(at, at.topic)
  const client = await at.client({ will: gone(at.topic) })
  client.send({ cmd: 'disconnect', reasonCode: 0x04 })
  await watcher.message()
})

proves('without a will nothing is published at the end', { v311: '3.1.2-12' }, async (at) => {
  const watcher = await watching(at, at.topic)
  const clientId = at.name()
  const client = await at.client({ clientId })
  client.reset()
  await at.client({ clientId })
  await silence(watcher, at.topic)
})

proves(
  'a will without retain is published as not retained',
  { v311: '3.1.2-16', v5: '3.1.2-14' },
  async (at) => {
    const watcher = await watching(at, at.topic)
    const client = await at.client({ will: gone(at.topic) })
    client.reset()
    expect((await watcher.message()).retain).toBe(false)
    await silence(await watching(at, at.topic), at.topic)
  },
)

proves(
  'a will with retain is published as retained',
  { v311: '3.1.2-17', v5: '3.1.2-15' },
  async (at) => {
    for (const topic of at.topics) {
      const watcher = await watching(at, topic)
      const client = await at.client({ will: gone(topic, { retain: true }) })
      client.reset()
      await watcher.message()
      const late = await watching(at, topic)
      expect(await late.message()).toMatchObject({ topic, retain: true })
    }
  },
)

proves('the will waits for its delay', { v5: '3.1.2-8' }, async (at) => {
  const watcher = await watching(at, at.topic)
  const delayed = { properties: { willDelayInterval: 1 } }
  const client = await at.client(at.kept(at.name(), { will: gone(at.topic, delayed) }))
  client.reset()
  await watcher.message()
})

proves('without a session to keep, its delay is none', { v5: '3.1.2-8' }, async (at) => {
  const watcher = await watching(at, at.topic)
  const delayed = { properties: { willDelayInterval: 600 } }
  const client = await at.client({ will: gone(at.topic, delayed) })
  client.reset()
  await watcher.message()
})

proves('a clean start in its place cuts its delay short', { v5: '3.1.2-8' }, async (at) => {
  const watcher = await watching(at, at.topic)
  const delayed = { properties: { willDelayInterval: 600 } }
  const clientId = at.name()
  const client = await at.client(at.kept(clientId, { will: gone(at.topic, delayed) }))
  client.reset()
  await at.client({ clientId, clean: true })
  await watcher.message()
})

proves('who is back in time has no will published', { v5: '3.1.2-8 3.1.3-9' }, async (at) => {
  const watcher = await watching(at, at.topic)
  const delayed = { properties: { willDelayInterval: 600 } }
  const clientId = at.name()
  const client = await at.client(at.kept(clientId, { will: gone(at.topic, delayed) }))
  client.reset()
  const { client: again, connack } = await at.enter(at.kept(clientId))
  expect(connack.sessionPresent).toBe(true)
  await again.disconnect()
  await silence(watcher, at.topic)
})

proves('its properties go with it, in their order', { v5: '3.1.3-10' }, async (at) => {
  for (const topic of at.topics) {
    const watcher = await watching(at, topic)
    const properties = {
      contentType: 'text/plain',
      responseTopic: `${topic}/answers`,
      correlationData: Buffer.from([0, 1, 2]),
      payloadFormatIndicator: true,
      userProperties: { b: ['2', '1'], a: '3' },
    }
    const client = await at.client({ will: gone(topic, { properties }) })
    client.reset()
    const { properties: heard } = await watcher.message()
    expect({ ...heard, userProperties: { ...heard?.userProperties } }).toEqual(properties)
    expect(Object.keys(heard?.userProperties ?? {})).toEqual(['b', 'a'])
  }
})

function gone(topic: string, more: Will = {}): NonNullable<ConnectInit['will']> {
  return { topic, payload: Buffer.from('gone'), qos: 0, retain: false, ...more }
}

async function watching(at: Site, topic: string): Promise<MqttClient> {
  const watcher = await at.client()
  await watcher.subscribe(topic, 2)
  return watcher
}

/** Nothing came before what it publishes itself now. */
async function silence(watcher: MqttClient, topic: string): Promise<void> {
  await watcher.publish(topic, 'nothing came')
  expect((await watcher.message()).payload.toString()).toBe('nothing came')
}
