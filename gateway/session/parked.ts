/**
 * Envelopes for places that the socket is not in yet: they make it enter these, through their locks
 * if need be, and go on when all of that is settled, or are refused by receipt (R15).
 */
import { Code } from '@porthouse/proto/v1/code'
import { parseAddress, type RoomAddress } from '../protocol/address.ts'
import { Refusal } from '../protocol/codes.ts'
import { enter } from './entry.ts'
import type { Session } from './session.ts'

/** Rooms that could not be entered, by their names as written. */
export type Barred = ReadonlyMap<string, Refusal>

/** Envelopes of one socket that may wait at once. */
const PARKED_MAX = 64

/**
 * Enters the rooms named, to send only and without a word, and calls `go` once: at once where no
 * lock is in the way. Throws Refusal QUEUE_FULL where too much waits already. `bytes`: size of what
 * waits.
 */
export function enterFirst(
  session: Session,
  names: readonly string[],
  bytes: number,
  go: (barred: Barred) => void,
): void {
  const barred = new Map<string, Refusal>()
  const rooms = [...new Set(names)].flatMap((name) => {
    const room = roomNamed(name)
    if (room instanceof Refusal) barred.set(name, room)
    return room instanceof Refusal ? [] : [{ name, room }]
  })
  let left = rooms.length
  if (left === 0) return go(barred)
  const waiting = session.waiting.filter(({ done }) => done).length
  const { pendingBytes } = session.core.options
  if (waiting + left > PARKED_MAX || session.parkedBytes + bytes > pendingBytes) {
    throw new Refusal(Code.QUEUE_FULL, 'too many messages wait for a lock')
  }
  session.parkedBytes += bytes
  for (const { name, room } of rooms) {
    const done = (refusal: Refusal | undefined) => {
      if (refusal) barred.set(name, refusal)
      if (--left > 0) return
      session.parkedBytes -= bytes
      go(barred)
    }
    enter(session, { frameId: 0, target: room, listen: 'no', done })
  }
}

function roomNamed(name: string): RoomAddress | Refusal {
  try {
    const address = parseAddress(name)
    if (address.kind === 'room') return address
    return new Refusal(Code.ADDRESS_INVALID, 'not the address of a room')
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
