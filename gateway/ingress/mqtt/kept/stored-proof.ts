/**
 * What a session has proved, as it is stored beside its will: names and ids alone, by which the
 * store can be asked what still holds. No secret, nor a hash of one.
 */
import type { Proof } from '../../../locks/proof.ts'
import type { TokenRecord } from '../../../store/store.ts'

type Kept =
  | 'acceptor'
  | 'account'
  | 'owner'
  | 'credential'
  | 'place'
  | 'lock'
  | 'grants'
  | 'visitor'

export interface StoredProof extends Pick<Proof, Kept> {
  readonly client?: { readonly id: string; readonly slug: string }
  /** UUID. */
  readonly token?: string
  /** In milliseconds since 1970-01-01 UTC. */
  readonly expiresAt?: number
}

export function storedProof(proof: Proof): StoredProof {
  const { values: _, token, client, expiresAt, grants, ...rest } = proof
  return {
    ...rest,
    // Those of a token or a client are read anew.
    grants: proof.place === undefined && (token || client) ? [] : grants,
    ...(client && { client: { id: client.id, slug: client.slug } }),
    ...(token && { token: token.id }),
    ...(expiresAt && { expiresAt: expiresAt.getTime() }),
  }
}

export interface ProofSource {
  readonly findToken: (id: string) => Promise<TokenRecord | undefined>
  /** See Core. */
  readonly renew: (proof: Proof) => Promise<Proof | undefined>
}

/** As the store has it now; undefined where it no longer holds. Rejects with StoreError. */
export async function provedAgain(
  { token, expiresAt, ...rest }: StoredProof,
  { findToken, renew }: ProofSource,
): Promise<Proof | undefined> {
  const proof = { ...rest, values: {}, ...(expiresAt && { expiresAt: new Date(expiresAt) }) }
  if (token === undefined) return renew(proof)
  const record = await findToken(token)
  return record && renew({ ...proof, token: record })
}
