/** MQTT clients in a room whose messages wait while the gateway is busy. */
import { Keep } from '@porthouse/proto/room/v1/history'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Shares } from '../../../gateway/ingress/mqtt/delivery/share.ts'
import { type Guest, Hall } from '../../support/hall.ts'
import { OPEN } from '../../support/memory-store.ts'
import { block, keeping, speak } from '../../support/past.ts'
import { Device } from './device.ts'

const BOILER = 'room:acme/boiler'
const WAITS = block('flushWindow', { milliseconds: 5 })

let hall: Hall
let ann: Guest

beforeEach(async () => {
  hall = new Hall()
  hall.store.room('acme/boiler', OPEN, keeping(Keep.WINDOW), WAITS)
  hall.loop.load.busy = true
  await hall.live.start()
  ann = hall.open('/acme/boiler')
  await hall.settle()
})

afterEach(() => hall.live.stop())

/** Each in a turn of its own. */
async function says(...words: string[]): Promise<void> {
  for (const word of words) {
    speak(ann, `${BOILER}/a`, word)
    await hall.settle()
  }
}

async function elapses(): Promise<void> {
  hall.loop.elapse()
  await hall.settle()
}

test('get them in one write, whichever version and QoS', async () => {
  const plain = await new Device(hall, { version: 4 }).subscribe(hall, 'acme/boiler/#')
  const stamped = new Device(hall, { agreed: { wantsStamps: true } })
  await stamped.subscribe(hall, 'acme/boiler/#')
  const once = await new Device(hall).subscribe(hall, 'acme/boiler/a', { qos: 1 })
  const before = [plain, stamped, once].map(({ written }) => written.length)
  await says('one', 'two')
  expect([plain, stamped, once].map(({ written }) => written.length)).toEqual(before)
  await elapses()
  for (const [i, each] of [plain, stamped, once].entries()) {
    expect(each.written).toHaveLength(before[i]! + 1)
    expect(each.heard().map((line) => line.slice(2))).toEqual([
      'acme/boiler/a one',
      'acme/boiler/a two',
    ])
  }
})

test('take turns in a share, and whoever leaves it has had his', async () => {
  const shares = new Shares()
  const [one, two] = [new Device(hall, { shares }), new Device(hall, { shares })]
  await one.subscribe(hall, '$share/workers/acme/boiler/#')
  await two.subscribe(hall, '$share/workers/acme/boiler/#')
  await says('1', '2')
  one.unsubscribe('$share/workers/acme/boiler/#')
  await says('3')
  await elapses()
  expect(one.heard()).toEqual(['0 acme/boiler/a 1'])
  expect(two.heard()).toEqual(['0 acme/boiler/a 2', '0 acme/boiler/a 3'])
})

test('have them as their own when it is asked what they have had', async () => {
  const one = new Device(hall, { agreed: { sessionExpiry: 60 } })
  await one.subscribe(hall, 'acme/boiler/a', { qos: 1 })
  const { place } = [...one.session.memberships.values()][0]!
  await says('one', 'two')
  // Sent, and not acknowledged.
  expect(one.outbox.positionIn(place)).toBe(0)
  await hall.settle()
  expect(one.heard()).toEqual(['1 acme/boiler/a one', '1 acme/boiler/a two'])
  await says('three')
  expect(one.outbox.unacknowledged()).toHaveLength(3)
})

test('are told the epoch that a message is of, though another has begun', async () => {
  const one = new Device(hall, { agreed: { wantsStamps: true } })
  await one.subscribe(hall, 'acme/boiler/#')
  const { place } = [...one.session.memberships.values()][0]!
  const { epoch } = place
  await says('old')
  hall.store.configure('acme/boiler', OPEN, WAITS)
  await hall.settle()
  const [message] = one.messages()
  expect(place.epoch).not.toBe(epoch)
  expect(message?.properties?.userProperties).toMatchObject({ 'porthouse-epoch': `${epoch}` })
})
