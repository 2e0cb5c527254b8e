/** Envelope from a client: scan, publish, answer with what became of it. The hot path. */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { Refusal } from '../../protocol/codes.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../protocol/scan-envelope.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import { copyId } from '../../protocol/uuid7.ts'
import type { Outcome } from '../../router/outcome.ts'
import { enterFirst } from '../entry/parked.ts'
import type { Session } from '../session.ts'
import { refusesRequest } from './fatal.ts'

export function handleEnvelope(session: Session, frame: ScannedFrame): void {
  const { id } = frame
  let envelope: ScannedEnvelope
  try {
    envelope = scanEnvelope(frame.bytes, frame.start, frame.end, session.core.options.limits)
  } catch (error) {
    if (!refusesRequest(error)) throw error
    return reject(session, id, error.code, error.detail)
  }
  const strange = roomsNotEntered(session, envelope)
  if (strange.length > 0 || session.parked.length > 0) {
    const names = roomsOf(session, envelope, strange)
    if (names.length > 0) return publishAfterEntry(session, frame, { names, strange })
  }
  if (!session.unlocked && !atItsLock(session, envelope)) {
    return reject(session, id, Code.UNAUTHENTICATED, 'nothing is unlocked yet')
  }
  answer(session, id, session.core.router.publish(session, envelope))
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
  { id, bytes, start, end }: ScannedFrame,
  rooms: { readonly names: readonly string[]; readonly strange: readonly string[] },
): void {
  // It may wait for long, and the packet that it came in is not kept.
  const copy = Buffer.from(bytes.subarray(start, end))
  try {
    enterFirst(session, rooms, copy.length, (barred) => {
      if (session.closed) return
      const { options, router } = session.core
      const envelope = scanEnvelope(copy, 0, copy.length, options.limits)
      if (session.unlocked) return answer(session, id, router.publish(session, envelope, barred))
      const [refusal] = barred.values()
      if (refusal) reject(session, id, refusal.code, refusal.detail)
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    reject(session, id, error.code, error.detail)
  }
}

function answer(session: Session, id: number, outcome: Outcome): void {
  if (outcome.settled) return tell(session, id, outcome)
  // Taken it is at once; what becomes of it later is told where that is bad.
  const accepted = outcome.level === ReceiptLevel.ACCEPTED
  if (accepted) tell(session, id, outcome)
  const told = outcome.refusals.length
  outcome.whenSettled(() => {
    const isNews = !accepted || outcome.refusals.length > told
    if (isNews && !session.closed) tell(session, id, outcome)
  })
}

function tell(session: Session, id: number, outcome: Outcome): void {
  if (outcome.refusals.length > 0) return answerRefusals(session, id, outcome)
  if (outcome.level !== ReceiptLevel.UNSPECIFIED) session.outbox.receipt(id, outcome)
}

function answerRefusals(session: Session, id: number, outcome: Outcome): void {
  const rejected = outcome.status === ReceiptStatus.REJECTED
  const only = outcome.destinations === 1 ? outcome.refusals[0] : undefined
  const rejections = outcome.refusals.map(({ name: address, code, detail }) => ({
    address,
    code,
    detail,
  }))
  session.send(id, {
    case: 'receipt',
    value: {
      status: outcome.status,
      id: rejected ? new Uint8Array() : copyId(outcome.id),
      sockets: outcome.sockets,
      sequence: BigInt(outcome.sequence),
      epoch: BigInt(outcome.epoch),
      code: rejected ? outcome.code : Code.UNSPECIFIED,
      detail: rejected ? (only?.detail ?? '') : '',
      rejections: only ? [] : rejections,
    },
  })
}

function reject(session: Session, id: number, code: Code, detail: string): void {
  session.send(id, {
    case: 'receipt',
    value: { status: ReceiptStatus.REJECTED, code, detail },
  })
}
