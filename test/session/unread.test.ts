/** What a client has not read: once, on whichever of its sockets, and counted from afar (R36). */
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { join } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { envelopes, textOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import {
  block,
  cursor,
  DURABLE,
  hears,
  joinFrom,
  proved,
  speak,
  UNREAD,
  words,
} from '../support/past.ts'
import { command } from '../support/staff.ts'

const BOARD = 'room:acme/board'

let hall: Hall

beforeEach(() => {
  hall = boards()
})

function boards(): Hall {
  const made = new Hall()
  made.store.room('acme/board', DURABLE)
  made.store.room('acme/notes', DURABLE)
  made.store.room('acme/locked', DURABLE)
  made.store.room('acme/uncounted', DURABLE, block('unread', { enabled: false }))
  made.store.room('acme/moment')
  made.store.room('acme/yard', OPEN, DURABLE)
  return made
}

async function writer(room = BOARD): Promise<Guest> {
  const guest = await proved(hall, hall.store.token('acme', [room.slice('room:acme/'.length)]))
  guest.say(join(1, room))
  await hall.settle()
  guest.take()
  return guest
}

test('comes on joining, then what is live, and no more of it once it is read', async () => {
  const bob = await writer()
  speak(bob, BOARD, 'a', 'b', 'c')
  await hall.settle()
  const ann = hall.store.token('acme', ['board'], { client: 'ann' })
  const phone = await proved(hall, ann)
  phone.say(joinFrom(1, BOARD, UNREAD))
  speak(bob, BOARD, 'd')
  expect(await hears(hall, phone)).toEqual([
    '1 joined 3 from 0',
    'a 1 HISTORY',
    'b 2 HISTORY',
    'c 3 HISTORY',
    '0 caughtUp 3',
    'd 4',
  ])
  phone.say(cursor(2, BOARD, 2))
  await hall.settle()
  const laptop = await proved(hall, ann)
  laptop.say(joinFrom(1, BOARD, UNREAD))
  expect(await hears(hall, laptop)).toEqual([
    '1 joined 4 from 2',
    'c 3 HISTORY',
    'd 4 HISTORY',
    '0 caughtUp 4',
  ])
})

test('of a room without cursors, and of nobody, is refused or said to be nothing', async () => {
  const guest = await proved(hall, hall.store.token('acme', ['uncounted', 'moment']))
  guest.say(joinFrom(1, 'room:acme/uncounted', UNREAD), joinFrom(2, 'room:acme/moment', UNREAD))
  expect(await hears(hall, guest)).toEqual([
    '1 joined 0 from 0 NO_HISTORY',
    '0 caughtUp 0',
    '2 joined 0 from 0 NO_HISTORY',
    '0 caughtUp 0',
  ])
  const stranger = hall.open().say(joinFrom(1, 'room:acme/yard', UNREAD))
  expect(await hears(hall, stranger)).toEqual(['1 drop UNAUTHENTICATED'])
})

const move = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('send'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('read'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('come'), which: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('go'), which: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('stick'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('settle'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('turn'), which: fc.nat(2) }) },
)

test('each socket has all after its cursor once, whoever reads and sends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 60 }), async (moves) => {
      hall = boards()
      const bob = await writer()
      const ann = hall.store.token('acme', ['board'], { client: 'ann' })
      const sockets: ({ guest: Guest; heard: string[] } | undefined)[] = []
      const seen: string[][] = []
      const listen = () => {
        for (const each of sockets) {
          if (each) each.heard.push(...envelopes(each.guest.take()).map(textOf))
        }
      }
      let sent = 0
      for (const { does, which } of moves) {
        const socket = sockets[which]
        if (does === 'send') speak(bob, BOARD, `${++sent}`)
        else if (does === 'come' && !socket) {
          const guest = await proved(hall, ann)
          guest.say(joinFrom(1, BOARD, UNREAD))
          sockets[which] = { guest, heard: [] }
        } else if (does === 'go') {
          listen()
          if (socket) seen.push(socket.heard)
          socket?.guest.vanish()
          sockets[which] = undefined
        } else if (does === 'read') {
          listen()
          const last = socket?.heard.at(-1)
          if (last) socket?.guest.say(cursor(2, BOARD, Number(last)))
        } else if (does === 'stick') socket?.guest.stick()
        else if (does === 'turn') hall.endTurn()
        else await hall.settle()
      }
      for (const each of sockets) each?.guest.unstick()
      await hall.settle()
      listen()
      for (const each of sockets) if (each) expect(Number(each.heard.at(-1) ?? sent)).toBe(sent)
      for (const heard of [...seen, ...sockets.flatMap((each) => (each ? [each.heard] : []))]) {
        expect(heard).toEqual(words(heard.length, Number(heard[0] ?? 1)))
      }
    }),
    { numRuns: 60 },
  )
})

describe('ListUnread', () => {
  async function asks(guest: Guest, after = ''): Promise<string[]> {
    guest.say(command(5, 'listUnread', { after }))
    await hall.settle()
    return guest.take().flatMap(({ body }) => {
      if (body.case === 'drop') return [`drop ${body.value.code}`]
      const action = body.case === 'command' ? body.value.action : undefined
      if (action?.case !== 'unread') return []
      return action.value.rooms.map(
        ({ address, cursor: at, lastSequence, count }) =>
          `${address} ${at}/${lastSequence} ${count}`,
      )
    })
  }

  test('counts in rooms that he may hear, without being in them', async () => {
    for (const room of ['board', 'notes', 'locked', 'uncounted']) {
      const bob = await writer(`room:acme/${room}`)
      speak(bob, `room:acme/${room}`, ...words(3))
      speak(bob, `room:acme/${room}/a`, ...words(2))
    }
    await hall.settle()
    const rooms = ['board', 'uncounted', 'moment']
    const ann = await proved(hall, hall.store.token('acme', rooms, { client: 'ann' }))
    expect(await asks(ann)).toEqual(['room:acme/board 0/5 5'])
    ann.say(join(1, BOARD), cursor(2, BOARD, 4))
    await hall.settle()
    ann.take()
    expect(await asks(ann)).toEqual(['room:acme/board 4/5 1'])
  })

  test('counts no channel that he may not hear, nor rooms he may only send to', async () => {
    const bob = await writer()
    speak(bob, `${BOARD}/a`, 'x', 'y')
    speak(bob, `${BOARD}/b`, 'z')
    await hall.settle()
    const confined = hall.store.token('acme', ['board'], { channels: ['a'] })
    expect(await asks(await proved(hall, confined))).toEqual(['room:acme/board 0/3 2'])
    const mute = hall.store.token('acme', ['board'], { receive: false })
    expect(await asks(await proved(hall, mute))).toEqual([])
  })

  test('counts to a thousand, and goes through pages', async () => {
    const bob = await writer()
    for (let i = 0; i < 12; i++) {
      speak(bob, BOARD, ...words(100))
      await hall.settle()
    }
    const ann = await proved(hall, hall.store.token('acme', ['board', 'notes'], { client: 'ann' }))
    expect(await asks(ann)).toEqual(['room:acme/board 0/1200 1000'])
    expect(await asks(ann, BOARD)).toEqual([])
  })
})
