/** Sends a message in an author's name: POST /v1/messages and MessageService alike (R6). */
import { create } from '@bufbuild/protobuf'
import { type Receipt, ReceiptSchema, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { Refusal } from '../../protocol/codes.ts'
import { RefusedMessage } from '../../protocol/refused-message.ts'
import type { ScannedEnvelope } from '../../protocol/scan-envelope.ts'
import { copyId, uuidOf } from '../../protocol/uuid7.ts'
import { invalid } from '../../protocol/violations.ts'
import type { Outcome } from '../../router/outcome.ts'
import type { Account } from '../../store/store.ts'
import { receiptOf } from '../receipt.ts'
import { type Author, accountsIn, authorOf, type Bearer } from './author.ts'
import type { Posters } from './posters.ts'

/** Finds an account by slug or UUID. */
export type FindAccount = (name: string) => Promise<Account | undefined>

/**
 * In whose name a bearer sends to these addresses. Rejects with Refusal where nobody can tell, or
 * as the store does.
 */
export async function authorTo(
  bearer: Bearer,
  to: readonly string[],
  find: FindAccount,
): Promise<Author> {
  if (bearer.account) return authorOf(bearer, undefined)
  const found = await Promise.all(accountsIn(to).map(find))
  const [first, ...others] = found.map((account) => {
    if (!account) throw invalid('to', 'is of an account that does not exist')
    return account
  })
  if (!first) throw invalid('to', 'names no account for which it could be sent')
  if (others.some(({ id }) => id !== first.id)) {
    throw invalid('to', 'names several accounts; one message is sent for one of them')
  }
  return authorOf(bearer, first)
}

/**
 * Resolves with the receipt, also where some destinations refused it. Rejects with the Refusal of
 * the first where all did. `begun` is called when its place among the author's messages is certain.
 */
export async function send(
  posters: Posters,
  author: Author,
  envelope: ScannedEnvelope,
  begun?: () => void,
): Promise<Receipt> {
  const outcome = await posters.run(author, (poster) => {
    const posted = poster.post(envelope)
    begun?.()
    return posted
  })
  if (outcome.status === ReceiptStatus.REJECTED) throw refusalOf(outcome)
  return create(ReceiptSchema, receiptOf(outcome))
}

/** The name of a message, by which it can be asked for. */
export function messageName(id: Uint8Array): string {
  return `messages/${uuidOf(Buffer.from(id).toString('hex'))}`
}

function refusalOf({ code, refusals, id }: Outcome): Refusal {
  const name = messageName(copyId(id))
  const [only] = refusals
  if (only && refusals.length === 1) return new RefusedMessage(code, only.detail, name)
  const details = refusals.map((each) => `${each.name}: ${each.detail}`)
  return new RefusedMessage(code, details.join('; '), name)
}
