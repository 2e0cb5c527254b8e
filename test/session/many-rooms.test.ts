/** A client in 10,000 rooms that remember (R42): each comes once, in turn, and all is let go. */
import { expect, test } from 'vitest'
import { text } from '../support/client-frames.ts'
import { Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { DURABLE, joinFrom, proved, QUIET, UNREAD } from '../support/past.ts'

const ROOMS = 10_000
const AT_ONCE = 500

test('it joins all of them with what is unread, hears them live, and leaves nothing', async () => {
  const limits = { rooms: ROOMS, subscriptions: ROOMS }
  const hall = new Hall({ limits, heartbeatMs: 100_000_000, limbo: { deadlineMs: 100_000_000 } })
  const stored = new Map<string, { id: string; slug: string }>()
  for (let i = 0; i < ROOMS; i++) {
    const record = hall.store.room(`acme/r${i}`, OPEN, DURABLE)
    stored.set(`acme/r${i}`, record)
  }
  // A store that looks a room up at once, as one with an index.
  hall.store.rooms.find = async (account, room) => stored.get(`${account}/${room}`) as never
  const writer = hall.open()
  for (let i = 0; i < ROOMS; i += 100) {
    writer.say(text(0, `${i}`, { ...QUIET, to: [`room:acme/r${i}`] }))
    await hall.settle()
  }
  const secret = hall.store.token('acme', [], { client: 'ann' })
  const ann = await proved(hall, secret)
  let [joined, caughtUp] = [0, 0]
  const missed: string[] = []
  for (let i = 0; i < ROOMS; i += AT_ONCE) {
    for (let j = i; j < i + AT_ONCE; j++) ann.say(joinFrom(j + 1, `room:acme/r${j}`, UNREAD))
    await hall.settle()
    for (const { body } of ann.take()) {
      if (body.case === 'envelope') missed.push(`${body.value.content.value}`)
      const action = body.case === 'room' ? body.value.action.case : undefined
      if (action === 'joined') joined++
      if (action === 'caughtUp') caughtUp++
    }
  }
  expect(ann.ended).toBeUndefined()
  expect([joined, caughtUp]).toEqual([ROOMS, ROOMS])
  expect(missed.toSorted((a, b) => +a - +b)).toEqual(
    Array.from({ length: ROOMS / 100 }, (_, i) => `${i * 100}`),
  )
  writer.say(text(0, 'live', { ...QUIET, to: ['room:acme/r9900'] }))
  await hall.settle()
  expect(ann.take().length).toBe(1)
  expect(ann.session.catchingUp.length).toBe(0)
  ann.vanish()
  writer.vanish()
  await hall.settle()
  expect([...hall.rooms.loaded].length).toBe(0)
})
