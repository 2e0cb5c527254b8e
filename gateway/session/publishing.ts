/**
 * A session's envelope on its way to the router: rooms that it is not in yet are entered first
 * (R15), and a socket in limbo talks with its lock alone (R14).
 */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { Outcome } from '../router/outcome.ts'
import type { Ahead } from '../router/trail.ts'
import { enterFirst, type RoomsAhead } from './entry/parked.ts'
import type { Session } from './session.ts'

/** What came of an envelope: the router's outcome, or why it never got there. */
export type End = Outcome | Refusal

/**
 * Publishes an envelope at once; undefined: it has to wait, for rooms that the session has to enter
 * first, or behind another one.
 */
export function publishNow(session: Session, envelope: ScannedEnvelope): End | undefined {
  const waits = session.parked.length > 0 || roomsNotEntered(session, envelope).length > 0
  return waits ? undefined : route(session, envelope)
}

/**
 * Publishes an envelope; `end` is called once, now or when its rooms are entered, unless the
 * session has closed by then. `keep` gives the same envelope with memory of its own, for the case
 * that it has to wait. `meetsLocks`: see EntryRequest.
 */
export function publish(
  session: Session,
  envelope: ScannedEnvelope,
  keep: () => ScannedEnvelope,
  end: (end: End) => void,
  meetsLocks = true,
): void {
  const strange = roomsNotEntered(session, envelope)
  if (strange.length > 0 || session.parked.length > 0) {
    const names = roomsOf(session, envelope, strange)
    if (names.length > 0)
      return publishAfterEntry(session, keep(), { names, strange, meetsLocks }, end)
  }
  end(route(session, envelope))
}

function route(session: Session, envelope: ScannedEnvelope): End {
  if (session.unlocked || atItsLock(session, envelope)) {
    return send(session, envelope)
  }
  return new Refusal(Code.UNAUTHENTICATED, 'nothing is unlocked yet')
}

function send(session: Session, envelope: ScannedEnvelope, ahead?: Ahead): Outcome {
  session.tally.messagesIn++
  return session.core.router.publish(session, envelope, ahead)
}

/**
 * Names of rooms that it is meant for and that the socket is not in; malformed ones are not. One
 * without a destination, of a socket that is not in anywhere yet, is meant for where that wants to
 * go.
 */
function roomsNotEntered(session: Session, envelope: ScannedEnvelope): readonly string[] {
  const { to, route } = envelope
  if (to.length > 0) return to.filter((name) => isStrange(session, name))
  if (route !== 0 || session.target) return NONE
  const [first] = session.waiting.filter(({ done }) => !done)
  return first?.place.startsWith('room:') ? [first.place] : NONE
}

const NONE: readonly string[] = []

/** Names of all rooms that it is meant for. */
function roomsOf(
  { memberships, target }: Session,
  { to, route }: ScannedEnvelope,
  strange: readonly string[],
): readonly string[] {
  if (to.length > 0) return to.filter((name) => name.startsWith('room:'))
  const home = target?.kind === 'room' ? target.membership : undefined
  const member = route === 0 ? home : memberships.get(route)
  return member ? [member.place.address] : strange
}

function isStrange({ core, memberships }: Session, name: string): boolean {
  if (!name.startsWith('room:')) return false
  const [account, room] = name.slice('room:'.length).split('/')
  const place = core.router.graph.place(`${account}/${room}`)
  return !(place && memberships.has(place.route))
}

/** In limbo a socket may talk with those who decide about its lock, and with nobody else (R16). */
function atItsLock({ stack }: Session, { to }: ScannedEnvelope): boolean {
  const locks = stack.locks.map(({ id }) => `lock:${id}`)
  return to.length > 0 && to.every((name) => locks.includes(name))
}

function publishAfterEntry(
  session: Session,
  envelope: ScannedEnvelope,
  rooms: RoomsAhead,
  end: (end: End) => void,
): void {
  const since = session.core.uptime()
  try {
    enterFirst(session, rooms, envelope.end - envelope.start, (barred) => {
      if (session.closed) return
      const waitedMs = session.core.uptime() - since
      const ahead = { barred, entered: rooms.strange, waitedMs }
      if (session.unlocked) return end(send(session, envelope, ahead))
      const [refusal] = barred.values()
      if (refusal) end(refusal)
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    end(error)
  }
}
