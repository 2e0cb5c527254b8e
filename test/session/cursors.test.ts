/** How far a client has read: never back, stored before it is answered, told elsewhere (R36). */

import { Keep } from '@porthouse/proto/room/v1/history'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { join } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import {
  block,
  cursor,
  DURABLE,
  hears,
  joinFrom,
  keeping,
  proved,
  speak,
  UNREAD,
  words,
} from '../support/past.ts'

const BOARD = 'room:acme/board'

let hall: Hall
let ann: string

beforeEach(() => {
  hall = new Hall()
  hall.store.room('acme/board', DURABLE)
  hall.store.room('acme/open', OPEN, DURABLE)
  hall.store.room('acme/recent', OPEN, keeping(Keep.WINDOW))
  hall.store.room('acme/uncounted', OPEN, DURABLE, block('unread', { enabled: false }))
  ann = hall.store.token('acme', ['board'], { client: 'ann' })
})

async function reader(secret = ann, room = BOARD): Promise<Guest> {
  const guest = await proved(hall, secret)
  guest.say(join(1, room))
  await hall.settle()
  guest.take()
  return guest
}

/** Members of the board, with so many messages in it. */
async function board(messages: number): Promise<Guest> {
  const bob = await reader(hall.store.token('acme', ['board'], { client: 'bob' }))
  speak(bob, BOARD, ...words(messages))
  await hall.settle()
  bob.take()
  return bob
}

describe('a cursor', () => {
  test('moves on and never back, nor beyond the last message', async () => {
    await board(5)
    const guest = await reader()
    guest.say(cursor(1, BOARD, 3))
    expect(await hears(hall, guest)).toEqual(['1 cursor 3'])
    guest.say(cursor(2, BOARD, 2), cursor(3, BOARD, 3), cursor(4, BOARD, 6), cursor(5, BOARD, 5))
    const heard = await hears(hall, guest)
    expect(heard.toSorted()).toEqual([
      '2 drop CURSOR_BEHIND',
      '3 cursor 3',
      '4 drop POSITION_UNKNOWN',
      '5 cursor 5',
    ])
  })

  test('of another epoch is refused', async () => {
    await board(5)
    const guest = await reader()
    guest.say(cursor(1, BOARD, 3, 7), cursor(2, BOARD, 3, 1))
    expect(await hears(hall, guest)).toEqual(['1 drop EPOCH_CHANGED', '2 cursor 3'])
  })

  test('is told to the client elsewhere in the room, and to nobody else', async () => {
    const bob = await board(2)
    const [phone, laptop] = [await reader(), await reader()]
    const elsewhere = await proved(hall, ann)
    phone.say(cursor(0, BOARD, 1))
    expect(await hears(hall, phone)).toEqual([])
    expect(await hears(hall, laptop)).toEqual(['0 cursor 1'])
    expect(await hears(hall, elsewhere)).toEqual([])
    expect(await hears(hall, bob)).toEqual([])
  })

  test('is a token of its own, where the token is no client', async () => {
    await board(4)
    const [one, two] = [1, 2].map(() => hall.store.token('acme', ['board'])) as [string, string]
    const first = await reader(one)
    first.say(cursor(1, BOARD, 4))
    expect(await hears(hall, first)).toEqual(['1 cursor 4'])
    const again = await proved(hall, one)
    again.say(joinFrom(1, BOARD, UNREAD))
    expect(await hears(hall, again)).toEqual(['1 joined 4 from 4', '0 caughtUp 4'])
    const other = await proved(hall, two)
    other.say(joinFrom(1, BOARD, UNREAD))
    expect(await hears(hall, other)).toContain('1 joined 4 from 0')
  })

  test('is for who is somebody, in a room that he is in, which keeps them', async () => {
    const stranger = hall.open().say(join(1, 'room:acme/open'), join(2, 'room:acme/recent'))
    await hall.settle()
    stranger.take()
    stranger.say(cursor(3, 'room:acme/open', 0), cursor(4, BOARD, 0))
    stranger.say(cursor(5, 'room:acme/recent', 0), cursor(6, 'room:acme/none', 0))
    stranger.say(cursor(7, 'room:acme/open/channel', 0))
    expect(await hears(hall, stranger)).toEqual([
      '3 drop UNAUTHENTICATED',
      '4 drop ENTRY_NOT_PERMITTED',
      '5 drop NO_HISTORY',
      '6 drop ENTRY_NOT_PERMITTED',
      '7 drop ADDRESS_INVALID',
    ])
    const guest = await reader(ann, 'room:acme/uncounted')
    guest.say(cursor(1, 'room:acme/uncounted', 0))
    expect(await hears(hall, guest)).toEqual(['1 drop NO_HISTORY'])
  })

  test('waits for no store that is away, and is where it was', async () => {
    await board(3)
    const guest = await reader()
    guest.say(cursor(1, BOARD, 1))
    await hall.settle()
    guest.take()
    hall.store.away = true
    guest.say(cursor(2, BOARD, 3))
    expect(await hears(hall, guest)).toEqual(['2 drop UNAVAILABLE'])
    hall.store.away = false
    guest.say(cursor(3, BOARD, 2))
    expect(await hears(hall, guest)).toEqual(['3 cursor 2'])
  })

  test('that moves often is few statements', async () => {
    await board(200)
    const guest = await reader()
    const moved = vi.spyOn(hall.store.cursors, 'move')
    const found = vi.spyOn(hall.store.cursors, 'find')
    guest.say(...words(200).map((word) => cursor(Number(word), BOARD, Number(word))))
    const heard = await hears(hall, guest)
    expect(heard.length).toBe(200)
    expect(heard.at(-1)).toBe('200 cursor 200')
    expect(found.mock.calls.length).toBe(1)
    expect(moved.mock.calls.length).toBeLessThan(4)
  })

  test('begins anew with the room', async () => {
    const bob = await board(9)
    const guest = await reader()
    guest.say(cursor(1, BOARD, 9))
    await hall.settle()
    for (const each of [bob, guest]) each.vanish()
    await hall.settle()
    await hall.store.histories.purge((await hall.store.rooms.find('acme', 'board'))?.id as string)
    await board(2)
    const again = await reader()
    again.say(cursor(1, BOARD, 1), cursor(2, BOARD, 2, 2))
    expect(await hears(hall, again)).toEqual(['1 cursor 1', '2 cursor 2'])
  })
})

test('who floods a store that does not answer is bounded, and goes on later', async () => {
  await board(3)
  const guest = await reader()
  const release = hall.store.hold()
  for (let i = 0; i < 4; i++)
    guest.say(...words(100).map((_, n) => cursor(i * 100 + n + 1, BOARD, 1)))
  expect(await hears(hall, guest)).toEqual(words(144, 257).map((id) => `${id} drop QUEUE_FULL`))
  release()
  expect((await hears(hall, guest)).length).toBe(256)
  guest.say(cursor(1, BOARD, 3))
  expect(await hears(hall, guest)).toEqual(['1 cursor 3'])
})
