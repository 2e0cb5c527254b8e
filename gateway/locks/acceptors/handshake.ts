/** What acceptors that judge the handshake alone have in common. */
import type { Code } from '@porthouse/proto/v1/code'
import type { ClientRecord } from '../../store/store.ts'
import type { LockStep, Place } from '../acceptor.ts'
import type { Named, Proof } from '../proof.ts'
import { isAccount } from './client-proof.ts'

export function failed(code: Code): LockStep {
  return { outcome: 'failed', code }
}

/** Somebody showed a secret of this very place; who it was, nobody knows. */
export function passedHere(
  acceptor: string,
  place: Place,
  more: Partial<Pick<Proof, 'values' | 'grants'>> = {},
): LockStep {
  const proof = { acceptor, values: {}, place: place.address, grants: [], ...more }
  return { outcome: 'passed', proof }
}

/** The socket is this client, with the rights that were granted to it. */
export function passedAs(
  acceptor: string,
  { id, slug, account, grants }: ClientRecord,
  more: Partial<Pick<Proof, 'values' | 'expiresAt' | 'place' | 'grants'>> = {},
): LockStep {
  const values = { ...more.values, client: `client:${account.slug}/${slug}` }
  return {
    outcome: 'passed',
    proof: { acceptor, account, client: { id, slug }, grants, ...more, values },
  }
}

/** True also in the main lobby, where any account will do. */
export function isOfPlace(account: Named | undefined, place: Place | undefined): boolean {
  return account !== undefined && (place === undefined || isAccount(account, place.account))
}
