/** What a room keeps comes once, in order, and before what is live (R36, R37, R43). */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type FrameInit, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { envelopes, textOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { position, roomFrame, told } from '../support/told.ts'

const BOARD = 'room:acme/board'
const STORED = { receipt: ReceiptLevel.STORED }

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  hall = new Hall()
  hall.store.room('acme/board', OPEN, keeping(Keep.DURABLE))
  hall.store.room('acme/recent', OPEN, keeping(Keep.WINDOW))
  hall.store.room('acme/moment', OPEN)
})
afterEach(() => {
  vi.useRealTimers()
})

function keeping(keep: Keep, window?: object): Block['kind'] {
  return { case: 'history', value: { keep, ...(window && { window }) } as never }
}

function joinFrom(id: number, address: string, backlog: object): FrameInit {
  return roomFrame(id, 'join', { address, backlog })
}

function since(sequence: number, epoch = 0): object {
  return { case: 'after', value: position(sequence, epoch) }
}

function fetchFrame(id: number, address: string, asked: object): FrameInit {
  return roomFrame(id, 'fetch', { address, ...asked })
}

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return told(guest.take())
}

async function enter(room = 'acme/board'): Promise<Guest> {
  const guest = hall.open(`/${room}`)
  await hall.settle()
  guest.take()
  return guest
}

describe('a durable room', () => {
  test('is heard once it is stored, and says so', async () => {
    const [ann, bob] = [await enter(), await enter()]
    const release = hall.store.histories.hold()
    ann.say(text(1, 'a', STORED), text(2, 'b', { receipt: ReceiptLevel.ROUTED }))
    ann.say(text(3, 'c', { receipt: ReceiptLevel.ACCEPTED }), text(4, 'd', { receipt: 0 }))
    expect(await hears(ann)).toEqual(['3 ACCEPTED 0'])
    expect(await hears(bob)).toEqual([])
    release()
    expect(await hears(ann)).toEqual(['1 STORED 1', '2 ROUTED 2'])
    expect(await hears(bob)).toEqual(['a 1', 'b 2', 'c 3', 'd 4'])
    expect(hall.store.histories.appends.length).toBe(1)
  })

  test('goes on in its epoch when it is loaded again, and gives what was missed', async () => {
    const ann = await enter()
    ann.say(text(1, 'a', STORED), text(2, 'b', STORED))
    await hears(ann)
    ann.vanish()
    await hall.settle()
    const bob = hall.open()
    bob.say(joinFrom(1, BOARD, since(1)))
    expect(await hears(bob)).toEqual(['1 joined 2 from 1', 'b 2 HISTORY', '0 caughtUp 2'])
    bob.say(text(2, 'c', { ...STORED, to: [BOARD] }))
    expect(await hears(bob)).toEqual(['2 STORED 3'])
  })

  test('refuses what cannot be stored, and gives its position to the next', async () => {
    const ann = await enter()
    hall.store.histories.fault = 'full'
    ann.say(text(1, 'a', STORED), text(2, 'b', { receipt: ReceiptLevel.ACCEPTED }))
    expect(await hears(ann)).toEqual([
      '2 ACCEPTED 0',
      '1 REJECTED STORE_FULL',
      '2 REJECTED STORE_FULL',
    ])
    hall.store.histories.fault = undefined
    ann.say(text(3, 'c', STORED))
    expect(await hears(ann)).toEqual(['3 STORED 1'])
  })

  test('tells what is not certain, and sends it once when it is', async () => {
    const [ann, bob] = [await enter(), await enter()]
    hall.store.histories.fault = 'done'
    ann.say(text(1, 'a', { ...STORED, idempotencyKey: 'k' }))
    await hall.settle()
    ann.say(text(2, 'b', STORED))
    await hall.settle()
    hall.pass(2_000)
    expect(await hears(ann)).toEqual(['1 REJECTED UNCERTAIN', '2 REJECTED UNAVAILABLE'])
    ann.say(text(3, 'a', { ...STORED, idempotencyKey: 'k' }))
    expect(await hears(ann)).toEqual([])
    hall.pass(2_000)
    expect(await hears(ann)).toEqual(['3 REJECTED UNCERTAIN'])
    expect(await hears(bob)).toEqual([])
    hall.store.histories.fault = undefined
    hall.pass(2_000)
    expect(await hears(bob)).toEqual(['a 1'])
    ann.say(text(4, 'a', { ...STORED, idempotencyKey: 'k' }))
    expect(await hears(ann)).toEqual(['4 DUPLICATE 1'])
  })

  test('sends what comes twice under a key once, also while the first is under way', async () => {
    const key = { ...STORED, idempotencyKey: 'k' }
    const ann = await enter()
    ann.say(text(1, 'a', key), text(2, 'a', key), text(3, 'b', key))
    const [reused, ...rest] = await hears(ann)
    expect([reused, ...rest]).toEqual(['3 REJECTED KEY_REUSED', '1 STORED 1', '2 DUPLICATE 1'])
  })

  test('gives pages around any position', async () => {
    const ann = await enter()
    for (let i = 1; i <= 9; i++) ann.say(text(i, `m${i}`, STORED))
    await hears(ann)
    ann.say(fetchFrame(20, BOARD, { range: { case: 'after', value: position(7) } }))
    expect(await hears(ann)).toEqual([
      'm8 8 HISTORY',
      'm9 9 HISTORY',
      '20 fetched 2 of 1-9, more before',
    ])
    ann.say(fetchFrame(21, BOARD, { limit: 2 }))
    expect(await hears(ann)).toEqual([
      'm8 8 HISTORY',
      'm9 9 HISTORY',
      '21 fetched 2 of 1-9, more before',
    ])
    ann.say(fetchFrame(22, BOARD, { limit: 2, range: { case: 'before', value: position(3) } }))
    expect(await hears(ann)).toEqual([
      'm1 1 HISTORY',
      'm2 2 HISTORY',
      '22 fetched 2 of 1-9, more after',
    ])
    ann.say(fetchFrame(23, BOARD, { limit: 3, range: { case: 'around', value: position(5) } }))
    expect(await hears(ann)).toEqual([
      'm4 4 HISTORY',
      'm5 5 HISTORY',
      'm6 6 HISTORY',
      '23 fetched 3 of 1-9, more before and after',
    ])
    ann.say(fetchFrame(24, BOARD, { range: { case: 'after', value: position(10) } }))
    expect(await hears(ann)).toEqual(['24 drop POSITION_UNKNOWN'])
  })
})

describe('a room with a window', () => {
  test('gives what was missed while it is fresh, and says where it does not', async () => {
    const ann = await enter('acme/recent')
    ann.say(text(1, 'a'), text(2, 'b'))
    expect(await hears(ann)).toEqual(['1 ACCEPTED 1', '2 ACCEPTED 2'])
    const { epoch } = hall.graph.place('acme/recent') as { epoch: number }
    ann.vanish()
    await hall.settle()
    const bob = hall.open()
    bob.say(joinFrom(1, 'room:acme/recent', since(1, epoch)))
    expect(await hears(bob)).toEqual(['1 joined 2 from 1', 'b 2 HISTORY', '0 caughtUp 2'])
    bob.vanish()
    await hall.settle()
    hall.pass(301_000)
    await hall.settle()
    const cat = hall.open()
    cat.say(joinFrom(1, 'room:acme/recent', since(1, epoch)))
    expect(await hears(cat)).toEqual(['1 joined 0 from 0 EPOCH_CHANGED', '0 caughtUp 0'])
    cat.say(text(2, 'c', { ...STORED, to: ['room:acme/recent'] }))
    expect(await hears(cat)).toEqual(['2 REJECTED NO_HISTORY'])
  })
})

test('a room that keeps nothing says so, unless nothing was missed', async () => {
  const ann = await enter('acme/moment')
  ann.say(text(1, 'a'))
  await hears(ann)
  const { epoch } = hall.graph.place('acme/moment') as { epoch: number }
  const bob = hall.open()
  bob.say(joinFrom(1, 'room:acme/moment', since(0, epoch)))
  bob.say(joinFrom(2, 'room:acme/moment/x', since(1, epoch)))
  expect(await hears(bob)).toEqual([
    '1 joined 1 from 1 NO_HISTORY',
    '0 caughtUp 1',
    '2 joined 1 from 1',
    '0 caughtUp 1',
  ])
})

type Move =
  | { does: 'send'; channel: string }
  | { does: 'cut' }
  | { does: 'turn' }
  | { does: 'settle' }
  | { does: 'away' }

test('whoever comes back has everything once and in order', async () => {
  const move: fc.Arbitrary<Move> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        does: fc.constant('send' as const),
        channel: fc.constantFrom('', 'a', 'b'),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ does: 'cut' as const }) },
    { weight: 3, arbitrary: fc.constant({ does: 'turn' as const }) },
    { weight: 2, arbitrary: fc.constant({ does: 'settle' as const }) },
    { weight: 1, arbitrary: fc.constant({ does: 'away' as const }) },
  )
  const played = fc.array(move, { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(played, fc.constantFrom('board', 'recent'), async (moves, name) => {
      hall = new Hall()
      hall.store.room('acme/board', OPEN, keeping(Keep.DURABLE))
      hall.store.room('acme/recent', OPEN, keeping(Keep.WINDOW, { messages: 1_000 }))
      const room = `room:acme/${name}`
      const sender = await enter(`acme/${name}`)
      const { epoch } = hall.graph.place(`acme/${name}`) as { epoch: number }
      const heard: string[] = []
      let last = 0
      const connect = () => hall.open().say(joinFrom(1, room, since(last, epoch)))
      let guest = connect()
      const listen = () => {
        for (const envelope of envelopes(guest.take())) {
          heard.push(textOf(envelope))
          last = Number(envelope.stamp?.sequence)
        }
      }
      let sent = 0
      for (const { does, ...how } of moves) {
        if (does === 'send') {
          const channel = 'channel' in how && how.channel ? `${room}/${how.channel}` : room
          sender.say(text(1, `${++sent}`, { to: [channel] }))
        } else if (does === 'turn') hall.endTurn()
        else if (does === 'settle') await hall.settle()
        else if (does === 'cut') {
          listen()
          guest.vanish()
          guest = connect()
        } else {
          const release = hall.store.histories.hold()
          hall.endTurn()
          release()
        }
      }
      await hall.settle()
      listen()
      expect(heard).toEqual(Array.from({ length: sent }, (_, i) => `${i + 1}`))
    }),
    { numRuns: 60 },
  )
})
