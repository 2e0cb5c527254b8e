/** Who may administer, and what was done: the part of the store that the admin API alone asks. */
import type { JsonValue } from '@bufbuild/protobuf'

export const API_ROLES = ['operator', 'owner', 'admin', 'auditor'] as const
export type ApiRole = (typeof API_ROLES)[number]

/** What a program calls the admin API with. Only a hash of its secret is kept. */
export interface ApiKeyRecord {
  readonly id: string
  /** Absent: of the gateway itself, and so of all accounts. */
  readonly account?: { readonly id: string; readonly slug: string }
  readonly role: ApiRole
  /** SHA-256 of the secret's 32 random bytes. */
  readonly hash: Uint8Array
  /** For people, at most 128 characters. */
  readonly label: string
  readonly createdAt: Date
  readonly expiresAt?: Date
}

/** Where a page of what is ordered by time begins: after this one. */
export interface TimePosition {
  readonly at: Date
  /** UUID. */
  readonly id: string
}

export interface ApiKeys {
  /** Rejects with `missing` where the account is unknown. */
  create(key: {
    id: string
    account?: string
    role: ApiRole
    hash: Uint8Array
    label: string
    expiresAt?: Date
  }): Promise<ApiKeyRecord>
  find(id: string): Promise<ApiKeyRecord | undefined>
  /**
   * Oldest first: of an account, or those of the gateway itself. Rejects with `missing` where the
   * account is unknown.
   */
  list(
    account: string | undefined,
    page: { after?: TimePosition | undefined; limit: number },
  ): Promise<ApiKeyRecord[]>
  delete(id: string): Promise<boolean>
}

/** One change that somebody made, or tried to make, by the admin API. */
export interface AuditEntry {
  /** UUIDv7. */
  readonly id: string
  readonly at: Date
  /** Whose credentials it was, for instance `operator` or `apiKeys/{uuid}`. */
  readonly principal: string
  readonly role: string
  /** Address that it came from. */
  readonly remote: string
  /** For instance `RoomService/UpdateRoom`. */
  readonly method: string
  /** Name of what was to be changed. */
  readonly resource: string
  /** UUID of the account that it is in, also where that is deleted; absent: in none. */
  readonly accountId?: string
  /** Name of the code that it failed with; empty: it was done. */
  readonly code: string
  /** What was there, and what is, as Protobuf JSON without secrets. */
  readonly before?: JsonValue
  readonly after?: JsonValue
}

export interface AuditQuery {
  /** UUID. */
  readonly accountId?: string
  readonly principal?: string
  readonly method?: string
  readonly resource?: string
  /** The latest first, those before this one. */
  readonly before?: TimePosition
  readonly limit: number
}

export interface AuditLog {
  add(entry: AuditEntry): Promise<void>
  list(query: AuditQuery): Promise<AuditEntry[]>
  /** Deletes what is older, and the oldest beyond `entries`. How many there were. */
  trim(olderThan: Date, entries: number): Promise<number>
}
