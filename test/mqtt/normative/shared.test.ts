/** MQTT 5: shared subscriptions. */
import { expect } from 'vitest'
import type { MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover()

proves(
  'each message goes to one member of a share, with at most the QoS granted to it',
  { v5: '4.8.2-1 4.8.2-3' },
  async (at) => {
    for (const topic of at.topics) {
      const members = [await at.client(), await at.client()]
      for (const member of members) {
        expect(await member.subscribe(`$share/workers/${topic}`, 1)).toEqual([1])
      }
      const alone = await at.client()
      await alone.subscribe(topic, 2)
      const sender = await at.client()
      for (let i = 0; i < 10; i++) await sender.publish(topic, `${i}`, { qos: 2 })
      const heard: string[] = []
      for (const member of members) {
        for (const packet of await member.settled()) {
          expect(packet).toMatchObject({ cmd: 'publish', qos: 1, topic })
          heard.push(`${(packet as { payload: Buffer }).payload}`)
        }
      }
      expect(heard.map(Number).toSorted((a, b) => a - b)).toEqual([...Array(10).keys()])
      for (let i = 0; i < 10; i++) expect(`${(await alone.message()).payload}`).toBe(`${i}`)
    }
  },
)

proves(
  'a share has a name, without wildcards, and a filter',
  { v5: '4.8.2-1 4.8.2-2' },
  async (at) => {
    const wrong = ['$share//', '$share/a+/', '$share/#/', '$share/a#b/'].map(
      (one) => one + at.topic,
    )
    for (const topic of [...wrong, '$share/name', '$share/name/']) {
      const client = await at.client()
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
      const answer = await client.next().catch(() => undefined)
      if (answer?.cmd === 'suback') expect(answer.granted).toEqual([0x8f])
      else if (answer) expect(answer).toMatchObject({ cmd: 'disconnect' })
    }
  },
)

proves('QoS 2 that has begun with a member goes on with it', { v5: '4.8.2-4' }, async (at) => {
  for (const topic of at.topics) {
    const share = await shareOfTwo(at, topic)
    const { chosen, other, id, messageId } = share
    chosen.reset()
    expect(await other.settled()).toEqual([])
    const back = await at.client(at.kept(id))
    expect(await back.next('publish')).toMatchObject({ messageId, dup: true })
    back.send({ cmd: 'pubrec', messageId })
    expect(await back.next('pubrel')).toMatchObject({ messageId })
    back.send({ cmd: 'pubcomp', messageId })
    expect(await other.settled()).toEqual([])
  }
})

proves('where its session ends instead, nobody else gets it', { v5: '4.8.2-5' }, async (at) => {
  for (const topic of at.topics) {
    const { chosen, other, id } = await shareOfTwo(at, topic)
    chosen.reset()
    const clean = await at.client({ clientId: id })
    expect(await clean.settled()).toEqual([])
    expect(await other.settled()).toEqual([])
  }
})

proves('what a member refuses goes to nobody else', { v5: '4.8.2-6' }, async (at) => {
  for (const topic of at.topics) {
    const { chosen, other, messageId } = await shareOfTwo(at, topic)
    chosen.send({ cmd: 'pubrec', messageId, reasonCode: 0x83 })
    expect(await chosen.settled()).toEqual([])
    expect(await other.settled()).toEqual([])
  }
})

/** Two members of a share, one of which has just got a message of QoS 2. */
async function shareOfTwo(at: Site, topic: string) {
  const ids = [at.name(), at.name()]
  const members: MqttClient[] = []
  for (const id of ids) {
    const member = await at.client(at.kept(id))
    await member.subscribe(`$share/${at.name()[0]}${ids[0]}/${topic}`, 2)
    members.push(member)
  }
  await (await at.client()).publish(topic, 'x', { qos: 2 })
  const got = members.map(async (member, i) => ({ i, packet: await member.next('publish') }))
  const { i, packet } = await Promise.race(got)
  const chosen = members[i] as MqttClient
  const other = members[1 - i] as MqttClient
  // Its turn to wait ends with it.
  got[1 - i]?.catch(() => undefined)
  return { chosen, other, id: ids[i] as string, messageId: packet.messageId as number }
}
