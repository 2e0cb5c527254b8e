/** A live room gets another config, and nobody is dropped for it (R19). */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import type { Changed, Joined, Left } from '@porthouse/proto/v1/room'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StoreError } from '../../gateway/store/store.ts'
import { answer, join, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { textOf } from '../support/heard.ts'
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
afterEach(() => {
  vi.useRealTimers()
  return hall.live.stop()
})

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

test('a config of a later version is told once, and what was in force stays so', async () => {
  const guest = await entered()
  const error = vi.spyOn(hall.core.log, 'error')
  const unreadable = new StoreError('unreadable', 'of another version')
  const find = vi.spyOn(hall.store.rooms, 'find').mockRejectedValue(unreadable)
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  hall.store.configure('acme/yard', block('access', { locks: ['token'] }))
  expect(await told(guest)).toEqual([])
  // A store that is away would be asked again in a moment.
  expect([find.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0])
  expect(error.mock.calls.map(([, text]) => text)).toEqual([
    'a config cannot be used here; the one before it stays in force',
  ])
  // Whoever comes to a room that is not loaded is told that it is not for a moment.
  hall.store.room('acme/den', OPEN)
  const other = hall.open('/acme/den')
  await hall.settle()
  expect(other.heard().at(-1)).toContain('INTERNAL')
  find.mockRestore()
  hall.store.configure('acme/yard', OPEN, ECHO)
  expect(await told(guest)).toEqual([{ changed: YARD, revision: 3, blocks: ['echo'] }])
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

const keeping = (keep: Keep) => block('history', { keep })

/** What a client makes of positions: those of messages are of the epoch of the last Joined. */
class Reader {
  readonly #guest: Guest
  #epoch: bigint | undefined

  constructor(guest: Guest) {
    this.#guest = guest
    this.#epoch = BigInt(hall.graph.place('acme/yard')!.epoch)
  }

  /** Positions of the messages heard since the last call. */
  async positions(): Promise<string[]> {
    await hall.settle()
    const heard: string[] = []
    for (const { body } of this.#guest.take()) {
      if (body.case === 'envelope') {
        heard.push(`${this.#epoch}/${body.value.stamp?.sequence} ${textOf(body.value)}`)
      } else if (body.case === 'room' && body.value.action.case === 'joined') {
        this.#epoch = body.value.action.value.epoch
      }
    }
    return heard
  }
}

test('another history begins another epoch, which members are told', async () => {
  const [speaker, listener] = [await entered(), await entered()]
  hall.store.configure('acme/yard', OPEN, keeping(Keep.WINDOW))
  expect(await told(listener)).toEqual([
    { joined: YARD, maySend: true, listening: true },
    { changed: YARD, revision: 2, blocks: ['history'] },
  ])
  // Its bounds alone are no other history.
  const window = { messages: 5 }
  hall.store.configure('acme/yard', OPEN, block('history', { keep: Keep.WINDOW, window }))
  expect(await told(listener)).toEqual([{ changed: YARD, revision: 3, blocks: ['history'] }])
  speaker.say(text(1, 'hi'))
  await hall.settle()
  expect(listener.heard()).toEqual(['0 envelope hi'])
})

test('what was stored stays, and a history that is durable again goes on after it', async () => {
  hall.store.configure('acme/yard', OPEN, keeping(Keep.DURABLE))
  const speaker = await entered()
  const reader = new Reader(await entered())
  const say = async (id: number) => {
    speaker.say(text(id, `${id}`))
    return (await reader.positions())[0]
  }
  expect(await say(1)).toBe('1/1 1')
  hall.store.configure('acme/yard', OPEN)
  await reader.positions()
  expect(await say(2)).toMatch(/^\d{13}\/1 2$/)
  hall.store.configure('acme/yard', OPEN, keeping(Keep.DURABLE))
  await reader.positions()
  expect(await say(3)).toBe('1/2 3')
})

test('what is sent while the history is changed is heard once, in order', async () => {
  const speaker = await entered()
  const reader = new Reader(await entered())
  const seen = new Set<string>()
  for (const [round, keep] of [Keep.DURABLE, Keep.WINDOW, Keep.NONE, Keep.DURABLE].entries()) {
    const sent = Array.from({ length: 20 }, (_, i) => `${round}:${i}`)
    const heard: string[] = []
    for (const [i, each] of sent.entries()) {
      if (i === 5) hall.store.configure('acme/yard', OPEN, keeping(keep))
      speaker.say(text(i + 1, each))
      for (let turns = 0; turns < i % 4; turns++) await Promise.resolve()
    }
    for (let turn = 0; turn < 5; turn++) heard.push(...(await reader.positions()))
    expect(heard.map((each) => each.split(' ')[1])).toEqual(sent)
    for (const each of heard) seen.add(each.split(' ')[0] as string)
  }
  expect(seen.size).toBe(80)
})
