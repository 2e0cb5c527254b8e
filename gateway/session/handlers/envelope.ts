/** Envelope from a client: scan, publish, answer with what became of it. The hot path. */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../protocol/scan-envelope.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import { copyId } from '../../protocol/uuid7.ts'
import type { Outcome } from '../../router/outcome.ts'
import { enterToSend } from '../entry.ts'
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
  if (!session.unlocked) {
    return reject(session, id, Code.UNAUTHENTICATED, 'nothing is unlocked yet')
  }
  const strange = envelope.to.length > 0 ? roomsNotEntered(session, envelope.to) : []
  if (strange.length === 0) {
    return answer(session, id, session.core.router.publish(session, envelope))
  }
  session.wait(publishAfterEntry(session, id, envelope, strange))
}

/** Names of rooms among the destinations that the socket is not in; malformed ones are not. */
function roomsNotEntered(session: Session, names: readonly string[]): string[] {
  return names.filter((name) => {
    if (!name.startsWith('room:')) return false
    const [account, room] = name.slice('room:'.length).split('/')
    const place = session.core.router.graph.place(`${account}/${room}`)
    return !(place && session.memberships.has(place.route))
  })
}

async function publishAfterEntry(
  session: Session,
  id: number,
  envelope: ScannedEnvelope,
  strange: readonly string[],
): Promise<void> {
  const barred = new Map<string, Refusal>()
  for (const name of strange) {
    const refusal = await entryBarred(session, name)
    if (refusal) barred.set(name, refusal)
  }
  if (!session.closed) answer(session, id, session.core.router.publish(session, envelope, barred))
}

async function entryBarred(session: Session, name: string): Promise<Refusal | undefined> {
  try {
    const address = parseAddress(name)
    return address.kind === 'room' ? await enterToSend(session, address) : undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function answer(session: Session, id: number, outcome: Outcome): void {
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
