/** What acceptors that prove a client, or a mere place, have in common. */
import { Code } from '@porthouse/proto/v1/code'
import { isExpired } from '../../identity/client-credentials.ts'
import type { ClientRecord, Credential } from '../../store/store.ts'
import type { LockContext, LockStep } from '../acceptor.ts'
import { clientAddress, isNamed, type Proof } from '../proof.ts'

/** The one answer to all that is wrong, so that it does not tell what (K14). */
export const WRONG: LockStep = { outcome: 'failed', code: Code.UNAUTHENTICATED }

/** Whether the socket has a proof by this acceptor, in the account of the place or for just it. */
export function isProved(
  acceptor: string,
  { proofs, place, now }: Pick<LockContext, 'proofs' | 'place' | 'now'>,
): boolean {
  if (!place) return false
  return proofs.some((proof) => {
    if (proof.acceptor !== acceptor || isExpired(proof, now)) return false
    if (proof.place !== undefined) return proof.place === place.address
    return proof.account !== undefined && isNamed(proof.account, place.account)
  })
}

/**
 * The end of a right answer: passed, unless what it was checked against has expired, which only who
 * gave a right answer is told.
 */
export function passedBy(
  acceptor: string,
  client: ClientRecord,
  { id, expiresAt }: Credential,
  now: number,
): LockStep {
  if (isExpired({ ...(expiresAt && { expiresAt }) }, now)) {
    return { outcome: 'failed', code: Code.PROOF_EXPIRED }
  }
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

/** Those that still count first, the newest of them before the others. */
export function byWorth(credentials: readonly Credential[], now: number): Credential[] {
  const ended = (each: Credential) => Number(isExpired(each, now))
  return credentials.toReversed().toSorted((a, b) => ended(a) - ended(b))
}
