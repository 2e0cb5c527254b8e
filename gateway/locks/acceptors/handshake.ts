/** What acceptors that judge the handshake alone have in common. */
import type { Code } from '@porthouse/proto/v1/code'
import type { ClientRecord } from '../../store/store.ts'
import type { LockStep, Place } from '../acceptor.ts'
import { clientAddress, isNamed, type Named, type Proof } from '../proof.ts'

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

/** True also in the main lobby, where any account will do. */
export function isOfPlace(account: Named | undefined, place: Place | undefined): boolean {
  return account !== undefined && (place === undefined || isNamed(account, place.account))
}
