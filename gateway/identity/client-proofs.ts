/** How a client is given what it proves itself by: SSH keys, a password, a preset (R7). */
import type { JsonObject } from '@bufbuild/protobuf'
import {
  type Credential,
  type CredentialKind,
  type Credentials,
  StoreError,
} from '../store/store.ts'

/** Not yet kept, and without a secret. */
export interface NewProof {
  readonly kind: CredentialKind
  readonly data: JsonObject
  readonly label: string
  readonly expiresAt?: Date
}

export interface ProofParts {
  readonly credentials: Pick<Credentials, 'add' | 'delete' | 'list'>
  /** A new UUID. */
  readonly newId: () => string
}

/** UUIDs, or slugs. */
export interface ProofOwner {
  readonly account: string
  readonly client: string
}

/** Of these kinds a client has one; a new one takes the place of the old. */
export const SINGLE: readonly CredentialKind[] = ['password', 'preset']

/** Of an SSH key, as `ssh-keygen -l` shows it. */
export function fingerprintOf({ kind, data }: Pick<Credential, 'kind' | 'data'>) {
  const { fingerprint } = data
  return kind === 'ssh-key' && typeof fingerprint === 'string' ? fingerprint : undefined
}

/** Rejects with `exists`, and keeps none, where the client has one of the keys. */
export async function keepProofs(
  { credentials, newId }: ProofParts,
  owner: ProofOwner,
  proofs: readonly NewProof[],
): Promise<Credential[]> {
  checkNew(await credentials.list(owner.account, owner.client), proofs)
  const kept: Credential[] = []
  for (const proof of proofs) kept.push(await credentials.add({ id: newId(), ...owner, ...proof }))
  const renewed = SINGLE.filter((kind) => proofs.some((proof) => proof.kind === kind))
  if (renewed.length === 0) return kept
  // As they are now: of several who give one at once, the last alone is left.
  const all = await credentials.list(owner.account, owner.client)
  for (const kind of renewed) {
    const [, ...superseded] = all.filter((one) => one.kind === kind).toReversed()
    for (const { id } of superseded) await credentials.delete(id)
  }
  return kept
}

/** Throws `exists` where a key is among those that the client has, or is there twice. */
export function checkNew(before: readonly Credential[], proofs: readonly NewProof[]): void {
  const known = new Set(before.map(fingerprintOf))
  for (const fingerprint of proofs.map(fingerprintOf)) {
    if (fingerprint === undefined) continue
    if (known.has(fingerprint)) {
      const text = `the client has the key ${fingerprint} already`
      throw new StoreError('exists', text, undefined, true)
    }
    known.add(fingerprint)
  }
}
