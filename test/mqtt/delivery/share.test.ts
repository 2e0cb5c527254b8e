/** Shared subscriptions: each message to one of those who share it (MQTT 5 section 4.8.2). */
import { Code } from '@porthouse/proto/v1/code'
import { beforeEach, describe, expect, test } from 'vitest'
import { Shares } from '../../../gateway/ingress/mqtt/delivery/share.ts'
import { text } from '../../support/client-frames.ts'
import { type Guest, Hall } from '../../support/hall.ts'
import { OPEN } from '../../support/memory-store.ts'
import { Device, type DeviceOptions } from './device.ts'

const SHOP = 'room:acme/shop'
const TOPIC = '$share/crew/acme/shop/#'

let hall: Hall
let ann: Guest
let shares: Shares

beforeEach(async () => {
  hall = new Hall()
  const groups = [
    { name: 'staff', open: true },
    { name: 'board', clients: [] },
  ]
  hall.store.room('acme/shop', OPEN, { case: 'groups', value: { groups } } as never)
  hall.store.room('acme/kept', OPEN, { case: 'retained', value: {} as never })
  ann = hall.open('/acme/shop')
  shares = new Shares()
  await hall.settle()
})

const device = (options: DeviceOptions = {}) => new Device(hall, { shares, ...options })

/** So many who share a subscription. */
async function crew(count: number, qos: 0 | 1 | 2, topic = TOPIC, options?: DeviceOptions) {
  const all: Device[] = []
  for (let i = 0; i < count; i++) all.push(await device(options).subscribe(hall, topic, { qos }))
  return all
}

async function says(...words: string[]): Promise<void> {
  for (const word of words) ann.say(text(0, word, { to: [`${SHOP}/a`], receipt: 0 }))
  await hall.settle()
}

const words = (one: Device) => one.messages().map(({ payload }) => `${payload}`)

describe.each([0, 1, 2] as const)('QoS %i', (qos) => {
  test('goes around among those who share it', async () => {
    const all = await crew(3, qos)
    await says('1', '2', '3', '4', '5', '6')
    expect(all.map(words)).toEqual([
      ['1', '4'],
      ['2', '5'],
      ['3', '6'],
    ])
  })

  test('goes to each share, and to those who share nothing', async () => {
    const [one] = await crew(1, qos)
    const [two] = await crew(1, qos, '$share/crew/acme/shop/a')
    const [three] = await crew(1, qos, '$share/other/acme/shop/#')
    const alone = await device().subscribe(hall, 'acme/shop/#')
    await says('1')
    for (const each of [one!, two!, three!, alone]) expect(words(each)).toEqual(['1'])
  })
})

test('a subscriber gets it at the QoS that it was granted, with its own identifier', async () => {
  const one = await device().subscribe(hall, TOPIC, { qos: 2, identifier: 4 })
  const two = await device({ version: 4 }).subscribe(hall, TOPIC, { qos: 0 })
  await says('1', '2')
  const [packet] = one.messages()
  expect(packet).toMatchObject({ qos: 2, properties: { subscriptionIdentifier: 4 } })
  expect(two.heard()).toEqual(['0 acme/shop/a 2'])
})

test('a subscription of its own beside it brings all a second time', async () => {
  const one = await device().subscribe(hall, TOPIC)
  await one.subscribe(hall, 'acme/shop/a')
  await says('1')
  expect(words(one)).toEqual(['1', '1'])
})

test('one who has no room is passed over as long as another one has', async () => {
  const full = await device({ options: { inflight: 1 } }).subscribe(hall, TOPIC, { qos: 1 })
  const [free] = await crew(1, 1)
  await says('1', '2', '3', '4')
  expect(words(full)).toEqual(['1'])
  expect(words(free!)).toEqual(['2', '3', '4'])
})

test('where all are full it waits for one of them', async () => {
  const all = await crew(2, 1, TOPIC, { options: { inflight: 1 } })
  await says('1', '2', '3', '4')
  expect(all.map(words)).toEqual([['1'], ['2']])
  for (const each of all) each.acknowledge('puback', 1)
  await hall.settle()
  expect(all.flatMap(words).toSorted()).toEqual(['3', '4'])
})

describe('one who goes', () => {
  test('leaves what it has not acknowledged, and what waited for it, to others', async () => {
    const gone = await device({ options: { inflight: 1 } }).subscribe(hall, TOPIC, { qos: 1 })
    await says('1', '2', '3')
    const [heir] = await crew(1, 1)
    expect(words(gone)).toEqual(['1'])
    gone.vanish()
    await hall.settle()
    expect(words(heir!)).toEqual(['1', '2', '3'])
    expect(gone.outbox.unacknowledged()).toEqual([])
  })

  test('takes along a QoS 2 that has begun, and no other', async () => {
    const gone = await device({
      options: { inflight: 1 },
      agreed: { sessionExpiry: 60 },
    }).subscribe(hall, TOPIC, { qos: 2 })
    await says('1', '2')
    const [heir] = await crew(1, 2)
    gone.vanish()
    await hall.settle()
    expect(words(heir!)).toEqual(['2'])
    expect(gone.outbox.unacknowledged().map(({ messageId }) => messageId)).toEqual([1])
  })

  test('gives away nothing that was acknowledged, or refused', async () => {
    const gone = await device().subscribe(hall, TOPIC, { qos: 1 })
    await says('1', '2')
    const [heir] = await crew(1, 1)
    gone.acknowledge('puback', 1)
    gone.acknowledge('puback', 2, 0x80)
    gone.vanish()
    await hall.settle()
    expect(words(heir!)).toEqual([])
  })

  test('keeps what nobody else is there for, where its session is kept', async () => {
    const gone = await device({ agreed: { sessionExpiry: 60 } }).subscribe(hall, TOPIC, { qos: 1 })
    await says('1')
    gone.vanish()
    expect(gone.outbox.unacknowledged()).toMatchObject([{ channel: 'a', qos: 1, messageId: 1 }])
  })

  test('gets nothing any more, nor does the share listen when all have gone', async () => {
    const [one, two] = await crew(2, 0)
    one!.unsubscribe(TOPIC)
    await says('1', '2')
    expect([one!, two!].map(words)).toEqual([[], ['1', '2']])
    const place = two!.session.core.router.graph.place('acme/shop')!
    const hearers = () => place.audiencesOf('a').reduce((sum, { size }) => sum + size, 0)
    const before = hearers()
    two!.unsubscribe(TOPIC)
    expect(hearers()).toBe(before - 1)
  })
})

test('who may not hear a channel any more is given nothing of it', async () => {
  const [one, two] = await crew(2, 1)
  one!.session.memberships.values().next().value!.hears = ['b']
  await says('1', '2')
  expect([one!, two!].map(words)).toEqual([[], ['1', '2']])
})

test('what a room retains is not sent to those who share', async () => {
  ann.say(text(0, 'on', { to: ['room:acme/kept/a'], receipt: 0, retain: true }))
  await hall.settle()
  const [one] = await crew(1, 1, '$share/crew/acme/kept/#')
  expect(words(one!)).toEqual([])
})

describe("a group of the room's config by that name", () => {
  test('has him in it as long as he shares', async () => {
    const [one] = await crew(1, 0, '$share/staff/acme/shop/#')
    await one!.subscribe(hall, '$porthouse/v1/message')
    const group = one!.session.core.router.graph.place('acme/shop')!.groups.get('staff')!
    expect(group.size).toBe(1)
    ann.say(text(0, 'hi', { to: ['group:acme/shop/staff'], receipt: 0 }))
    await hall.settle()
    expect(one!.messages().map(({ topic }) => topic)).toEqual(['$porthouse/v1/message'])
    one!.unsubscribe('$share/staff/acme/shop/#')
    expect(group.size).toBe(0)
  })

  test('that is not open is not shared', async () => {
    await expect(crew(1, 0, '$share/board/acme/shop/#')).rejects.toMatchObject({
      code: Code.ENTRY_NOT_PERMITTED,
    })
  })
})

test('a hundred frozen ones do not keep it from one who reads', async () => {
  const frozen = await crew(100, 1, TOPIC, { options: { inflight: 1 } })
  await says(...Array.from({ length: 100 }, (_, i) => `first ${i}`))
  for (const each of frozen) each.take()
  const [reader] = await crew(1, 1)
  for (let i = 0; i < 50; i++) {
    await says(`${i}`)
    const [packet] = reader!.messages()
    expect(`${packet?.payload}`).toBe(`${i}`)
    reader!.acknowledge('puback', packet!.messageId!)
  }
})
