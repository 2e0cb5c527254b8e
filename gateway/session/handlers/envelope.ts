/** Envelope from a client: scan, publish, answer with what became of it. The hot path. */
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { Refusal } from '../../protocol/codes.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../protocol/scan-envelope.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import type { Outcome } from '../../router/outcome.ts'
import { type End, publish, publishNow } from '../publishing.ts'
import { countReceipt, receiptOf, rejectedBy } from '../receipt.ts'
import type { Session } from '../session.ts'
import { refusesRequest } from './fatal.ts'

export function handleEnvelope(session: Session, frame: ScannedFrame): void {
  const { id, bytes, start, end } = frame
  let envelope: ScannedEnvelope
  try {
    envelope = scanEnvelope(bytes, start, end, session.core.options.limits)
  } catch (error) {
    if (!refusesRequest(error)) throw error
    return reject(session, id, error)
  }
  const now = publishNow(session, envelope)
  if (now) ends(session, id, now)
  else publishLater(session, frame, envelope)
}

/** By itself: a function that makes closures somewhere has a context made at each call. */
function publishLater(
  session: Session,
  { id, bytes, start, end }: ScannedFrame,
  envelope: ScannedEnvelope,
): void {
  const { limits } = session.core.options
  // It may wait for long, and the packet that it came in is not kept.
  const keep = () => {
    const copy = Buffer.from(bytes.subarray(start, end))
    return scanEnvelope(copy, 0, copy.length, limits)
  }
  publish(session, envelope, keep, (end) => ends(session, id, end))
}

function ends(session: Session, id: number, end: End): void {
  if (end instanceof Refusal) reject(session, id, end)
  else answer(session, id, end)
}

function answer(session: Session, id: number, outcome: Outcome): void {
  if (!outcome.due) return answerOnceDue(session, id, outcome)
  if (session.closed) return
  tell(session, id, outcome)
  if (!outcome.settled) tellIfRefused(session, id, outcome)
}

function answerOnceDue(session: Session, id: number, outcome: Outcome): void {
  outcome.whenDue(() => answer(session, id, outcome))
}

/** It was accepted; what becomes of it later is told where that is bad. */
function tellIfRefused(session: Session, id: number, outcome: Outcome): void {
  const told = outcome.refusals.length
  outcome.whenSettled(() => {
    if (outcome.refusals.length > told && !session.closed) tell(session, id, outcome)
  })
}

function tell(session: Session, id: number, outcome: Outcome): void {
  const isAsked = outcome.level !== ReceiptLevel.UNSPECIFIED
  if (outcome.refusals.length > 0 || isAsked) countReceipt(session, outcome)
  if (outcome.refusals.length > 0) {
    session.send(id, { case: 'receipt', value: receiptOf(outcome) })
  } else if (isAsked) session.outbox.receipt(id, outcome)
}

function reject(session: Session, id: number, refusal: Refusal): void {
  countReceipt(session, refusal)
  session.send(id, { case: 'receipt', value: rejectedBy(refusal) })
}
