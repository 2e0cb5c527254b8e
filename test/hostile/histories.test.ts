/** A17, A2, A9: what is kept is heard by nobody who may not hear it, and takes bounded memory. */
import { Keep } from '@porthouse/proto/room/v1/history'
import { Values } from '@porthouse/proto/room/v1/retained'
import { Overflow, Owners } from '@porthouse/proto/room/v1/session_history'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Place } from '../../gateway/router/place.ts'
import { answer, type FrameInit, join, text } from '../support/client-frames.ts'
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
  QUIET,
  STORED,
  speak,
  UNREAD,
  words,
} from '../support/past.ts'
import { position, roomFrame } from '../support/told.ts'

const BOARD = 'room:acme/board'
const BEYOND = { epoch: 0n, sequence: 2n ** 64n - 1n }

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  opens()
})
afterEach(async () => {
  await hall.live.stop()
  vi.useRealTimers()
})

function opens(settings: ConstructorParameters<typeof Hall>[0] = {}): void {
  hall = new Hall({ heartbeatMs: 100_000_000, ...settings })
  hall.store.room('acme/board', DURABLE)
  hall.store.room('acme/other', DURABLE)
}

function holder(options: object = {}, rooms = ['board']): Promise<Guest> {
  return proved(hall, hall.store.token('acme', rooms, options))
}

async function inside(options: object = {}, room = BOARD): Promise<Guest> {
  const guest = await holder(options, [room.slice('room:acme/'.length)])
  guest.say(join(1, room))
  await hall.settle()
  guest.take()
  return guest
}

function fetch(id: number, address: string, asked: object = {}): FrameInit {
  return roomFrame(id, 'fetch', { address, ...asked })
}

/** What is kept that was said, of all that somebody heard. */
function secrets(lines: readonly string[]): string[] {
  return lines.filter((line) => line.includes('HISTORY') || line.includes('RETAINED'))
}

describe('who may hear channel a alone', () => {
  let spy: Guest

  beforeEach(async () => {
    const bob = await inside()
    for (const channel of ['a', 'b', 'a/deep', 'b/a']) speak(bob, `${BOARD}/${channel}`, channel)
    speak(bob, BOARD, 'room')
    await hall.settle()
    spy = await holder({ channels: ['a'] })
  })

  test.each(['', '/**', '/*', '/b', '/a/**', '/a/*', '/*/a', '/a/deep'])(
    'gets no backlog of the board%s',
    async (filter) => {
      for (const [i, backlog] of [0, { case: 'last', value: 9 }, UNREAD].entries()) {
        spy.say(joinFrom(i + 1, `${BOARD}${filter}`, backlog))
      }
      const heard = await hears(hall, spy)
      expect(heard.length).toBe(3)
      expect(heard.every((line) => line.endsWith('drop CHANNEL_NOT_PERMITTED'))).toBe(true)
    },
  )

  test('fetches what is in a, whatever it asks for', async () => {
    spy.say(join(1, `${BOARD}/a`))
    await hall.settle()
    spy.take()
    const filters = ['', '/**', '/*', '/b', '/a/**', '/a/*', '/*/a', '/a/deep', '/a']
    spy.say(...filters.map((filter, i) => fetch(i + 2, `${BOARD}${filter}`)))
    const heard = await hears(hall, spy)
    expect(new Set(secrets(heard))).toEqual(new Set(['a 1 HISTORY']))
    expect(heard.filter((line) => line.includes('drop')).length).toBe(5)
  })

  test('reads nothing of a room that it is not in, nor by a position that is none', async () => {
    spy.say(join(1, `${BOARD}/a`), fetch(2, 'room:acme/other'), fetch(3, 'room:acme/no-such'))
    spy.say(fetch(4, BOARD, { range: { case: 'after', value: BEYOND } }))
    spy.say(fetch(5, BOARD, { range: { case: 'around', value: BEYOND } }))
    const range = { epoch: 0n, fromSequence: 0n, toSequence: BEYOND.sequence }
    spy.say(fetch(6, BOARD, { range: { case: 'between', value: range } }))
    spy.say(fetch(7, BOARD, { limit: 2 ** 32 - 1 }))
    expect(await hears(hall, spy)).toEqual([
      '1 joined 5',
      '2 drop ENTRY_NOT_PERMITTED',
      '3 drop ENTRY_NOT_PERMITTED',
      '4 drop POSITION_UNKNOWN',
      '5 drop POSITION_UNKNOWN',
      'a 1 HISTORY',
      '6 fetched 1 of 1-5',
      'a 1 HISTORY',
      '7 fetched 1 of 1-5',
    ])
    spy.say(joinFrom(8, `${BOARD}/a`, { case: 'after', value: BEYOND }))
    spy.say(joinFrom(9, `${BOARD}/a`, { case: 'last', value: 2 ** 32 - 1 }))
    expect(await hears(hall, spy)).toEqual(['8 joined 5', '9 joined 5'])
  })
})

test('who may only send reads nothing of what was sent', async () => {
  const bob = await inside()
  speak(bob, BOARD, 'x')
  await hall.settle()
  const mute = await holder({ receive: false })
  mute.say(roomFrame(1, 'join', { address: BOARD, sendOnly: true }), fetch(2, BOARD))
  mute.say(joinFrom(3, BOARD, 0))
  const asked = { address: BOARD, sendOnly: true, backlog: { case: 'last', value: 1 } }
  mute.say(roomFrame(4, 'join', asked))
  expect(await hears(hall, mute)).toEqual([
    '1 joined 1',
    '2 drop RECEIVE_NOT_PERMITTED',
    '3 drop RECEIVE_NOT_PERMITTED',
    // Both at once mean nothing.
    '0 drop MALFORMED_PACKET',
  ])
})

test('of what was heard with rights that are gone, nothing can be read again', async () => {
  void hall.live.start()
  await hall.settle()
  const bob = await inside()
  speak(bob, `${BOARD}/a`, 'a')
  speak(bob, `${BOARD}/b`, 'b')
  const secret = hall.store.token('acme', ['board'])
  const ann = await proved(hall, secret)
  ann.say(joinFrom(1, BOARD, 0))
  expect(secrets(await hears(hall, ann)).length).toBe(2)
  const rights = { send: true, receive: true, admit: false }
  hall.store.changeToken(secret, [{ room: 'board', ...rights, channels: ['a'] }])
  await hall.settle()
  ann.take()
  ann.say(fetch(2, BOARD), fetch(3, `${BOARD}/b`), joinFrom(4, BOARD, 0))
  const heard = await hears(hall, ann)
  expect(secrets(heard)).toEqual(['a 1 HISTORY'])
  hall.store.changeToken(secret, [])
  await hall.settle()
  ann.take()
  ann.say(fetch(5, `${BOARD}/a`), joinFrom(6, `${BOARD}/a`, 0))
  expect(await hears(hall, ann)).toEqual([
    '5 drop ENTRY_NOT_PERMITTED',
    '6 drop ENTRY_NOT_PERMITTED',
  ])
})

test("another's own channel is nobody's, by whichever name", async () => {
  const ann = await holder({ client: 'ann' })
  const bob = await holder({ client: 'bob' })
  speak(bob, 'client:acme/ann', 'secret')
  await hall.settle()
  const { id } = await hall.store.clients.find('acme', 'ann').then((found) => found ?? { id: '' })
  const addresses = [
    'client:acme/ann',
    `client:acme/${id}`,
    'client:acme/nobody',
    'client:other/ann',
    `client:acme/${id.toUpperCase()}`,
  ]
  bob.say(...addresses.map((address, i) => joinFrom(i + 1, address, 0)))
  const heard = await hears(hall, bob)
  expect(heard).toEqual(addresses.map((_, i) => `${i + 1} drop ENTRY_NOT_PERMITTED`))
  ann.take()
})

test('cursors of one are no cursors of another', async () => {
  const bob = await inside({ client: 'bob' })
  speak(bob, BOARD, ...words(5))
  await hall.settle()
  bob.take()
  const ann = await inside({ client: 'ann' })
  ann.say(cursor(1, BOARD, 5))
  await hall.settle()
  expect(await hears(hall, bob)).toEqual([])
  const again = await holder({ client: 'bob' })
  again.say(joinFrom(1, BOARD, UNREAD))
  expect((await hears(hall, again))[0]).toBe('1 joined 5 from 0')
})

describe('a session history', () => {
  const STAGE = 'room:acme/stage'
  const hello = (resume = '') =>
    ({ id: 1, body: { case: 'hello', value: { capabilities: ['resume'], resume } } }) as FrameInit

  async function arrives(resume = '', secret?: string): Promise<{ guest: Guest; token: string }> {
    const guest = hall.open().say(hello(resume), ...(secret ? [answer(2, secret)] : []))
    await hall.settle()
    const tokens = guest.take().map(({ body }) => (body.case === 'resume' ? body.value.token : ''))
    return { guest, token: tokens.find((token) => token !== '') ?? '' }
  }

  beforeEach(() => {
    hall.store.room('acme/stage', OPEN, block('sessionHistory', { owners: Owners.ALL }))
  })

  test('is not had by who guesses a token, or has one that was spent', async () => {
    const secret = hall.store.token('acme', [], { client: 'ann' })
    const watcher = await holder({}, [])
    watcher.say(join(1, STAGE))
    const first = await arrives('', secret)
    first.guest.say(join(3, STAGE), text(0, 'a', { ...QUIET, to: [STAGE] }))
    await hall.settle()
    first.guest.vanish()
    const second = await arrives(first.token)
    // It is spent with the next packet.
    second.guest.say(join(3, STAGE))
    await hall.settle()
    for (const stolen of [first.token, 'x'.repeat(43), '']) {
      const { guest } = await arrives(stolen, hall.store.token('acme', [], { client: 'eve' }))
      guest.say(join(3, STAGE))
      await hall.settle()
      guest.vanish()
    }
    await hall.settle()
    const newcomer = await holder({}, [])
    newcomer.say(join(1, STAGE))
    expect(await hears(hall, newcomer)).toContain('a 1 SESSION')
    second.guest.say({ body: { case: 'drop', value: {} } })
    const later = await holder({}, [])
    later.say(join(1, STAGE))
    expect(await hears(hall, later)).toEqual(['1 joined 1'])
  })

  test('is his again who comes by the same token twice, since his Welcome was lost', async () => {
    const first = await arrives('', hall.store.token('acme', [], { client: 'ann' }))
    first.guest.say(join(3, STAGE), text(0, 'a', { ...QUIET, to: [STAGE] }))
    await hall.settle()
    first.guest.vanish()
    // One packet, and the connection is cut before anything comes back.
    const lost = hall.open().say(hello(first.token), join(2, STAGE))
    await hall.settle()
    lost.vanish()
    const again = hall.open().say(hello(first.token), join(2, STAGE))
    await hall.settle()
    again.say({})
    hall.pass(130_000)
    const newcomer = await holder({}, [])
    newcomer.say(join(1, STAGE))
    expect(await hears(hall, newcomer)).toContain('a 1 SESSION')
  })

  test('that rejects what does not fit drops nothing of what it took', async () => {
    const bound = { owners: Owners.ALL, bytes: 1_000, overflow: Overflow.REJECT }
    hall.store.room('acme/small', OPEN, block('sessionHistory', bound))
    const small = 'room:acme/small'
    const ann = await holder({}, [])
    ann.say(join(1, small))
    await hall.settle()
    ann.take()
    ann.say(...words(9).map((id) => text(Number(id), id.padEnd(100, '.'), { to: [small] })))
    const heard = await hears(hall, ann)
    const taken = heard.filter((line) => line.includes('ACCEPTED')).length
    expect(heard.filter((line) => line.includes('QUEUE_FULL')).length).toBe(9 - taken)
    const newcomer = await holder({}, [])
    newcomer.say(join(1, small))
    const replayed = (await hears(hall, newcomer)).filter((line) => line.includes('SESSION'))
    expect(replayed.length).toBe(taken)
  })
})

describe('a last value', () => {
  const TABLE = 'room:acme/table'
  const KEEPS = block('retained', { values: Values.ALL, channels: 100_000 })

  beforeEach(() => {
    hall.store.room('acme/table', KEEPS)
  })

  test('is neither set nor taken away by who may not send there', async () => {
    const bob = await inside({}, TABLE)
    speak(bob, `${TABLE}/b`, 'own')
    await hall.settle()
    const eve = await holder({ channels: ['a'] }, ['table'])
    const mute = await holder({ send: false }, ['table'])
    const at = (cell: string) => ({ to: [`${TABLE}/${cell}`], retain: true })
    for (const guest of [eve, mute]) {
      guest.say(text(1, 'forged', at('b')), text(2, '', at('b')), text(3, 'forged', at('c')))
      expect((await hears(hall, guest)).every((line) => line.includes('REJECTED'))).toBe(true)
    }
    const newcomer = await holder({}, ['table'])
    newcomer.say(join(1, TABLE))
    expect(secrets(await hears(hall, newcomer))).toEqual(['own 1 RETAINED'])
    const spy = await holder({ channels: ['a'] }, ['table'])
    spy.say(join(1, `${TABLE}/a`), join(2, TABLE), join(3, `${TABLE}/**`))
    expect(secrets(await hears(hall, spy))).toEqual([])
  })

  test('that was never there is taken away without the store', async () => {
    const bob = await inside({}, TABLE)
    const save = vi.spyOn(hall.store.retained, 'save')
    for (const cell of words(2_000)) bob.say(text(0, '', { ...QUIET, to: [`${TABLE}/${cell}`] }))
    await hall.settle()
    hall.pass(2_000)
    await hall.settle()
    expect(save).not.toHaveBeenCalled()
  })

  test('waits for a store that is away within bounds, and then is refused', async () => {
    opens({ history: { queueBytes: 1_048_576 } })
    hall.store.room('acme/table', KEEPS)
    const bob = await inside({}, TABLE)
    hall.store.away = true
    // Set and taken away again: the room keeps little, the store has to be told of all.
    for (const cell of words(4_000)) {
      bob.say(text(1, 'x', { to: [`${TABLE}/${cell}`] }), text(2, '', { to: [`${TABLE}/${cell}`] }))
    }
    const heard = await hears(hall, bob)
    const full = heard.filter((line) => line.includes('QUEUE_FULL')).length
    expect(full).toBeGreaterThan(500)
    expect(heard.slice(0, 2_000).some((line) => line.includes('QUEUE_FULL'))).toBe(false)
    hall.store.away = false
    hall.pass(10_000)
    await hall.settle()
    hall.pass(10_000)
    await hall.settle()
    bob.say(text(3, 'y', { to: [`${TABLE}/z`] }))
    expect(await hears(hall, bob)).toEqual([expect.stringMatching(/^3 ACCEPTED/)])
  })

  test('of 100,000 channels is stored, and of one more it is not', async () => {
    const bob = await inside({}, TABLE)
    const size = () => Number(hall.rooms.at(hall.graph.place('acme/table') as Place).retained?.size)
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 10; j++) {
        bob.say(
          ...words(100, i * 1_000 + j * 100).map((cell) =>
            text(0, 'v', { ...QUIET, to: [`${TABLE}/${cell}`] }),
          ),
        )
      }
      bob.take()
      await hall.settle()
    }
    expect(size()).toBe(100_000)
    bob.take()
    bob.say(text(1, 'v', { to: [`${TABLE}/more`] }))
    expect(await hears(hall, bob)).toEqual(['1 REJECTED RETAINED_LIMIT'])
  }, 30_000)
})

describe('memory is bounded', () => {
  test('of cursors that thirty thousand move', async () => {
    const { cursors } = hall.core
    const find = vi.spyOn(hall.store.cursors, 'find')
    const { id } = (await hall.store.rooms.find('acme', 'board')) as { id: string }
    await hall.store.histories.claim(id)
    for (let i = 0; i < 30_000; i++) void cursors.move(id, { epoch: 1, holder: `${i}` }, 0)
    await hall.settle()
    find.mockClear()
    for (let i = 0; i < 30_000; i++) await cursors.known(id, { epoch: 1, holder: `${i}` })
    // Forgotten in the order of their use: going through all of them, each was.
    expect(find.mock.calls.length).toBe(30_000)
    find.mockClear()
    for (let i = 29_999; i >= 0; i--) await cursors.known(id, { epoch: 1, holder: `${i}` })
    expect(find.mock.calls.length).toBe(20_000)
  }, 30_000)

  test('of own channels of a thousand clients', async () => {
    opens({ resume: { allBytes: 1_000_000, bytes: 10_000 } })
    const bob = await holder({ client: 'bob' })
    const { own } = hall.core
    const channels: string[] = []
    for (const name of words(1_000)) {
      await holder({ client: `c${name}` })
      channels.push(`client:acme/c${name}`)
      speak(bob, `client:acme/c${name}`, 'x'.repeat(5_000))
    }
    await hall.settle()
    const bytes = channels.reduce((sum, each) => sum + (own.find(each)?.window.bytes ?? 0), 0)
    expect(bytes).toBeGreaterThan(900_000)
    expect(bytes).toBeLessThanOrEqual(1_000_000)
  }, 30_000)

  test('of session histories of very many connections', async () => {
    opens({ history: { sessionBytes: 1_000_000 } })
    hall.store.room('acme/stage', OPEN, block('sessionHistory', { owners: Owners.ALL }))
    const stage = 'room:acme/stage'
    const all: Guest[] = []
    for (let i = 0; i < 2_000; i++) {
      const guest = hall
        .open()
        .say(join(1, stage, true), text(0, 'x'.repeat(1_000), { ...QUIET, to: [stage] }))
      all.push(guest)
      if (i % 100 === 0) await hall.settle()
      guest.take()
    }
    await hall.settle()
    const newcomer = hall.open().say(join(1, stage))
    const heard = (await hears(hall, newcomer)).filter((line) => line.includes('SESSION'))
    expect(heard.length).toBeGreaterThan(700)
    expect(heard.length).toBeLessThan(1_000)
    for (const guest of all) guest.say({ body: { case: 'drop', value: {} } })
    await hall.settle()
    const later = hall.open().say(join(1, stage))
    expect((await hears(hall, later)).length).toBe(1)
  }, 30_000)

  test('of those who send the same again while it waits', async () => {
    hall.store.room('acme/yard', OPEN, DURABLE)
    const yard = 'room:acme/yard'
    const secret = hall.store.token('acme', [], { client: 'ann' })
    const ann = await proved(hall, secret)
    ann.say(join(1, yard))
    await hall.settle()
    ann.take()
    const release = hall.store.histories.hold()
    const same = { ...STORED, to: [yard], idempotencyKey: 'k' }
    ann.say(...words(300).map((id) => text(Number(id), 'x', same)))
    const heard = await hears(hall, ann)
    expect(heard).toEqual(words(300 - 65, 66).map((id) => `${id} REJECTED QUEUE_FULL`))
    release()
    const rest = await hears(hall, ann)
    expect(rest).toEqual(['1 STORED 1', ...words(64, 2).map((id) => `${id} DUPLICATE 1`)])
  })
})

test('a window keeps no more than its bytes, of whatever size its messages are', async () => {
  hall.store.room('acme/window', OPEN, keeping(Keep.WINDOW, { bytes: 100_000, messages: 10_000 }))
  const window = 'room:acme/window'
  const ann = hall.open().say(join(1, window))
  await hall.settle()
  for (let i = 0; i < 50; i++) {
    speak(ann, window, 'x'.repeat(i % 2 === 0 ? 1 : 60_000))
    for (const word of words(20)) speak(ann, window, word)
  }
  await hall.settle()
  const room = hall.rooms.at(hall.graph.place('acme/window') as Place)
  expect(room.history.window.bytes).toBeLessThanOrEqual(100_000)
  ann.take()
  ann.say(fetch(2, window, { range: { case: 'after', value: position(0) }, limit: 1_000 }))
  expect((await hears(hall, ann)).length).toBeGreaterThan(20)
})
