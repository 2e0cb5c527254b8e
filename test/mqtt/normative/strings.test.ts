/** Strings: UTF-8 as it has to be, everywhere one may stand, and passed on as it is. */
import type { IPublishPacket, ISubscription } from 'mqtt-packet'
import { expect } from 'vitest'
import type { ConnectInit } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover()

/** Stands where a string is spoilt. */
const MARK = 'Zq@'

const ILL = {
  'a surrogate': [0xed, 0xa0, 0x80],
  'the other half': [0xed, 0xbf, 0xbf],
  'longer than need be': [0xc1, 0x81, 0x41],
  'cut off': [0x41, 0xe2, 0x82],
  'no first byte': [0x41, 0x80, 0x41],
  'above U+10FFFF': [0x41, 0xf5, 0x80],
}
const NUL = [0x41, 0x00, 0x41]

proves(
  'ill-formed UTF-8 in a topic or filter ends the connection',
  {
    v311: '1.5.3-1 3.3.2-1 3.8.3-1 3.10.3-1 4.8.0-1',
    v5: '1.5.4-1 3.3.2-1 3.8.3-1 3.10.3-1 4.13.1-1',
  },
  async (at) => {
    for (const bytes of Object.values(ILL)) await inTopics(at, bytes)
  },
)

proves(
  'U+0000 in a topic or filter ends the connection',
  { v311: '1.5.3-2 4.7.3-2', v5: '1.5.4-2 4.7.3-2' },
  (at) => inTopics(at, NUL),
)

proves(
  'ill-formed strings in CONNECT end the connection',
  {
    v311: '1.5.3-1 1.5.3-2 3.1.3-4 3.1.3-10 3.1.3-11 3.1.4-1',
    v5: '1.5.4-1 1.5.4-2 3.1.3-4 3.1.3-8 3.1.3-11 3.1.3-12 3.1.4-1',
  },
  async (at) => {
    const topic = `${at.topic}/${MARK}`
    const fields: ConnectInit[] = [
      { clientId: MARK },
      { will: { topic, payload: Buffer.from('x'), qos: 0, retain: false } },
      { username: MARK, password: 'x' },
    ]
    for (const bytes of [...Object.values(ILL), NUL]) {
      for (const init of fields) {
        const client = await at.wrote(spoilt(at.connectBytes(init), bytes))
        await at.refuses(client, undefined, 0x81, 0x82, 0x85)
      }
    }
  },
)

proves(
  'ill-formed strings in properties end the connection',
  { v5: '1.5.4-1 1.5.4-2 1.5.7-1 3.3.2-13 3.3.2-19' },
  async (at) => {
    const all: NonNullable<IPublishPacket['properties']>[] = [
      { contentType: MARK },
      { responseTopic: MARK },
      { userProperties: { [MARK]: 'x' } },
      { userProperties: { x: MARK } },
    ]
    for (const bytes of [...Object.values(ILL), NUL]) {
      for (const properties of all) {
        const client = await at.client()
        const publish = { topic: at.topic, payload: '', qos: 0, dup: false, retain: false } as const
        client.write(spoilt(at.bytes({ cmd: 'publish', ...publish, properties }), bytes))
        await at.ends(client, 0x81, 0x82, 0x90)
      }
    }
  },
)

proves('U+FEFF is a character like others', { v311: '1.5.3-3', v5: '1.5.4-3' }, async (at) => {
  for (const topic of at.topics) {
    const client = await at.client({ clientId: `\ufeff${at.name()}` })
    await client.subscribe([`${topic}/\ufeffa`, `${topic}/a`])
    await client.publish(`${topic}/\ufeffa`, 'x')
    expect((await client.message()).topic).toBe(`${topic}/\ufeffa`)
    await client.publish(`${topic}/a`, 'x')
    expect((await client.message()).topic).toBe(`${topic}/a`)
  }
})

/** Such a string in each packet with topics. */
async function inTopics(at: Site, bytes: number[]): Promise<void> {
  const topic = `${at.topic}/${MARK}`
  const subscriptions: ISubscription[] = [{ topic, qos: 0 }]
  const packets = [
    at.bytes({ cmd: 'publish', topic, payload: '', qos: 0, dup: false, retain: false }),
    at.bytes({ cmd: 'subscribe', messageId: 1, subscriptions }),
    at.bytes({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [topic] }),
  ]
  for (const packet of packets) {
    const client = await at.client()
    client.write(spoilt(packet, bytes))
    await at.ends(client, 0x81, 0x82, 0x8f, 0x90)
  }
}

function spoilt(packet: Buffer, bytes: number[]): Buffer {
  packet.set(bytes, packet.indexOf(MARK))
  return packet
}
