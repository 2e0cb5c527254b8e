/** Rooms whose messages wait while the gateway is busy: what is gathered, and in which order. */
import { Keep } from '@porthouse/proto/room/v1/history'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { binaryLane } from '../../gateway/ingress/websocket/binary-lane.ts'
import { jsonLane } from '../../gateway/ingress/websocket/json-lane.ts'
import { join, leave, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { block, joinFrom, keeping, speak, words } from '../support/past.ts'
import { roomFrame } from '../support/told.ts'

const YARD = 'room:acme/yard'
const KEPT = keeping(Keep.WINDOW)

let hall: Hall

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout'] })
  hall = new Hall()
  hall.store.room('acme/plain', OPEN)
  hall.store.room('acme/yard', OPEN, KEPT, flushWindow(5))
  hall.loop.load.busy = true
  await hall.live.start()
})

afterEach(async () => {
  await hall.live.stop()
  vi.useRealTimers()
})

function flushWindow(milliseconds: number) {
  return block('flushWindow', { milliseconds })
}

async function there(path = '/acme/yard', lane = binaryLane): Promise<Guest> {
  const guest = hall.open(path, lane)
  await hall.settle()
  guest.take()
  return guest
}

/** Each in a turn of its own. */
async function says(guest: Guest, ...words: string[]): Promise<void> {
  for (const word of words) {
    guest.say(text(0, word, { receipt: 0 }))
    await hall.settle()
  }
}

async function elapses(): Promise<void> {
  hall.loop.elapse()
  await hall.settle()
}

function heard(...words: string[]): string[] {
  return words.map((word) => `0 envelope ${word}`)
}

describe('the messages of many turns', () => {
  test('go out in one write a member when the time is up', async () => {
    const [ann, bob, cat] = [await there(), await there(), await there('/acme/yard/temp')]
    await says(ann, 'one', 'two', 'three')
    expect([bob.writes, cat.writes]).toEqual([0, 0])
    expect(hall.loop.open).toEqual([5])
    await elapses()
    expect([bob.writes, cat.writes]).toEqual([1, 0])
    expect(bob.heard()).toEqual(heard('one', 'two', 'three'))
    expect(hall.loop.open).toEqual([])
    await says(ann, 'four')
    await elapses()
    expect(bob.heard()).toEqual(heard('four'))
  })

  test('go out at once in a room without the block, or with one of 0', async () => {
    hall.store.room('acme/zero', OPEN, flushWindow(0))
    for (const room of ['plain', 'zero']) {
      const [ann, bob] = [await there(`/acme/${room}`), await there(`/acme/${room}`)]
      await says(ann, 'one', 'two')
      expect(bob.writes).toBe(2)
    }
    expect(hall.loop.open).toEqual([])
  })

  test('go out at once while the loop is not busy', async () => {
    hall.loop.load.busy = false
    const [ann, bob] = [await there(), await there()]
    await says(ann, 'one', 'two')
    expect(bob.writes).toBe(2)
    expect(hall.loop.open).toEqual([])
  })

  test('of several rooms go out in one write to who is in all of them', async () => {
    hall.store.room('acme/barn', OPEN, flushWindow(5))
    const [ann, bob] = [await there(), await there('/acme/barn')]
    const both = (await there()).say(join(1, 'room:acme/barn'))
    await hall.settle()
    both.take()
    await says(ann, 'yard')
    await says(bob, 'barn')
    expect(hall.loop.open).toEqual([5])
    await elapses()
    expect(both.writes).toBe(1)
    expect(both.heard()).toEqual(heard('yard', 'barn'))
  })

  test('go out before the time is up where they are many bytes', async () => {
    const [ann, bob] = [await there(), await there()]
    const long = 'x'.repeat(100_000)
    await says(ann, `1${long}`, `2${long}`)
    expect(bob.writes).toBe(0)
    await says(ann, `3${long}`, '4')
    expect(bob.heard()).toHaveLength(3)
    await elapses()
    expect(bob.heard()).toEqual(heard('4'))
  })
})

describe('while messages wait', () => {
  test('receipts, answers and direct messages do not', async () => {
    const [ann, bob] = [await there(), await there()]
    ann.say(text(7, 'later'), text(8, 'now', { to: [bob.session.address] }))
    await hall.settle()
    expect(ann.heard()).toEqual(['7 receipt ROUTED 1', '8 receipt ROUTED 1'])
    expect(bob.heard()).toEqual(heard('now'))
    await elapses()
    expect(bob.heard()).toEqual(heard('later'))
  })

  test('who comes does not hear them, and who goes does before he is told', async () => {
    const [ann, bob] = [await there(), await there()]
    await says(ann, 'before')
    const cat = await there()
    expect(bob.heard()).toEqual(heard('before'))
    await says(ann, 'after')
    bob.say(leave(3, YARD))
    await hall.settle()
    expect(bob.heard()).toEqual([...heard('after'), '3 left room:acme/yard'])
    await elapses()
    expect([bob.heard(), cat.heard()]).toEqual([[], heard('after')])
  })

  test('no position is told that is ahead of them', async () => {
    hall.store.room('acme/dull', OPEN, KEPT, flushWindow(5))
    const [ann, bob] = [await there('/acme/dull'), await there('/acme/dull/a')]
    speak(ann, 'room:acme/dull/a', 'one')
    await hall.settle()
    bob.say(join(2, 'room:acme/dull/a'))
    await hall.settle()
    expect(bob.heard()).toEqual([...heard('one'), '2 joined room:acme/dull/a'])
    speak(ann, 'room:acme/dull/a', 'two')
    await hall.settle()
    bob.say(joinFrom(3, 'room:acme/dull/b', 0))
    await hall.settle()
    expect(bob.heard()).toEqual([...heard('two'), '3 joined room:acme/dull/b', '0 caughtUp'])
  })

  test('who has caught up has them first', async () => {
    hall.store.room('acme/long', OPEN, keeping(Keep.WINDOW, { messages: 1_000 }), flushWindow(5))
    const [ann, bob] = [await there('/acme/long'), await there('/acme/long/a')]
    // More than a page, so that it takes another turn to read them.
    speak(ann, 'room:acme/long/b', ...words(300))
    await hall.settle()
    bob.say(joinFrom(3, 'room:acme/long/b', 0))
    speak(ann, 'room:acme/long/a', 'meanwhile')
    await hall.settle()
    expect(bob.heard().slice(-2)).toEqual([...heard('meanwhile'), '0 caughtUp'])
  })

  test('a new epoch does not begin before they are out', async () => {
    const [ann, bob] = [await there(), await there()]
    await says(ann, 'old')
    hall.store.configure('acme/yard', OPEN, flushWindow(5))
    await hall.settle()
    expect(bob.heard()).toEqual([...heard('old'), '0 joined room:acme/yard', '0 changed'])
  })

  test('a change of the config lets them go, and the block with it', async () => {
    const [ann, bob] = [await there(), await there()]
    await says(ann, 'waits')
    hall.store.configure('acme/yard', OPEN, KEPT)
    await hall.settle()
    expect(bob.heard()).toEqual([...heard('waits'), '0 changed'])
    await says(ann, 'does not')
    expect(bob.heard()).toEqual(heard('does not'))
  })

  test('nobody is told to have left before he was heard', async () => {
    hall.store.room('acme/hall', OPEN, block('presence', { enabled: true }), flushWindow(5))
    // In different audiences: that of who leaves is flushed by that alone.
    const [ann, bob] = [await there('/acme/hall'), await there('/acme/hall', jsonLane)]
    bob.say(roomFrame(1, 'join', { address: 'room:acme/hall', presence: true }))
    await hall.settle()
    vi.advanceTimersByTime(200)
    await hall.settle()
    bob.take()
    await says(ann, 'bye')
    ann.vanish()
    vi.advanceTimersByTime(200)
    await hall.settle()
    expect(bob.heard()).toEqual([...heard('bye'), '0 presence'])
  })

  test('a socket that is dropped gets them before its last frame', async () => {
    const [ann, bob] = [await there(), await there()]
    await says(ann, 'hi')
    bob.say(leave(0, 'nowhere'))
    expect(bob.heard()).toEqual([...heard('hi'), '0 drop ADDRESS_INVALID'])
  })

  test('a gateway that ends sends them out', async () => {
    const [ann, bob] = [await there(), await there()]
    await says(ann, 'one', 'two')
    await hall.sessions.drain(0)
    expect(bob.heard()).toEqual([...heard('one', 'two'), '0 drop DRAINING'])
    await elapses()
    expect(bob.heard()).toEqual([])
  })
})
