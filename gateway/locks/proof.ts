/** What a socket has proved to a lock, and what that lets it do (R7, R8). */
import type { Grant, TokenRecord } from '../store/store.ts'

export interface Named {
  /** UUID. */
  readonly id: string
  readonly slug: string
}

/** Whether a name, a slug or UUID, is this one's. */
export function isNamed({ id, slug }: Named, name: string | undefined): boolean {
  return name === slug || name === id
}

/** In slugs. */
export function clientAddress(account: Named, client: Named): string {
  return `client:${account.slug}/${client.slug}`
}

export interface Proof {
  /** The acceptor that took it. */
  readonly acceptor: string
  /** Told to the client in the verdict, and kept with the lock that asked (R13). */
  readonly values: Readonly<Record<string, string>>
  /** Whose it is; absent where the lock proves no identity, as `preset` does. */
  readonly account?: Named
  /** It speaks for the account itself: its connection key was proved. */
  readonly owner?: true
  /** No lock of its account is for it: an API key's, by which all of them can be taken away. */
  readonly unbarred?: true
  /** The client that the socket now is, and how many live sockets it may have. */
  readonly client?: Named & { readonly maxSockets?: number }
  readonly token?: TokenRecord
  /** Id of the stored credential that proved it, with which it falls. */
  readonly credential?: string
  /** It counts for this place alone, by address; absent: wherever its grants reach. */
  readonly place?: string
  /**
   * The lock of a place that took it, which it resolves for good: that lock's key and, for another
   * one may be made under its name, the room's UUID.
   */
  readonly lock?: { readonly place: string; readonly key: string; readonly room?: string }
  /** Rights that it brings. */
  readonly grants: readonly Grant[]
  /**
   * Whoever proves this enters with the rights that a room gives to visitors, beside his own: set
   * where the proof says little of rights, as that of an OpenID provider or a knock.
   */
  readonly visitor?: true
  readonly expiresAt?: Date
}

/** What a token proves, once its secret was given. */
export function tokenProof(token: TokenRecord): Proof {
  const { account, client, grants, expiresAt } = token
  const values: Record<string, string> = { token: token.id }
  if (client) values.client = clientAddress(account, client)
  const proof = { acceptor: 'token', values, account, token, grants }
  return { ...proof, ...(client && { client }), ...(expiresAt && { expiresAt }) }
}
