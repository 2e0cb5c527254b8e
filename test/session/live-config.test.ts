/** A live room gets another config, and nobody is dropped for it (R19). */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import type { Changed, Joined, Left } from '@porthouse/proto/v1/room'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { answer, join, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

const YARD = 'room:acme/yard'
const ECHO = block('echo', { enabled: true })
const SLOW = block('slowConsumers', { policy: Policy.CONFLATE })

let hall: Hall

beforeEach(async () => {
  hall = new Hall()
  hall.store.room('acme/yard', OPEN)
  await hall.live.start()
})
afterEach(() => hall.live.stop())

function block(kind: NonNullable<Block['kind']['case']>, value: object): Block['kind'] {
  return { case: kind, value: value as never } as Block['kind']
}

async function entered(): Promise<Guest> {
  const guest = hall.open('/acme/yard')
  await hall.settle()
  guest.take()
  return guest
}

/** What was pushed, as far as it matters. */
async function told(guest: Guest): Promise<object[]> {
  await hall.settle()
  return guest.take().map(({ id, body }) => {
    expect(id).toBe(0)
    if (body.case !== 'room') return { [`${body.case}`]: true }
    const { case: kind, value } = body.value.action
    if (kind === 'changed') {
      const { address, revision, blocks } = value as Changed
      return { changed: address, revision, blocks }
    }
    if (kind === 'left') {
      const { address, code, detail } = value as Left
      return { left: address, code, detail }
    }
    const { address, maySend, listening } = value as Joined
    return { joined: address, maySend, listening }
  })
}

test('members are told which blocks differ, and that it is another revision', async () => {
  const guest = await entered()
  hall.store.configure('acme/yard', OPEN, SLOW, ECHO)
  expect(await told(guest)).toEqual([
    { changed: YARD, revision: 2, blocks: ['echo', 'slow_consumers'] },
  ])
  // Another order is no difference; a block that is gone is one.
  hall.store.configure('acme/yard', ECHO, OPEN)
  expect(await told(guest)).toEqual([{ changed: YARD, revision: 3, blocks: ['slow_consumers'] }])
  hall.store.configure('acme/yard', ECHO, OPEN)
  expect(await told(guest)).toEqual([{ changed: YARD, revision: 4, blocks: [] }])
  // What may have been missed is looked at again, and is the same.
  hall.store.tell()
  expect(await told(guest)).toEqual([])
})

test('who has fewer rights by it is told which, after what was changed', async () => {
  const guest = hall.open('/acme/yard')
  await hall.settle()
  guest.say(answer(1, hall.store.token('acme', ['yard'], { send: false })))
  await hall.settle()
  guest.take()
  hall.store.configure('acme/yard', block('access', { locks: ['token'] }))
  expect(await told(guest)).toEqual([
    { changed: YARD, revision: 2, blocks: ['access'] },
    { joined: YARD, maySend: false, listening: true },
  ])
})

test('who is not let in any more is told why, and keeps the connection', async () => {
  const guest = await entered()
  hall.store.configure('acme/yard', block('access', { locks: ['token'] }))
  expect(await told(guest)).toEqual([
    { changed: YARD, revision: 2, blocks: ['access'] },
    {
      left: YARD,
      code: Code.ENTRY_NOT_PERMITTED,
      detail: 'the room has another lock now',
    },
  ])
  expect(guest.ended).toBeUndefined()
  const deleted = hall.open().say(answer(1, hall.store.token('acme', ['yard'])), join(2, YARD))
  await hall.settle()
  deleted.take()
  hall.store.deleteRoom('acme/yard')
  // The token has lost the room with it.
  expect(await told(deleted)).toEqual([
    { left: YARD, code: Code.ROOM_UNKNOWN, detail: 'the room was deleted' },
  ])
})

test.each([
  ['an unknown acceptor', block('access', { locks: ['magic'] })],
  ['a block of a later version', { case: undefined } as Block['kind']],
])('with %s leaves the one before in force', async (_, wrong) => {
  const guest = await entered()
  hall.store.configure('acme/yard', OPEN, ECHO)
  await told(guest)
  hall.store.configure('acme/yard', wrong)
  expect(await told(guest)).toEqual([])
  guest.say(text(1, 'hi'))
  await hall.settle()
  expect(guest.heard()).toEqual(['1 receipt ROUTED 1', '0 envelope hi'])
  // Of what comes next all is told that differs from what is in force.
  hall.store.configure('acme/yard', OPEN)
  expect(await told(guest)).toEqual([{ changed: YARD, revision: 4, blocks: ['echo'] }])
})

test('everybody in a large room is told, those who leave meanwhile are not', async () => {
  const guests = await Promise.all(Array.from({ length: 1_000 }, () => entered()))
  hall.store.configure('acme/yard', OPEN, ECHO)
  guests.at(-1)!.vanish()
  let changed = 0
  for (let turn = 0; turn < 10; turn++) await hall.settle()
  for (const guest of guests) changed += guest.heard().filter((each) => each === '0 changed').length
  expect(changed).toBe(999)
})
