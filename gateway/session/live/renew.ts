/** A proof as the store has it now: rights may have changed, or what it rests on be gone (R51). */
import type { Proof } from '../../locks/proof.ts'
import type { Store } from '../../store/store.ts'

type Finder<Kind extends 'accounts' | 'clients' | 'credentials' | 'tokens'> = Pick<
  Store[Kind],
  'find'
>

export interface ProofStore {
  readonly accounts: Finder<'accounts'>
  readonly clients: Finder<'clients'>
  readonly credentials: Finder<'credentials'>
  readonly tokens: Finder<'tokens'>
}

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
  const { expiresAt, client, grants } = token
  const { expiresAt: _, ...rest } = proof
  return { ...rest, token, grants, ...(client && { client }), ...(expiresAt && { expiresAt }) }
}

/** The same store, that is asked each thing but once, for the many who hold the same. */
export function askedOnce(store: ProofStore): ProofStore {
  const known = new Map<string, Promise<unknown>>()
  const once = <T>(name: string, ask: () => Promise<T>): Promise<T> => {
    const answer = (known.get(name) as Promise<T> | undefined) ?? ask()
    known.set(name, answer)
    return answer
  }
  const { accounts, clients, credentials, tokens } = store
  return {
    accounts: { find: (id) => once(`account:${id}`, () => accounts.find(id)) },
    clients: { find: (of, id) => once(`client:${of}/${id}`, () => clients.find(of, id)) },
    credentials: { find: (id) => once(`credential:${id}`, () => credentials.find(id)) },
    tokens: { find: (id) => once(`token:${id}`, () => tokens.find(id)) },
  }
}
