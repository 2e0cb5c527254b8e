/** The last value of each channel is there for whoever begins to listen (block retained). */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Values } from '@porthouse/proto/room/v1/retained'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Place } from '../../gateway/router/place.ts'
import { text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { roomFrame, told } from '../support/told.ts'

const TABLE = 'room:acme/table'
const PLANT = 'room:acme/plant'

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  hall = new Hall()
  hall.store.room('acme/table', OPEN, retained({ values: Values.ALL, channels: 2, bytes: 10 }))
  hall.store.room('acme/plant', OPEN, retained({}))
})
afterEach(() => {
  vi.useRealTimers()
})

function retained(value: object): Block['kind'] {
  return { case: 'retained', value: value as never }
}

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return told(guest.take())
}

async function joined(address: string): Promise<Guest> {
  const guest = hall.open()
  guest.say(roomFrame(1, 'join', { address }))
  await hall.settle()
  return guest
}

test('a newcomer gets the cells that he hears, as they are now', async () => {
  const ann = await joined(TABLE)
  for (const [cell, word] of [
    ['a1', 'x'],
    ['a2', 'y'],
    ['a1', 'z'],
  ]) {
    ann.say(text(0, `${word}`, { to: [`${TABLE}/${cell}`], receipt: 0 }))
  }
  expect(await hears(await joined(TABLE))).toEqual([
    '1 joined 3 from 3',
    'y 2 RETAINED',
    'z 3 RETAINED',
    '0 caughtUp 3',
  ])
  expect(await hears(await joined(`${TABLE}/a2`))).toEqual([
    '1 joined 3 from 3',
    'y 2 RETAINED',
    '0 caughtUp 3',
  ])
})

test('too many and too large cells are refused; an empty one takes its value away', async () => {
  const ann = await joined(TABLE)
  await hears(ann)
  const to = (cell: string) => ({ to: [`${TABLE}/${cell}`] })
  ann.say(text(1, 'x', to('a')), text(2, 'x', to('b')), text(3, 'x', to('c')))
  ann.say(text(4, '12345678901', to('a')), text(5, '', to('b')), text(6, 'x', to('c')))
  expect(await hears(ann)).toEqual([
    '1 ACCEPTED 1',
    '2 ACCEPTED 2',
    '3 REJECTED RETAINED_LIMIT',
    '4 REJECTED PAYLOAD_TOO_LARGE',
    '5 VOID 3',
    '6 ACCEPTED 4',
  ])
})

test('where values are kept of those that ask, others are not', async () => {
  const ann = await joined(PLANT)
  ann.say(text(0, 'on', { to: [`${PLANT}/valve`], receipt: 0, retain: true }))
  ann.say(text(0, 'off', { to: [`${PLANT}/valve`], receipt: 0 }))
  expect(await hears(await joined(PLANT))).toEqual([
    '1 joined 2 from 2',
    'on 1 RETAINED',
    '0 caughtUp 2',
  ])
})

test('values outlast the room, without a position that means nothing', async () => {
  const ann = await joined(PLANT)
  ann.say(text(0, 'on', { to: [`${PLANT}/valve`], receipt: 0, retain: true }))
  await hall.settle()
  ann.vanish()
  await hall.settle()
  // As well before it is written as after.
  expect(await hears(await joined(PLANT))).toContain('on 0 RETAINED')
  hall.pass(1_000)
  await hall.settle()
  expect(
    (
      await hall.store.retained.load(
        hall.rooms.at(hall.graph.place('acme/plant') as Place).record.id,
      )
    ).length,
  ).toBe(1)
})
