/** Envelope from a client: scan, publish, answer with what became of it. The hot path. */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { Refusal } from '../../protocol/codes.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../protocol/scan-envelope.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import { copyId } from '../../protocol/uuid7.ts'
import type { Outcome } from '../../router/outcome.ts'
import { publish } from '../publishing.ts'
import type { Session } from '../session.ts'
import { refusesRequest } from './fatal.ts'

export function handleEnvelope(session: Session, frame: ScannedFrame): void {
  const { id, bytes, start, end } = frame
  const { limits } = session.core.options
  let envelope: ScannedEnvelope
  try {
    envelope = scanEnvelope(bytes, start, end, limits)
  } catch (error) {
    if (!refusesRequest(error)) throw error
    return reject(session, id, error)
  }
  // It may wait for long, and the packet that it came in is not kept.
  const keep = () => {
    const copy = Buffer.from(bytes.subarray(start, end))
    return scanEnvelope(copy, 0, copy.length, limits)
  }
  publish(session, envelope, keep, (came) => {
    if (came instanceof Refusal) reject(session, id, came)
    else answer(session, id, came)
  })
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

function reject(session: Session, id: number, { code, detail }: Refusal): void {
  session.send(id, {
    case: 'receipt',
    value: { status: ReceiptStatus.REJECTED, code, detail },
  })
}
