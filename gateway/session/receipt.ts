/** What a sender is told of its envelope, with all its rejections (R30). */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type ReceiptSchema, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { Refusal } from '../protocol/codes.ts'
import { copyId } from '../protocol/uuid7.ts'
import type { Outcome } from '../router/outcome.ts'
import type { Session } from './session.ts'

type Told = MessageInitShape<typeof ReceiptSchema>

export function receiptOf(outcome: Outcome): Told {
  const rejected = outcome.status === ReceiptStatus.REJECTED
  const only = outcome.destinations === 1 ? outcome.refusals[0] : undefined
  const rejections = outcome.refusals.map(({ name: address, code, detail }) => ({
    address,
    code,
    detail,
  }))
  return {
    status: outcome.status,
    id: copyId(outcome.id),
    sockets: outcome.sockets,
    sequence: BigInt(outcome.sequence),
    epoch: BigInt(outcome.epoch),
    code: rejected ? outcome.code : Code.UNSPECIFIED,
    detail: rejected ? (only?.detail ?? '') : '',
    rejections: only ? [] : rejections,
  }
}

/** Counts what a sender is told, or would be if its medium had a word for it. */
export function countReceipt({ core }: Session, end: Outcome | Refusal): void {
  const { receipts, refusals } = core.counts
  const isRefusal = end instanceof Refusal
  receipts.add(isRefusal ? ReceiptStatus.REJECTED : end.status)
  for (const { code } of isRefusal ? [end] : end.refusals) refusals.message.add(code)
}

/** Of one that never got to the router. */
export function rejectedBy({ code, detail }: Refusal): Told {
  return { status: ReceiptStatus.REJECTED, code, detail }
}
