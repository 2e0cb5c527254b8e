/** The client that a socket claims to be, and what that client is known by. */
import { type Address, parseAddress } from '../protocol/address.ts'
import { Refusal } from '../protocol/codes.ts'
import {
  type ClientRecord,
  type Credential,
  type CredentialKind,
  type Store,
  StoreError,
} from '../store/store.ts'

export interface ClaimedClient {
  readonly client: ClientRecord
  /** Of the kind asked for, the oldest first, those past their expiry among them. */
  readonly credentials: readonly Credential[]
}

type ClientAddress = Extract<Address, { kind: 'client' }>
type Questions = {
  readonly clients: Pick<Store['clients'], 'find'>
  readonly credentials: Pick<Store['credentials'], 'list'>
}

/** Reads `client:{account}/{client}`; undefined: it is no such address. */
export function readClientAddress(text: string): ClientAddress | undefined {
  try {
    const address = parseAddress(text)
    return address.kind === 'client' ? address : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/**
 * Asks the store the same questions at once whether there is such a client or not, so that the time
 * does not tell (K14). Rejects with the store's error where it is away (A18).
 */
export async function findClaimed(
  store: Questions,
  { account, client }: Pick<ClientAddress, 'account' | 'client'>,
  kind: CredentialKind,
): Promise<ClaimedClient | undefined> {
  const [record, credentials] = await Promise.all([
    store.clients.find(account, client),
    store.credentials.list(account, client).catch(noneWhereMissing),
  ])
  // Between the two answers another client may have taken the name.
  const isHis = (each: Credential) => each.kind === kind && each.client?.id === record?.id
  return record && { client: record, credentials: credentials.filter(isHis) }
}

function noneWhereMissing(error: unknown): Credential[] {
  if (error instanceof StoreError && error.failure === 'missing') return []
  throw error
}

export function isExpired({ expiresAt }: { expiresAt?: Date }, now: number): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= now
}
