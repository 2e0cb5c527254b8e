/** Catching up goes on, or stops, rightly whatever changes meanwhile (R36, R43, R46, R51). */
import { Keep } from '@porthouse/proto/room/v1/history'
import { Owners } from '@porthouse/proto/room/v1/session_history'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { join, leave } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import {
  block,
  DURABLE,
  hears,
  joinFrom,
  keeping,
  proved,
  since,
  speak,
  words,
} from '../support/past.ts'
import { position, roomFrame } from '../support/told.ts'

const BOARD = 'room:acme/board'
const SESSIONS = block('sessionHistory', { owners: Owners.ALL })

/** Of words that are long, a few fill what a connection takes at once. */
const LONG = 'x'.repeat(20_000)

let hall: Hall

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  hall = new Hall({ limits: { subscriptions: 1_100 } })
  hall.store.room('acme/board', DURABLE)
  hall.store.room('acme/open', OPEN, DURABLE)
  hall.store.room('acme/recent', OPEN, keeping(Keep.WINDOW, { messages: 1_000, bytes: 4_000_000 }))
  hall.store.room('acme/stage', OPEN, SESSIONS)
  void hall.live.start()
  await hall.settle()
})
afterEach(async () => {
  await hall.live.stop()
  vi.useRealTimers()
})

function insider(options: object = {}): Promise<Guest> {
  return proved(hall, hall.store.token('acme', ['board', 'open'], options))
}

async function member(room: string): Promise<Guest> {
  const guest = await insider()
  guest.say(join(1, room))
  await hall.settle()
  guest.take()
  return guest
}

/** A member of a room in which so many long messages were sent, numbered from 1. */
async function filled(room: string, count: number, channel = ''): Promise<Guest> {
  const bob = await member(room)
  for (const word of words(count)) speak(bob, `${room}${channel}`, `${word} ${LONG}`)
  await hall.settle()
  bob.take()
  return bob
}

/** The same, with only the number of each long message. */
async function brief(guest: Guest): Promise<string[]> {
  return (await hears(hall, guest)).map((line) => line.replace(LONG, '').replace('  ', ' '))
}

/** Takes what there is, until nothing more comes. */
async function gulps(guest: Guest): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    guest.gulp()
    const lines = await brief(guest)
    if (lines.length === 0) return all
    all.push(...lines)
  }
}

describe.each([BOARD, 'room:acme/recent'])('a slow reader of %s', (room) => {
  test('goes live when he has taken all, and not before', async () => {
    const bob = await filled(room, 30)
    const ann = await insider()
    ann.stick()
    ann.say(joinFrom(1, room, 0))
    const first = await brief(ann)
    expect(first[0]).toBe('1 joined 30 from 0')
    expect(first.length).toBeLessThan(10)
    speak(bob, room, 'live')
    expect(await hears(hall, ann)).toEqual([])
    const rest = await gulps(ann)
    expect([...first.slice(1), ...rest]).toEqual([
      ...words(30).map((word) => `${word} ${word} HISTORY`),
      'live 31 HISTORY',
      '0 caughtUp 31',
    ])
    speak(bob, room, 'now')
    expect(await gulps(ann)).toEqual(['now 32'])
  })

  test('never goes live in a room that is faster, and slows nobody', async () => {
    const bob = await filled(room, 10)
    const ann = await insider()
    ann.stick()
    ann.say(joinFrom(1, room, 0))
    const heard = await brief(ann)
    for (const word of words(40, 11)) {
      speak(bob, room, `${word} ${LONG}`)
      await hall.settle()
      if (Number(word) % 10 === 0) {
        ann.gulp()
        heard.push(...(await brief(ann)))
      }
    }
    expect(heard.filter((line) => line.includes('caughtUp'))).toEqual([])
    heard.push(...(await gulps(ann)))
    expect(heard.slice(1)).toEqual([
      ...words(50).map((word) => `${word} ${word} HISTORY`),
      '0 caughtUp 50',
    ])
  })
})

test('a room that keeps a short window tells a slow reader what he lost', async () => {
  hall.store.room('acme/short', OPEN, keeping(Keep.WINDOW, { messages: 10 }))
  const room = 'room:acme/short'
  const bob = await filled(room, 10)
  const ann = await insider()
  ann.stick()
  ann.say(joinFrom(1, room, 0))
  const heard = await brief(ann)
  const had = heard.length - 1
  for (const word of words(20, 11)) speak(bob, room, `${word} ${LONG}`)
  await hall.settle()
  const rest = await gulps(ann)
  expect(rest[0]).toBe(`0 lost ${had + 1}-20 RETENTION`)
  expect(rest.slice(1)).toEqual([
    ...words(10, 21).map((word) => `${word} ${word} HISTORY`),
    '0 caughtUp 30',
  ])
})

describe('several of one socket', () => {
  test('go one after the other, and all of them to the end', async () => {
    await filled(BOARD, 20)
    await filled('room:acme/recent', 20)
    const ann = await insider()
    ann.stick()
    ann.say(
      joinFrom(1, BOARD, 0),
      joinFrom(2, 'room:acme/recent', 0),
      joinFrom(3, 'room:acme/open', 0),
    )
    const heard = [...(await brief(ann)), ...(await gulps(ann))]
    const history = words(20).map((word) => `${word} ${word} HISTORY`)
    expect(heard.filter((line) => !line.includes('joined'))).toEqual([
      ...history,
      '0 caughtUp 20',
      ...history,
      '0 caughtUp 20',
      '0 caughtUp 0',
    ])
  })

  test('of a thousand channels with backlogs keep within what the socket holds', async () => {
    const bob = await member(BOARD)
    for (const cell of words(1_000)) {
      speak(bob, `${BOARD}/${cell}`, cell.padEnd(2_000, '.'))
      if (Number(cell) % 100 === 0) await hall.settle()
    }
    const ann = await insider()
    ann.stick()
    ann.say(...words(1_000).map((cell) => joinFrom(Number(cell), `${BOARD}/${cell}`, 0)))
    const heard = [...(await brief(ann)), ...(await gulps(ann))]
    expect(ann.ended).toBeUndefined()
    const cells = heard
      .filter((line) => line.includes('HISTORY'))
      .map((line) => Number.parseInt(line, 10))
    expect(cells).toEqual(words(1_000).map(Number))
    expect(heard.filter((line) => line.includes('caughtUp')).length).toBe(1_000)
    speak(bob, `${BOARD}/777`, 'live')
    expect(await gulps(ann)).toEqual(['live 1001'])
  }, 20_000)

  test('in one room bring what is new once, whichever of them it is for', async () => {
    const bob = await filled(BOARD, 10, '/a')
    const ann = await insider()
    ann.stick()
    ann.say(joinFrom(1, BOARD, 0), joinFrom(2, `${BOARD}/a`, 9), join(3, `${BOARD}/b`))
    const heard = await brief(ann)
    speak(bob, `${BOARD}/a`, 'a')
    speak(bob, `${BOARD}/b`, 'b')
    heard.push(...(await gulps(ann)))
    const lines = heard.filter((line) => !line.includes('joined'))
    expect(lines).toEqual([
      ...words(10).map((word) => `${word} ${word} HISTORY`),
      'a 11 HISTORY',
      'b 12 HISTORY',
      '0 caughtUp 12',
      // As it was asked for; what came since is not said again.
      '10 10 HISTORY',
      '0 caughtUp 12',
      '0 caughtUp 12',
    ])
    speak(bob, `${BOARD}/b`, 'c')
    expect(await gulps(ann)).toEqual(['c 13'])
  })

  test('leave a Fetch its turn, and it them', async () => {
    await filled(BOARD, 20)
    const ann = await insider()
    ann.stick()
    ann.say(joinFrom(1, BOARD, 0))
    for (let id = 2; id < 6; id++) ann.say(roomFrame(id, 'fetch', { address: BOARD, limit: 3 }))
    const heard = [...(await brief(ann)), ...(await gulps(ann))]
    expect(heard.filter((line) => line.includes('fetched')).length).toBe(4)
    expect(heard.filter((line) => line.includes('caughtUp'))).toEqual(['0 caughtUp 20'])
    expect(heard.filter((line) => line.includes('HISTORY')).length).toBe(20 + 12)
  })
})

describe('meanwhile', () => {
  async function catching(
    room: string,
    count = 20,
  ): Promise<{ ann: Guest; bob: Guest; had: number }> {
    const bob = await filled(room, count)
    const ann = await insider()
    ann.stick()
    ann.say(joinFrom(1, room, 0))
    const had = (await brief(ann)).length - 1
    expect(had).toBeLessThan(count)
    return { ann, bob, had }
  }

  test('he leaves: nothing more comes', async () => {
    const { ann } = await catching(BOARD)
    ann.say(leave(2, BOARD))
    expect(await gulps(ann)).toEqual(['2 left'])
  })

  test('he leaves the one channel and stays in the other', async () => {
    const bob = await member(BOARD)
    for (const word of words(10)) {
      speak(bob, `${BOARD}/a`, `${word} ${LONG}`)
      speak(bob, `${BOARD}/b`, `${word} ${LONG}`)
    }
    await hall.settle()
    const ann = await insider()
    ann.stick()
    ann.say(joinFrom(1, `${BOARD}/a`, 0), joinFrom(2, `${BOARD}/b`, 0))
    await brief(ann)
    ann.say(leave(3, `${BOARD}/a`))
    const heard = await gulps(ann)
    expect(heard).toEqual([
      '3 left',
      ...words(10).map((word) => `${word} ${2 * Number(word)} HISTORY`),
      '0 caughtUp 20',
    ])
  })

  test('the room is deleted: he is told, and nothing more comes', async () => {
    const { ann } = await catching(BOARD)
    hall.store.deleteRoom('acme/board')
    expect(await gulps(ann)).toEqual(['0 left ROOM_UNKNOWN'])
  })

  test('the store is away, and back', async () => {
    const { ann, had } = await catching(BOARD)
    hall.store.away = true
    expect(await gulps(ann)).toEqual([])
    hall.store.away = false
    hall.pass(1_000)
    const heard = await gulps(ann)
    expect(heard).toEqual([
      ...words(20 - had, had + 1).map((word) => `${word} ${word} HISTORY`),
      '0 caughtUp 20',
    ])
  })

  test.each([
    ['a window', keeping(Keep.WINDOW), ['a 1 HISTORY', 'b 2 HISTORY', '0 caughtUp 2']],
    ['nothing', keeping(Keep.NONE), ['0 lost 1-2 RETENTION', '0 caughtUp 2']],
  ])('the room keeps %s from then on', async (_, kept, rest) => {
    const { ann, bob, had } = await catching('room:acme/open')
    hall.store.configure('acme/open', OPEN, kept)
    await hall.settle()
    speak(bob, 'room:acme/open', 'a', 'b')
    await hall.settle()
    const heard = await gulps(ann)
    expect(heard.slice(0, 3)).toEqual([
      '0 joined 0',
      '0 changed',
      `0 lost ${had + 1}-20 EPOCH_CHANGED`,
    ])
    expect(heard.slice(3)).toEqual(rest)
    speak(bob, 'room:acme/open', 'live')
    expect(await gulps(ann)).toEqual(['live 3'])
  })

  test('the room keeps no session histories any more: what he missed he is told', async () => {
    const { ann, bob } = await catching('room:acme/stage')
    hall.store.configure('acme/stage', OPEN)
    await hall.settle()
    speak(bob, 'room:acme/stage', 'a', 'b')
    const heard = (await gulps(ann)).filter((line) => !line.includes('SESSION'))
    expect(heard).toEqual(['0 changed', '0 lost 21-22 RETENTION', '0 caughtUp 22'])
  })

  test('who sent a session history leaves: no more of it comes', async () => {
    const { ann, bob } = await catching('room:acme/stage')
    bob.say(leave(9, 'room:acme/stage'))
    expect(await gulps(ann)).toEqual(['0 caughtUp 20'])
  })

  test('it is as with a restored store, which has less: no end, and no hurry', async () => {
    const { ann } = await catching(BOARD)
    const { id } = (await hall.store.rooms.find('acme', 'board')) as { id: string }
    await hall.store.histories.purge(id)
    const pages = vi.spyOn(hall.store.histories, 'page')
    await gulps(ann)
    expect(pages.mock.calls.length).toBeLessThan(10)
  })
})

describe('rights that are narrowed meanwhile', () => {
  const both = { room: 'board', send: true, receive: true, admit: false, channels: [] }
  const one = { ...both, channels: ['a'] }

  test('end the subscription, also with a page on its way', async () => {
    await filled(BOARD, 10)
    const secret = hall.store.token('acme', ['board'])
    const ann = await proved(hall, secret)
    ann.stick()
    ann.say(joinFrom(1, BOARD, 0))
    await brief(ann)
    const release = hall.store.hold()
    ann.gulp()
    hall.endTurn()
    hall.store.changeToken(secret, [one])
    release()
    const heard = await gulps(ann)
    expect(heard.filter((line) => line.includes('HISTORY'))).toEqual([])
    expect(heard).toContain('0 joined 10')
  })

  test('end what came from before as well', async () => {
    hall.store.configure('acme/board', SESSIONS)
    await filled(BOARD, 10)
    const secret = hall.store.token('acme', ['board'])
    const ann = await proved(hall, secret)
    ann.stick()
    ann.say(join(1, BOARD))
    await brief(ann)
    hall.store.changeToken(secret, [one])
    await hall.settle()
    expect((await gulps(ann)).filter((line) => line.includes('SESSION'))).toEqual([])
  })

  test('refuse the pages that were asked for before', async () => {
    await filled(BOARD, 10)
    const secret = hall.store.token('acme', ['board'])
    const ann = await proved(hall, secret)
    ann.stick()
    ann.say(join(1, BOARD))
    for (let id = 2; id < 6; id++) ann.say(roomFrame(id, 'fetch', { address: BOARD }))
    await brief(ann)
    hall.store.changeToken(secret, [one])
    await hall.settle()
    const heard = await gulps(ann)
    expect(heard.filter((line) => line.includes('HISTORY'))).toEqual([])
    expect(heard.filter((line) => line.includes('drop')).length).toBeGreaterThan(2)
  })
})

describe('Fetch', () => {
  test('finds what is rare, or says that there is more', async () => {
    const bob = await member(BOARD)
    speak(bob, `${BOARD}/rare`, 'first')
    // More than are in memory.
    speak(bob, BOARD, ...words(160))
    speak(bob, `${BOARD}/rare`, 'last')
    await hall.settle()
    hall.store.histories.scanned = 20
    const ann = await insider()
    ann.say(join(1, BOARD))
    await hall.settle()
    ann.take()
    const fetch = (id: number, asked: object) =>
      roomFrame(id, 'fetch', { address: `${BOARD}/rare`, limit: 1, ...asked })
    ann.say(fetch(2, { range: { case: 'after', value: position(1) } }))
    ann.say(fetch(3, { range: { case: 'before', value: position(162) } }))
    expect(await hears(hall, ann)).toEqual([
      'last 162 HISTORY',
      '2 fetched 1 of 1-162, more before',
      'first 1 HISTORY',
      '3 fetched 1 of 1-162, more after',
    ])
    hall.store.histories.scanned = 1
    ann.say(fetch(4, { range: { case: 'after', value: position(1) } }))
    expect(await hears(hall, ann)).toEqual(['4 fetched 0 of 1-162, more before and after'])
  })

  test('asked by one who does not read keeps few pages, and is bounded', async () => {
    await filled(BOARD, 20)
    const ann = await insider()
    ann.say(join(1, BOARD))
    await hall.settle()
    ann.take()
    ann.stick()
    const pages = vi.spyOn(hall.store.histories, 'page')
    ann.say(...words(400).map((id) => roomFrame(Number(id), 'fetch', { address: BOARD })))
    const heard = await brief(ann)
    expect(heard.filter((line) => line.includes('QUEUE_FULL')).length).toBeGreaterThan(200)
    expect(pages.mock.calls.length).toBeLessThan(3)
  })
})

test('the last so many are found among many others', async () => {
  const bob = await member(BOARD)
  speak(bob, `${BOARD}/rare`, 'a', 'b', 'c')
  speak(bob, BOARD, ...words(60))
  await hall.settle()
  hall.store.histories.scanned = 10
  const ann = await insider()
  ann.say(joinFrom(1, `${BOARD}/rare`, { case: 'last', value: 2 }))
  expect(await hears(hall, ann)).toEqual([
    '1 joined 63 from 1',
    'b 2 HISTORY',
    'c 3 HISTORY',
    '0 caughtUp 63',
  ])
})

test('a backlog that nobody may ask for so often is refused', async () => {
  const ann = await insider()
  const asked = words(1_100).map((id) =>
    joinFrom(Number(id), 'room:acme/open', { case: 'last', value: 1 }),
  )
  ann.say(...asked.slice(0, 550))
  await hall.settle()
  ann.say(...asked.slice(550))
  const heard = await hears(hall, ann)
  expect(heard.filter((line) => line.includes('RATE_LIMITED')).length).toBe(76)
})

test('a window that is too old is no history, though nothing was sent since', async () => {
  const bob = await member('room:acme/recent')
  speak(bob, 'room:acme/recent', 'a', 'b')
  await hall.settle()
  hall.now += 301_000
  const ann = await insider()
  const { epoch } = hall.graph.place('acme/recent') as { epoch: number }
  ann.say(joinFrom(1, 'room:acme/recent', since(1, epoch)))
  expect(await hears(hall, ann)).toEqual(['1 joined 2 from 2 RETENTION', '0 caughtUp 2'])
})

test('the beginning of a room that keeps nothing is never had', async () => {
  hall.store.room('acme/street', OPEN)
  const ann = await insider()
  ann.say(joinFrom(1, 'room:acme/street', 0))
  expect(await hears(hall, ann)).toEqual(['1 joined 0 from 0 NO_HISTORY', '0 caughtUp 0'])
})
