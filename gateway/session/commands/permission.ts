/** What a socket may ask about, and how it is told that it may not (R8, A15). */
import { Code } from '@porthouse/proto/v1/code'
import type { Named } from '../../locks/proof.ts'
import { Refusal } from '../../protocol/codes.ts'
import { NAME_BYTES_MAX } from '../../protocol/limits.ts'
import { accountOf, owns } from '../identity/identity.ts'
import type { Session } from '../session.ts'

/** What is not there, and what is none of the asker's business, are told alike. */
export function unknownTarget(): Refusal {
  return new Refusal(Code.TARGET_UNKNOWN, 'no such target that this socket may know of')
}

/**
 * The account by its slug or UUID, which the asker must speak for. Throws Refusal: TARGET_UNKNOWN
 * unless it is somebody in it, COMMAND_NOT_PERMITTED where it is not the account itself.
 */
export function ownAccount(asker: Session, name: string): Named {
  const account = accountOf(asker, name)
  if (!account) throw unknownTarget()
  if (!owns(asker, name)) {
    throw new Refusal(Code.COMMAND_NOT_PERMITTED, 'only the account itself may ask this')
  }
  return account
}

/** Throws Refusal NAME_TOO_LONG for what cannot be an address. */
export function checkAfter(after: string): void {
  if (Buffer.byteLength(after) > NAME_BYTES_MAX) {
    throw new Refusal(Code.NAME_TOO_LONG, `after is over ${NAME_BYTES_MAX} bytes`)
  }
}
