/**
 * Envelopes for places that the socket is not in yet: they make it enter these, through their locks
 * if need be, and go on when all of that is settled, or are refused by receipt (R15). Later ones
 * for the same rooms wait behind them, so that each room gets them in their order (PH-6.14).
 */
import { Code } from '@porthouse/proto/v1/code'
import { parseAddress, type RoomAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Session } from '../session.ts'
import { enter } from './entry.ts'

/** Rooms that could not be entered, by their names as written. */
export type Barred = ReadonlyMap<string, Refusal>

/** Envelopes of one socket that may wait at once, and entries that they wait for. */
const PARKED_MAX = 64

export interface Parked {
  /** What it is for, as written. */
  readonly names: readonly string[]
  readonly bytes: number
  /** In milliseconds that only rise. */
  readonly since: number
  readonly barred: Map<string, Refusal>
  /** Entries that are not settled; 0: it waits for nothing but an earlier one. */
  entries: number
  readonly go: (barred: Barred) => void
}

/** Rooms that a message is for. */
export interface RoomsAhead {
  readonly names: readonly string[]
  /** Those of them that the session is not in. */
  readonly strange: readonly string[]
  /** See EntryRequest. */
  readonly meetsLocks: boolean
}

/**
 * Enters those of the rooms named that are `strange`, to send only and without a word, and calls
 * `go` once: at once where neither a lock nor an earlier envelope is in the way. Throws Refusal
 * QUEUE_FULL where too much waits already. `bytes`: size of what waits.
 */
export function enterFirst(
  session: Session,
  { names, strange, meetsLocks }: RoomsAhead,
  bytes: number,
  go: (barred: Barred) => void,
): void {
  const barred = new Map<string, Refusal>()
  const rooms = [...new Set(strange)].flatMap((name) => {
    const room = roomNamed(name)
    if (room instanceof Refusal) barred.set(name, room)
    return room instanceof Refusal ? [] : [{ name, room }]
  })
  const since = session.core.uptime()
  const parked: Parked = { names, bytes, since, barred, entries: rooms.length, go }
  if (rooms.length === 0 && !isBehind(session, parked, session.parked)) return go(barred)
  checkBounds(session, parked)
  session.parked = [...session.parked, parked]
  for (const { name, room } of rooms) {
    const done = (refusal: Refusal | undefined) => {
      if (refusal) barred.set(name, refusal)
      parked.entries--
      release(session)
    }
    enter(session, { frameId: 0, target: room, listen: 'no', meetsLocks, done })
  }
}

/** Whether one of these earlier ones is for a room that this one is for as well. */
function isBehind(session: Session, { names }: Parked, earlier: readonly Parked[]): boolean {
  if (earlier.length === 0) return false
  const rooms = new Set(names.map((name) => roomOf(session, name)))
  return earlier.some((each) => each.names.some((name) => rooms.has(roomOf(session, name))))
}

/** The same for all names of a room, once it is loaded; before, nobody is in it. */
function roomOf({ core }: Session, name: string): string {
  const [account, room] = name.slice('room:'.length).split('/')
  return core.router.graph.place(`${account}/${room}`)?.name ?? `${account}/${room}`
}

function checkBounds({ parked, core }: Session, { bytes, entries }: Parked): void {
  const waiting = parked.reduce((sum, each) => sum + Math.max(1, each.entries), 0)
  const waitingBytes = parked.reduce((sum, each) => sum + each.bytes, 0)
  if (waiting + entries > PARKED_MAX || waitingBytes + bytes > core.options.pendingBytes) {
    throw new Refusal(Code.QUEUE_FULL, 'too many messages wait for a lock')
  }
}

/** Those that wait for nothing any more go on, in their order. */
function release(session: Session): void {
  for (const parked of [...session.parked]) {
    const index = session.parked.indexOf(parked)
    const earlier = session.parked.slice(0, index)
    if (parked.entries > 0 || isBehind(session, parked, earlier)) continue
    session.parked = session.parked.toSpliced(index, 1)
    parked.go(parked.barred)
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
