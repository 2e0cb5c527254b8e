/** Rooms that store: bounds of what waits, its order, and other histories instead (R37). */
import { Keep } from '@porthouse/proto/room/v1/history'
import { Values } from '@porthouse/proto/room/v1/retained'
import { Owners } from '@porthouse/proto/room/v1/session_history'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Settings } from '../../gateway/config/config.ts'
import { text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { envelopes, textOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import {
  block,
  DURABLE,
  hears,
  joinFrom,
  keeping,
  QUIET,
  STORED,
  since,
  speak,
  words,
} from '../support/past.ts'
import { told } from '../support/told.ts'

const BOARD = 'room:acme/board'
const NOTES = 'room:acme/notes'
const VALUES = block('retained', { values: Values.ALL })
const ACCEPTED = { receipt: ReceiptLevel.ACCEPTED }
const SESSIONS = block('sessionHistory', { owners: Owners.ALL })

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  opens({})
})
afterEach(async () => {
  await hall.live.stop()
  vi.useRealTimers()
})

function opens(history: NonNullable<Settings['history']>): void {
  hall = new Hall({ history, heartbeatMs: 100_000_000 })
  hall.store.room('acme/board', OPEN, DURABLE)
  hall.store.room('acme/notes', OPEN, DURABLE)
}

async function enter(room = BOARD): Promise<Guest> {
  const guest = hall.open(`/${room.slice('room:'.length)}`)
  await hall.settle()
  guest.take()
  return guest
}

describe('what waits for the store', () => {
  test('is bounded in bytes, over all rooms', async () => {
    opens({ queueBytes: 1_048_576 })
    const [ann, bob] = [await enter(), await enter(NOTES)]
    const release = hall.store.histories.hold()
    const large = 'x'.repeat(200_000)
    for (const id of [1, 2, 3]) ann.say(text(id, large, STORED))
    for (const id of [4, 5, 6]) bob.say(text(id, large, STORED))
    expect(await hears(hall, bob)).toEqual(['6 REJECTED QUEUE_FULL'])
    release()
    expect(await hears(hall, ann)).toEqual(['1 STORED 1', '2 STORED 2', '3 STORED 3'])
    expect(await hears(hall, bob)).toEqual(['4 STORED 1', '5 STORED 2'])
    bob.say(text(7, large, STORED))
    expect(await hears(hall, bob)).toEqual(['7 STORED 3'])
  })

  test('is stored in batches of so many messages and bytes, each room in its order', async () => {
    opens({ batchMessages: 10, batchBytes: 1_048_576 })
    const [ann, bob] = [await enter(), await enter(NOTES)]
    const listener = await enter()
    for (const word of words(12)) {
      speak(ann, BOARD, word)
      speak(bob, NOTES, word)
    }
    await hall.settle()
    const sizes = hall.store.histories.appends.map((appends) =>
      appends.reduce((sum, { messages }) => sum + messages.length, 0),
    )
    expect(sizes).toEqual([10, 10, 4])
    expect(told(listener.take())).toEqual(words(12).map((word) => `${word} ${word}`))
    hall.store.histories.appends.length = 0
    for (const _ of words(12)) speak(ann, BOARD, 'x'.repeat(250_000))
    await hall.settle()
    expect(hall.store.histories.appends.map(([each]) => each?.messages.length)).toEqual([4, 4, 4])
  })

  test('is accepted once it is on its way, so its sender is as fast as the store', async () => {
    opens({ batchMessages: 2 })
    const [ann, bob] = [await enter(), await enter()]
    const release = hall.store.histories.hold()
    ann.say(...[1, 2, 3, 4].map((id) => text(id, `${id}`, ACCEPTED)))
    expect(await hears(hall, ann)).toEqual(['1 ACCEPTED 0', '2 ACCEPTED 0'])
    release()
    expect(await hears(hall, ann)).toEqual(['3 ACCEPTED 3', '4 ACCEPTED 4'])
    expect(await hears(hall, bob)).toEqual(['1 1', '2 2', '3 3', '4 4'])
  })

  test('is accepted with all of its rooms, and so is what repeats it', async () => {
    opens({ batchMessages: 1 })
    const ann = await enter()
    const release = hall.store.histories.hold()
    const same = { ...ACCEPTED, to: [BOARD, NOTES], idempotencyKey: 'once' }
    ann.say(text(1, 'a', same), text(2, 'a', same))
    expect(await hears(hall, ann)).toEqual([])
    release()
    expect(await hears(hall, ann)).toEqual(['1 ACCEPTED 0', '2 DUPLICATE 0'])
  })

  test('is refused, and was not accepted before, where it never was on its way', async () => {
    opens({ batchMessages: 1, queueBytes: 1_048_576 })
    const ann = await enter()
    const release = hall.store.histories.hold()
    const large = 'x'.repeat(200_000)
    for (const id of [1, 2, 3, 4, 5, 6]) ann.say(text(id, large, ACCEPTED))
    expect(await hears(hall, ann)).toEqual(['6 REJECTED QUEUE_FULL', '1 ACCEPTED 0'])
    hall.pass(2_000)
    const late = [2, 3, 4, 5].map((id) => `${id} REJECTED UNAVAILABLE`)
    expect(await hears(hall, ann)).toEqual(['1 REJECTED UNCERTAIN', ...late])
    release()
    expect(await hears(hall, ann)).toEqual([])
  })

  test('is refused where another gateway has the room, and other rooms go on', async () => {
    const [ann, bob] = [await enter(), await enter(NOTES)]
    const { id } = (await hall.store.rooms.find('acme', 'board')) as { id: string }
    await hall.store.histories.claim(id)
    ann.say(text(1, 'a', STORED))
    bob.say(text(2, 'b', STORED))
    expect(await hears(hall, ann)).toEqual(['1 REJECTED UNAVAILABLE'])
    expect(await hears(hall, bob)).toEqual(['2 STORED 1'])
    ann.say(text(3, 'c', STORED))
    expect(await hears(hall, ann)).toEqual(['3 REJECTED UNAVAILABLE'])
    expect(hall.store.histories.appends.length).toBe(1)
  })

  test('is waited for when the gateway goes down, and no longer than it may', async () => {
    const ann = await enter()
    const release = hall.store.histories.hold()
    speak(ann, BOARD, 'a')
    hall.endTurn()
    let isIdle = false
    const idle = hall.core.writer.idle(5_000).then(() => (isIdle = true))
    await hall.settle()
    expect(isIdle).toBe(false)
    release()
    await hall.settle()
    await idle
    hall.store.histories.fault = 'undone'
    speak(ann, BOARD, 'b')
    hall.endTurn()
    const late = hall.core.writer.idle(5_000)
    hall.pass(5_500)
    await late
  })

  test('keeps its room loaded, though nobody is in it any more', async () => {
    const ann = await enter()
    const release = hall.store.histories.hold()
    speak(ann, BOARD, 'a', 'b')
    hall.endTurn()
    ann.vanish()
    await hall.settle()
    expect(hall.graph.place('acme/board')).toBeDefined()
    release()
    await hall.settle()
    expect(hall.graph.place('acme/board')).toBeUndefined()
    const bob = hall.open().say(joinFrom(1, BOARD, 0))
    expect(await hears(hall, bob)).toContain('1 joined 2 from 0')
  })
})

type Step = 'send' | 'turn' | 'settle' | 'none' | 'window' | 'durable' | 'hold' | 'release' | 'join'

const STEPS: Step[] = ['none', 'window', 'durable', 'hold', 'release', 'join', 'settle', 'turn']

test('a history that is changed for another under load loses and doubles nothing', async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.constant<Step>('send') },
    { weight: 8, arbitrary: fc.constantFrom(...STEPS) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      opens({})
      void hall.live.start()
      await hall.settle()
      const [ann, listener] = [await enter(), await enter()]
      const late: Guest[] = []
      let sent = 0
      let release: (() => void) | undefined
      const kinds = { none: Keep.NONE, window: Keep.WINDOW, durable: Keep.DURABLE }
      for (const each of steps) {
        if (each === 'send') ann.say(text(++sent, `${sent}`, { receipt: ReceiptLevel.ACCEPTED }))
        else if (each === 'turn') hall.endTurn()
        else if (each === 'settle') await hall.settle()
        else if (each === 'hold') release ??= hall.store.histories.hold()
        else if (each === 'release') {
          release?.()
          release = undefined
        } else if (each === 'join') late.push(hall.open().say(joinFrom(1, BOARD, 0)))
        else hall.store.configure('acme/board', OPEN, keeping(kinds[each]))
      }
      release?.()
      await hall.settle()
      ann.say(text(++sent, `${sent}`, QUIET))
      await hall.settle()
      expect(envelopes(listener.take()).map(textOf)).toEqual(words(sent))
      expect(told(ann.take()).filter((line) => line.includes('REJECTED'))).toEqual([])
      for (const guest of late) {
        const lines = told(guest.take())
        const heard = lines.flatMap((line) => /^(\d+) \d+( HISTORY)?$/.exec(line)?.[1] ?? [])
        // Of what was sent while the room kept nothing there is nothing.
        const numbers = heard.map(Number)
        expect(numbers).toEqual([...new Set(numbers)].toSorted((x, y) => x - y))
        expect(numbers.at(-1)).toBe(sent)
      }
    }),
    { numRuns: 100 },
  )
})

test('what comes while a history is changed is bounded, in bytes and in time', async () => {
  opens({ queueBytes: 1_048_576 })
  void hall.live.start()
  const ann = await enter()
  const release = hall.store.histories.hold()
  ann.say(text(1, 'a', STORED))
  hall.endTurn()
  hall.store.configure('acme/board', OPEN, keeping(Keep.WINDOW))
  await hall.settle()
  const large = 'x'.repeat(200_000)
  ann.say(...words(4, 2).map((id) => text(Number(id), large)))
  ann.say(...words(2, 6).map((id) => text(Number(id), large)))
  expect(await hears(hall, ann)).toEqual(['7 REJECTED QUEUE_FULL'])
  hall.pass(2_000)
  const heard = await hears(hall, ann)
  expect(heard).toContain('1 REJECTED UNCERTAIN')
  expect(heard.filter((line) => line.endsWith('UNAVAILABLE')).length).toBe(5)
  release()
  await hall.settle()
  ann.take()
  ann.say(text(9, 'b'))
  expect(await hears(hall, ann)).toEqual(['9 ACCEPTED 1'])
})

test('a config that needs a store that is away is taken over later, as a whole', async () => {
  void hall.live.start()
  hall.store.room('acme/plain', OPEN)
  const ann = await enter('room:acme/plain')
  const original = hall.store.retained.load.bind(hall.store.retained)
  const load = vi.spyOn(hall.store.retained, 'load')
  load.mockImplementation(async (id) => {
    hall.store.away = true
    return original(id)
  })
  hall.store.configure('acme/plain', OPEN, VALUES)
  await hall.settle()
  expect(await hears(hall, ann)).toEqual([])
  load.mockRestore()
  hall.store.away = false
  hall.pass(2_000)
  expect(await hears(hall, ann)).toEqual(['0 changed'])
  const { route } = hall.graph.place('acme/plain') as { route: number }
  expect(hall.rooms.at({ route } as never).retained).toBeDefined()
})

test('values and session histories outlast a change to another history', async () => {
  void hall.live.start()
  const kept = [VALUES, SESSIONS]
  hall.store.room('acme/kept', OPEN, ...kept, keeping(Keep.WINDOW))
  const room = 'room:acme/kept'
  const ann = await enter(room)
  speak(ann, `${room}/a`, 'first', 'value')
  await hall.settle()
  hall.store.configure('acme/kept', OPEN, ...kept, DURABLE)
  await hall.settle()
  const bob = hall.open().say(joinFrom(1, room, 0))
  expect(await hears(hall, bob)).toEqual([
    '1 joined 0 from 0',
    'first 0 SESSION',
    'value 0 SESSION',
    '0 caughtUp 0',
  ])
  ann.vanish()
  await hall.settle()
  const cat = hall.open().say(joinFrom(1, room, 0))
  expect(await hears(hall, cat)).toEqual(['1 joined 0 from 0', 'value 0 RETAINED', '0 caughtUp 0'])
})

describe('rooms with a window that nobody is in', () => {
  async function left(name: string, bytes: number): Promise<void> {
    hall.store.room(`acme/${name}`, OPEN, keeping(Keep.WINDOW))
    const guest = await enter(`room:acme/${name}`)
    speak(guest, `room:acme/${name}`, 'x'.repeat(bytes))
    await hall.settle()
    guest.vanish()
    await hall.settle()
  }

  const stays = (name: string) => hall.graph.place(`acme/${name}`) !== undefined

  test('stay within their bytes, the longest empty go first', async () => {
    opens({ windowBytes: 100_000 })
    for (const name of ['a', 'b', 'c', 'd']) await left(name, 40_000)
    expect(['a', 'b', 'c', 'd'].map(stays)).toEqual([false, false, true, true])
    await left('e', 200_000)
    expect(['c', 'd', 'e'].map(stays)).toEqual([true, true, false])
  })

  test('stay for as long as it is fresh, and are others when they are not', async () => {
    await left('a', 100)
    const { epoch } = hall.graph.place('acme/a') as { epoch: number }
    hall.pass(290_000)
    await hall.settle()
    expect(stays('a')).toBe(true)
    hall.pass(20_000)
    await hall.settle()
    expect(stays('a')).toBe(false)
    const ann = hall.open().say(joinFrom(1, 'room:acme/a', since(1, epoch)))
    expect(await hears(hall, ann)).toContain('1 joined 0 from 0 EPOCH_CHANGED')
  })

  test('are not gone while somebody is in them again', async () => {
    opens({ windowBytes: 100_000 })
    await left('a', 40_000)
    const again = await enter('room:acme/a')
    for (const name of ['b', 'c', 'd']) await left(name, 40_000)
    hall.pass(310_000)
    await hall.settle()
    speak(again, 'room:acme/a', 'here')
    expect(await hears(hall, again)).toEqual([])
    const other = hall.open().say(joinFrom(1, 'room:acme/a', since(1)))
    expect(await hears(hall, other)).toContain('here 2 HISTORY')
  })
})
