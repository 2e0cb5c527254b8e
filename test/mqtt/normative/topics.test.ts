/** Topics and filters: what is none, and what matches what. */
import type { ISubscription } from 'mqtt-packet'
import { expect } from 'vitest'
import type { MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover()

proves(
  'a topic with wildcards, or without a character, ends the connection',
  { v311: '3.3.2-2 4.7.1-1 4.7.3-1', v5: '3.3.2-2 4.7.0-1 4.7.3-1' },
  async (at) => {
    for (const topic of [`${at.topic}/#`, `${at.topic}/+`, '#', `${at.topic}/a+b`, '']) {
      const client = await at.client()
      // The packet library would not write it.
      const bytes = at.bytes({
        cmd: 'publish',
        topic: topic.replaceAll('#', '~').replaceAll('+', '^') || 'z',
        payload: '',
        qos: 0,
        dup: false,
        retain: false,
      })
      const written = bytes.toString('latin1').replaceAll('~', '#').replaceAll('^', '+')
      const none = at.five ? '3003000000' : '30020000'
      client.write(topic === '' ? none : Buffer.from(written, 'latin1'))
      await at.ends(client, 0x81, 0x82, 0x90)
    }
  },
)

proves(
  'a will topic with wildcards refuses the connection',
  { v311: '4.7.1-1', v5: '4.7.0-1' },
  async (at) => {
    for (const end of ['#', '+', 'a+']) {
      const topic = `${at.topic}/${end}`
      const will = { topic, payload: Buffer.from('x'), qos: 0 as const, retain: false }
      await at.refuses(await at.wrote(at.connectBytes({ will })), undefined, 0x81, 0x82, 0x90)
    }
  },
)

proves(
  '# and + are whole levels, and # is the last one',
  { v311: '4.7.1-2 4.7.1-3', v5: '4.7.1-1 4.7.1-2' },
  async (at) => {
    const wrong = [`${at.topic}#`, `${at.topic}/#/b`, `${at.topic}/a+`, `${at.topic}/+a/b`]
    for (const filter of [...wrong, `${at.topic}/##`]) await declines(at, filter)
    const client = await at.client()
    expect(await client.subscribe([`${at.topic}/#`, `${at.topic}/+/b`], 1)).toEqual([1, 1])
  },
)

proves(
  'wildcards match levels as they should',
  { v311: '4.7.1-2 4.7.1-3 3.3.2-3', v5: '4.7.1-1 4.7.1-2 3.3.2-3' },
  async (at) => {
    for (const topic of at.topics) {
      const heard = async (filter: string) => {
        const client = await at.client()
        await client.subscribe([filter, `${topic}-end`])
        for (const end of ['', '/a', '/a/b', '/a/b/c', '/b']) client.sendPublish(topic + end, end)
        client.sendPublish(`${topic}x/a`, 'else')
        return heardUntil(client, `${topic}-end`)
      }
      const topics = (...ends: string[]) => ends.map((end) => topic + end)
      expect(await heard(`${topic}/#`)).toEqual(topics('', '/a', '/a/b', '/a/b/c', '/b'))
      expect(await heard(`${topic}/+`)).toEqual(topics('/a', '/b'))
      expect(await heard(`${topic}/+/b`)).toEqual(topics('/a/b'))
      expect(await heard(`${topic}/a/#`)).toEqual(topics('/a', '/a/b', '/a/b/c'))
      expect(await heard(`${topic}/+/b/#`)).toEqual(topics('/a/b', '/a/b/c'))
      expect(await heard(topic)).toEqual(topics(''))
    }
  },
)

proves(
  'a filter that begins with a wildcard hears nothing of topics that begin with $',
  { v311: '4.7.2-1', v5: '4.7.2-1' },
  async (at) => {
    const watcher = await at.client()
    const [, room, channel] = at.topic.split('/')
    // Refused or not: nothing comes.
    for (const filter of ['#', `+/${room}/${channel}`, '+/#']) await watcher.subscribe(filter)
    const sender = await at.client()
    sender.sendPublish(`$acme/${room}/${channel}`, 'x')
    sender.sendPublish('$SYS/broker/uptime', 'x')
    sender.send({ cmd: 'pingreq' })
    await Promise.race([sender.ended, sender.next('pingresp')]).catch(() => undefined)
    expect((await watcher.settled()).filter(({ cmd }) => cmd === 'publish')).toEqual([])
  },
)

proves('an empty filter is none', { v311: '4.7.3-1', v5: '4.7.3-1' }, async (at) => {
  for (const bytes of at.five
    ? ['82060001000000 00', 'a205000100 0000']
    : ['8205000100 0000', 'a20400010000']) {
    const client = await at.client()
    client.write(bytes)
    await at.ends(client, 0x81, 0x82, 0x8f)
  }
})

proves(
  'a topic as long as it can be harms nobody, and a longer one cannot be',
  { v311: '4.7.3-3', v5: '4.7.3-3' },
  async (at) => {
    const long = `${at.topic}/${'x'.repeat(0xffff - at.topic.length - 1)}`
    const client = await at.client()
    client.sendPublish(long, 'x', { qos: 1 })
    const subscriber = await at.client()
    await subscriber.subscribe(long).catch(() => [])
    const deep = await at.client()
    deep.sendPublish(at.topic + '/x'.repeat(5000), 'x', { qos: 1 })
    await Promise.race([client.ended, client.next('puback')]).catch(() => undefined)
    await Promise.race([deep.ended, deep.next('puback')]).catch(() => undefined)
    expect(await (await at.client()).settled()).toEqual([])
  },
)

proves('topics are compared as they are', { v311: '4.7.3-4', v5: '4.7.3-4' }, async (at) => {
  for (const topic of at.topics) {
    const client = await at.client()
    await client.subscribe([`${topic}/Grad °C`, `${topic}-end`])
    for (const end of ['grad °C', 'Grad  °C', 'Grad °c', 'Grad °C ', 'Grad ºC', 'Grad °C']) {
      client.sendPublish(`${topic}/${end}`, end)
    }
    expect(await heardUntil(client, `${topic}-end`)).toEqual([`${topic}/Grad °C`])
  }
})

/** Topics that it hears before that one, to which it publishes last. */
async function heardUntil(client: MqttClient, end: string): Promise<string[]> {
  client.sendPublish(end, 'end')
  const topics: string[] = []
  for (;;) {
    const { topic } = await client.message()
    if (topic === end) return topics
    topics.push(topic)
  }
}

/** A filter is refused in SUBACK, or with it the connection. */
async function declines(at: Site, topic: string): Promise<void> {
  const client = await at.client()
  const subscriptions: ISubscription[] = [{ topic, qos: 0 }]
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  const answer = await client.next().catch(() => undefined)
  if (answer?.cmd === 'suback') expect(answer.granted).toEqual([at.five ? 0x8f : 0x80])
  else if (answer) expect(answer).toMatchObject({ cmd: 'disconnect' })
}
