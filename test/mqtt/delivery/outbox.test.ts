/** What one MQTT client gets of a room, by what it has subscribed to and agreed. */
import { fromBinary } from '@bufbuild/protobuf'
import { Quality } from '@porthouse/proto/v1/envelope'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import type { IPublishPacket } from 'mqtt-packet'
import { beforeEach, describe, expect, test } from 'vitest'
import { envelopeOf } from '../../../gateway/ingress/mqtt/mapping/publish.ts'
import { text } from '../../support/client-frames.ts'
import { type Guest, Hall } from '../../support/hall.ts'
import { OPEN } from '../../support/memory-store.ts'
import { Device, type DeviceOptions, sizeOfPacket } from './device.ts'

const BOILER = 'room:acme/boiler'

let hall: Hall
let ann: Guest

beforeEach(async () => {
  hall = new Hall()
  hall.store.room('acme/boiler', OPEN)
  hall.store.room('acme/kept', OPEN, { case: 'retained', value: {} as never })
  ann = hall.open('/acme/boiler')
  await hall.settle()
})

const device = (options?: DeviceOptions) => new Device(hall, options)

/** Sends texts to channels, `` for the room itself. */
async function says(...all: [channel: string, word: string, rest?: object][]): Promise<void> {
  for (const [channel, word, rest = {}] of all) {
    const to = [channel === '' ? BOILER : `${BOILER}/${channel}`]
    ann.say(text(0, word, { to, receipt: 0 }, rest))
  }
  await hall.settle()
}

describe('QoS 0', () => {
  test('is written once for all who hear the same', async () => {
    const all = await Promise.all(
      [4, 4, 5, 5].map((version) =>
        device({ version: version as 4 | 5 }).subscribe(hall, 'acme/boiler/#'),
      ),
    )
    await says(['a', 'one'], ['', 'two'])
    const [one, two, three, four] = all.map(({ written }) => written.at(-1)!)
    expect(one!.buffer).toBe(two!.buffer)
    expect(one!.byteOffset).toBe(two!.byteOffset)
    expect(three!.byteOffset).toBe(four!.byteOffset)
    for (const each of all) {
      expect(each.heard()).toEqual(['0 acme/boiler/a one', '0 acme/boiler two'])
    }
  })

  test('goes to the topics that were subscribed to, and to no other', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/a')
    await one.subscribe(hall, 'acme/boiler/b/+')
    await says(['a', '1'], ['a/x', '2'], ['', '3'], ['b/x', '4'], ['b', '5'])
    expect(one.heard()).toEqual(['0 acme/boiler/a 1', '0 acme/boiler/b/x 4'])
  })

  test('does not bring what a session hears by a Join alone', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/a')
    const member = one.session.memberships.values().next().value!
    member.place.listen(member, '')
    await says(['a', '1'], ['b', '2'])
    expect(one.heard()).toEqual(['0 acme/boiler/a 1'])
  })

  test('comes once where subscriptions overlap', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/a')
    await one.subscribe(hall, 'acme/boiler/#')
    await says(['a', '1'])
    expect(one.heard()).toEqual(['0 acme/boiler/a 1'])
  })

  test('is not sent before CONNACK', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/a')
    one.state = 'connecting'
    await says(['a', '1'])
    expect(one.take()).toEqual([])
  })
})

describe('QoS', () => {
  test('is the highest that was granted, and at most what it was published with', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/a', { qos: 1 })
    await one.subscribe(hall, 'acme/boiler/#', { qos: 2 })
    const quality = (value: Quality) => ({ quality: value })
    await says(
      ['a', '1'],
      ['a', '2', quality(Quality.AT_MOST_ONCE)],
      ['a', '3', quality(Quality.AT_LEAST_ONCE)],
      ['b', '4', quality(Quality.EXACTLY_ONCE)],
    )
    expect(one.heard()).toEqual([
      '2 acme/boiler/a 1',
      '0 acme/boiler/a 2',
      '1 acme/boiler/a 3',
      '2 acme/boiler/b 4',
    ])
  })

  test('1 and 2 wait for CONNACK', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/a', { qos: 1 })
    one.state = 'connecting'
    await says(['a', '1'])
    expect(one.take()).toEqual([])
    one.state = 'connected'
    one.send({ cmd: 'pingresp' })
    await hall.settle()
    expect(one.take().map(({ cmd }) => cmd)).toEqual(['pingresp', 'publish'])
  })
})

describe('properties', () => {
  const propertiesOf = ([packet]: IPublishPacket[]) => packet!.properties

  test('hold the identifiers of all subscriptions that match', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/a', { identifier: 7 })
    await one.subscribe(hall, 'acme/boiler/#', { identifier: 268_435_455, qos: 1 })
    await one.subscribe(hall, 'acme/boiler/b', { identifier: 9 })
    await says(['a', '1'])
    expect(propertiesOf(one.messages())!.subscriptionIdentifier).toEqual([7, 268_435_455])
  })

  test('hold what the envelope has, and the seconds that are left of it', async () => {
    const [live, waits] = [device(), device({ options: { inflight: 1 } })]
    await live.subscribe(hall, 'acme/boiler/a')
    await waits.subscribe(hall, 'acme/boiler/a', { qos: 1 })
    const rest = { expiresAfter: 10, contentType: 'text/plain', headers: { unit: 'K' } }
    await says(['a', '1', rest], ['a', '2', rest], ['a', '3', { expiresAfter: 2 }], ['a', '4'])
    const common = { payloadFormatIndicator: true, contentType: 'text/plain' }
    const userProperties = { unit: 'K' }
    const expected = { ...common, userProperties, messageExpiryInterval: 10 }
    expect(live.messages()[0]!.properties).toEqual(expected)
    hall.now += 3_500
    waits.acknowledge('puback', 1)
    await hall.settle()
    const [, second] = waits.messages()
    expect(second!.properties).toEqual({ ...expected, messageExpiryInterval: 7 })
    // The third has expired while it waited.
    waits.acknowledge('puback', second!.messageId!)
    await hall.settle()
    expect(waits.heard()).toEqual(['1 acme/boiler/a 4'])
  })

  test('hold what the gateway vouches for, where that is wanted', async () => {
    const one = await device({ agreed: { wantsStamps: true } }).subscribe(hall, 'acme/boiler/a')
    await says(['a', '1'])
    expect(propertiesOf(one.messages())!.userProperties).toMatchObject({
      'porthouse-from': ann.session.address,
      'porthouse-sequence': '1',
    })
  })

  test('are none to a client of 3.1.1', async () => {
    const one = await device({ version: 4 }).subscribe(hall, 'acme/boiler/#', { qos: 1 })
    await says(['a', '1', { expiresAfter: 10, headers: { unit: 'K' } }])
    expect(one.heard()).toEqual(['1 acme/boiler/a 1'])
  })
})

describe('no local', () => {
  test('keeps away what the client has sent itself, unless others want it', async () => {
    const one = await device().subscribe(hall, 'acme/boiler/#', { noLocal: true })
    const other = await device().subscribe(hall, 'acme/boiler/#')
    const own = (word: string, channel: string) => {
      const member = one.session.memberships.values().next().value!
      one.session.core.router.publish(one.session, envelopeTo(member.place.route, channel, word))
    }
    own('1', 'a')
    await hall.settle()
    expect(one.heard()).toEqual([])
    expect(other.heard()).toEqual(['0 acme/boiler/a 1'])
    await one.subscribe(hall, 'acme/boiler/b')
    own('2', 'a')
    own('3', 'b')
    await says(['a', '4'])
    expect(one.heard()).toEqual(['0 acme/boiler/b 3', '0 acme/boiler/a 4'])
  })
})

describe('RETAIN', () => {
  test('is of the last values that a new subscription gets', async () => {
    ann.say(text(0, 'on', { to: ['room:acme/kept/valve'], receipt: 0, retain: true }))
    await hall.settle()
    const one = await device().subscribe(hall, 'acme/kept/+', { qos: 1 })
    expect(one.heard()).toEqual(['1 acme/kept/valve on retain'])
    const two = await device().subscribe(hall, 'acme/kept/+', { retainHandling: 2 })
    expect(two.heard()).toEqual([])
  })

  test('is passed on to those alone who want it as published', async () => {
    const one = await device().subscribe(hall, 'acme/kept/#', { retainAsPublished: true })
    const two = await device().subscribe(hall, 'acme/kept/#')
    for (const retain of [true, false]) {
      ann.say(text(0, 'on', { to: ['room:acme/kept/valve'], receipt: 0, retain }))
    }
    await hall.settle()
    expect(one.heard()).toEqual(['0 acme/kept/valve on retain', '0 acme/kept/valve on'])
    expect(two.heard()).toEqual(['0 acme/kept/valve on', '0 acme/kept/valve on'])
  })
})

describe('the largest packet that a client takes', () => {
  test.each([0, 1, 2] as const)(
    'is not passed, QoS %i; what is larger is done with',
    async (qos) => {
      const fits = { cmd: 'publish', topic: 'acme/boiler/a', payload: '12345', qos } as const
      const properties = { payloadFormatIndicator: true }
      const packet = { ...fits, messageId: 1, dup: false, retain: false, properties }
      const packetBytes = sizeOfPacket(packet as IPublishPacket)
      const one = await device({ packetBytes }).subscribe(hall, 'acme/boiler/#', {
        qos,
      })
      await says(['a', '12345'], ['a', '123456'], ['a', '1234'])
      expect(one.heard()).toEqual([`${qos} acme/boiler/a 12345`, `${qos} acme/boiler/a 1234`])
      expect(one.outbox.unacknowledged()).toEqual([])
    },
  )
})

describe('topic aliases', () => {
  const aliasesOf = (packets: IPublishPacket[]) =>
    packets.map(({ topic, properties }) => [topic, properties?.topicAlias])

  test('stand for topics that come again, as many as were agreed', async () => {
    const one = device({ agreed: { topicAliases: 1 } })
    await one.subscribe(hall, 'acme/boiler/#')
    await says(['a', '1'], ['a', '2'], ['a', '3'], ['b', '4'], ['b', '5'], ['a', '6'])
    expect(aliasesOf(one.messages())).toEqual([
      ['acme/boiler/a', undefined],
      ['acme/boiler/a', 1],
      ['', 1],
      ['acme/boiler/b', undefined],
      ['acme/boiler/b', undefined],
      ['', 1],
    ])
  })

  test('are set by no message that may give way', async () => {
    const one = device({ agreed: { topicAliases: 8 } })
    await one.subscribe(hall, 'acme/boiler/#')
    one.stick()
    for (let i = 0; i < 100; i++) await says(['a', `${i} `.padEnd(4_000, '.')])
    one.unstick()
    await hall.settle()
    await says(['a', 'last'])
    const told = new Map<number, string>()
    for (const { topic, properties } of one.messages()) {
      const alias = properties?.topicAlias
      if (alias === undefined) expect(topic).not.toBe('')
      else if (topic === '') expect(told.get(alias)).toBe('acme/boiler/a')
      else told.set(alias, topic)
    }
  })
})

describe('what is no message of a room', () => {
  test('goes as a Packet to who listens for it', async () => {
    const one = await device().subscribe(hall, '$porthouse/v1/message', { qos: 1 })
    await one.subscribe(hall, 'acme/boiler')
    await one.subscribe(hall, '$porthouse/v1/json/message')
    ann.say(text(0, 'psst', { to: [one.session.address], receipt: 0 }))
    await hall.settle()
    const [packet, json] = one.messages()
    expect(packet).toMatchObject({ topic: '$porthouse/v1/message', qos: 1 })
    const [frame] = fromBinary(PacketSchema, packet!.payload as Buffer).frames
    expect(frame!.body.case).toBe('envelope')
    expect(JSON.parse(`${json!.payload}`).frames[0].envelope.text).toBe('psst')
  })

  test('is lost on who does not', async () => {
    const one = await device().subscribe(hall, 'acme/boiler')
    ann.say(text(0, 'psst', { to: [one.session.address], receipt: 0 }))
    await hall.settle()
    expect(one.take()).toEqual([])
  })
})

function envelopeTo(route: number, channel: string, word: string) {
  return envelopeOf(
    { payload: Buffer.from(word), qos: 0 },
    { route, channel, to: [], key: '', receipt: 0, retain: false },
    hall.core.options.limits,
  )
}
