/** A proof as the store has it now: rights may have changed, or what it rests on be gone (R51). */
import type { Proof } from '../locks/proof.ts'
import type { Store } from '../store/store.ts'

export type ProofStore = Pick<Store, 'accounts' | 'clients' | 'credentials' | 'tokens'>

/** Undefined where it no longer holds. Rejects as the store does. */
export async function renewed(store: ProofStore, proof: Proof): Promise<Proof | undefined> {
  const { token, client, credential, account } = proof
  if (token) return renewedToken(store, proof)
  if (account && !client && !(await store.accounts.find(account.id))) return undefined
  let current: Proof = proof
  if (account && client) {
    const record = await store.clients.find(account.id, client.id)
    if (!record) return undefined
    // What was proved for one place alone has the rights that were told with it.
    const grants = proof.place === undefined ? record.grants : proof.grants
    current = { ...current, client: record, grants }
  }
  if (credential === undefined) return current
  const stored = await store.credentials.find(credential)
  if (!stored) return undefined
  const { expiresAt: _, ...rest } = current
  return stored.expiresAt ? { ...rest, expiresAt: stored.expiresAt } : rest
}

async function renewedToken(store: ProofStore, proof: Proof): Promise<Proof | undefined> {
  const before = proof.token
  const token = before && (await store.tokens.find(before.id))
  // Another hash: it was regenerated, and this secret is void.
  if (!token || !Buffer.from(token.hash).equals(before.hash)) return undefined
  const { expiresAt: _, ...rest } = proof
  return { ...rest, token, grants: token.grants, ...(token.expiresAt && token) }
}
