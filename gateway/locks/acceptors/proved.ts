/** What acceptors look at: what is proved already, and what a client is known by. */
import { isExpired } from '../../identity/expiry.ts'
import type { Credential } from '../../store/store.ts'
import type { LockContext, Place } from '../acceptor.ts'
import { isNamed, type Named } from '../proof.ts'

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

/** Whether an account is the place's; in the main lobby any account will do. */
export function isOfPlace(account: Named | undefined, place: Place | undefined): boolean {
  return account !== undefined && (place === undefined || isNamed(account, place.account))
}

/** Those that still count first, the newest of them before the others. */
export function byWorth(credentials: readonly Credential[], now: number): Credential[] {
  const ended = (each: Credential) => Number(isExpired(each, now))
  return credentials.toReversed().toSorted((a, b) => ended(a) - ended(b))
}
