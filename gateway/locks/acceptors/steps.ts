/** Steps that acceptors end with. */
import { Code } from '@porthouse/proto/v1/code'
import { isExpired } from '../../identity/expiry.ts'
import type { ClientRecord, Credential } from '../../store/store.ts'
import type { LockStep, Place } from '../acceptor.ts'
import { clientAddress, type Proof } from '../proof.ts'

export function failed(code: Code): LockStep {
  return { outcome: 'failed', code }
}

/** The one answer to all that is wrong, so that it does not tell what (K14). */
export const WRONG = failed(Code.UNAUTHENTICATED)

/** Somebody showed a secret of this very place; who it was, nobody knows. */
export function passedHere(
  acceptor: string,
  place: Place,
  more: Partial<Pick<Proof, 'values' | 'grants'>> = {},
): LockStep {
  const proof = { acceptor, values: {}, place: place.address, grants: [], ...more }
  return { outcome: 'passed', proof }
}

/**
 * The end of a right answer: passed, unless what it was checked against has expired, which only who
 * gave a right answer is told.
 */
export function passedBy(
  acceptor: string,
  client: ClientRecord,
  credential: Credential,
  now: number,
): LockStep {
  if (isExpired(credential, now)) return failed(Code.PROOF_EXPIRED)
  const { id, expiresAt } = credential
  const { account, grants } = client
  const proof: Proof = {
    acceptor,
    account,
    client,
    credential: id,
    grants,
    values: { client: clientAddress(account, client) },
    ...(expiresAt && { expiresAt }),
  }
  return { outcome: 'passed', proof }
}

/**
 * The socket is this client, with the rights that were granted to it, or those of a visitor: it is
 * somebody else who knows these people, and most have no rights here by name.
 */
export function passedAs(
  acceptor: string,
  client: ClientRecord,
  more: Partial<Pick<Proof, 'values' | 'expiresAt' | 'place' | 'grants'>> = {},
): LockStep {
  const { account, grants } = client
  const values = { ...more.values, client: clientAddress(account, client) }
  return {
    outcome: 'passed',
    proof: { acceptor, account, client, grants, visitor: true, ...more, values },
  }
}
