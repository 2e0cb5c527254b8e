/**
 * Sockets that something waits for, or that wait themselves, and what they are stuck in. Walks all
 * sockets when asked, and costs nothing else.
 */
import type { Waiting } from '../rooms/history/writer.ts'
import type { Socket } from '../router/socket.ts'
import type { Core } from './core.ts'
import type { Session } from './session.ts'

/**
 * `transport`: it does not read. `unacknowledged`: it does not acknowledge (MQTT). `catching-up`:
 * it is given what it has missed. Of what it has sent itself: `held` behind a lock or an entry;
 * `program`, `store`: in the queue of a room's program, of the durable histories.
 */
export const PHASES = [
  'transport',
  'unacknowledged',
  'catching-up',
  'held',
  'program',
  'store',
] as const

export type Phase = (typeof PHASES)[number]

export interface Stuck {
  readonly phase: Phase
  /** Messages, or packets where these are not yet read. */
  readonly frames: number
  /** 0 where only the store knows. */
  readonly bytes: number
  /** When that began, or went on last; in milliseconds of core.uptime. */
  readonly since: number
}

export interface SlowConsumer extends Stuck {
  readonly session: Session
}

type Senders = ReadonlyMap<Socket, Stuck>

/** Each with the first of the phases that it is stuck in. */
export function* stuckSockets(core: Core, sessions: Iterable<Session>): Generator<SlowConsumer> {
  const senders = [sendersOf('program', waitingForPrograms(core)), sendersOf('store', core.writer)]
  for (const session of sessions) {
    const stuck = stuckIn(session) ?? senders.map((of) => of.get(session)).find(Boolean)
    if (stuck) yield { ...stuck, session }
  }
}

/** Those that are stuck for longest, and first the longest; at most `limit`. */
export function slowConsumers(
  core: Core,
  sessions: Iterable<Session>,
  limit: number,
): SlowConsumer[] {
  const slow: SlowConsumer[] = []
  for (const each of stuckSockets(core, sessions)) {
    const place = slow.findLastIndex(({ since }) => since <= each.since) + 1
    if (place < limit) slow.splice(place, 0, each)
    if (slow.length > limit) slow.pop()
  }
  return slow
}

function stuckIn(session: Session): Stuck | undefined {
  return session.outbox.backlog ?? catchingUp(session) ?? held(session)
}

/** Also one whose pages the connection does not take. */
function catchingUp({ catchingUp: all, outbox, wire }: Session): Stuck | undefined {
  const [first] = all
  if (!first) return undefined
  const frames = all.reduce((sum, { left }) => sum + left, 0)
  const phase = outbox.ready ? 'catching-up' : 'transport'
  return { phase, frames, bytes: outbox.ready ? 0 : wire.buffered, since: first.since }
}

function held({ held: packets, heldBytes, heldSince, parked }: Session): Stuck | undefined {
  const frames = packets.length + parked.length
  if (frames === 0) return undefined
  const bytes = parked.reduce((sum, each) => sum + each.bytes, heldBytes)
  const since = Math.min(
    ...parked.map((each) => each.since),
    ...(packets.length > 0 ? [heldSince] : []),
  )
  return { phase: 'held', frames, bytes, since }
}

function* waitingForPrograms({ rooms }: Core): Iterable<Waiting> {
  for (const { program } of rooms.loaded) if (program) yield* program.waiting()
}

function sendersOf(phase: Phase, waiting: Iterable<Waiting>): Senders {
  const senders = new Map<Socket, Stuck>()
  for (const { message, bytes, since } of waiting) {
    const { socket } = message.sender
    const known = senders.get(socket) ?? { phase, frames: 0, bytes: 0, since }
    senders.set(socket, { ...known, frames: known.frames + 1, bytes: known.bytes + bytes })
  }
  return senders
}
