/** What is kept of what was said holds on to nobody who has gone. */
import { queryObjects } from 'node:v8'
import type { Block } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { Values } from '@porthouse/proto/room/v1/retained'
import { Owners } from '@porthouse/proto/room/v1/session_history'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Session } from '../../gateway/session/session.ts'
import { answer, type FrameInit, text } from '../support/client-frames.ts'
import { Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { roomFrame, told } from '../support/told.ts'

const ROOM = 'room:acme/board'
const VISITORS = 20

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Who says it may come back after it was cut off. */
const HELLO: FrameInit = {
  id: 1,
  body: { case: 'hello', value: { capabilities: ['resume'], resume: '' } },
}

/** In this process, and not garbage. */
function sessions(): number {
  return queryObjects(Session, { format: 'count' })
}

const kinds: readonly { readonly what: string; readonly block: Block['kind'] }[] = [
  { what: 'a window', block: { case: 'history', value: { keep: Keep.WINDOW } as never } },
  { what: 'a durable history', block: { case: 'history', value: { keep: Keep.DURABLE } as never } },
  { what: 'last values', block: { case: 'retained', value: { values: Values.ALL } as never } },
  {
    what: 'histories of those who may come back',
    block: { case: 'sessionHistory', value: { owners: Owners.ALL } as never },
  },
]

test.each(kinds)('$what', async ({ block }) => {
  const hall = new Hall()
  hall.store.room('acme/board', OPEN, block)
  const resident = hall.open()
  resident.say(roomFrame(1, 'join', { address: ROOM }))
  await hall.settle()
  resident.take()
  const before = sessions()
  for (let n = 0; n < VISITORS; n++) {
    const visitor = hall.open()
    visitor.say(HELLO, answer(2, `${hall.store.token('acme', [])}`))
    await hall.settle()
    visitor.say(
      roomFrame(3, 'join', { address: ROOM }),
      text(4, `${n}`, { to: [`${ROOM}/${n}`], receipt: 0 }),
    )
    await hall.settle()
    visitor.vanish()
    await hall.settle()
  }
  expect(told(resident.take()).length).toBe(VISITORS)
  // What was done last may still be at hand.
  expect(sessions()).toBeLessThanOrEqual(before + 1)
})
