/**
 * What the gateway remembers, as interfaces. `store/postgres` implements them; nothing above knows
 * how. Every method may reject with a StoreError; names given are slugs or UUIDs (spec section 2).
 * A new slug that breaks the grammar rejects with a Refusal.
 */
import type { Config } from '@porthouse/proto/room/v1/config'

export interface Store {
  readonly accounts: Accounts
  readonly rooms: Rooms
  readonly tokens: Tokens
  /** Resolves when the database answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** An owner of rooms and tokens (R1). */
export interface Account {
  /** UUID, lower case. */
  readonly id: string
  readonly slug: string
  readonly createdAt: Date
}

export interface Accounts {
  /** Rejects with `exists` where the slug is taken. */
  create(account: { slug: string }): Promise<Account>
  find(name: string): Promise<Account | undefined>
  /** By slug. */
  list(): Promise<Account[]>
  /** Its rooms, clients and tokens go with it. False where there is none. */
  delete(name: string): Promise<boolean>
}

export interface RoomRecord {
  readonly id: string
  readonly account: { readonly id: string; readonly slug: string }
  readonly slug: string
  readonly createdAt: Date
  /** Rises by one with each change of the config; the first is 1. */
  readonly revision: number
  readonly config: Config
}

export interface Rooms {
  /** Rejects with `exists` where the name is taken, `missing` where the account is unknown. */
  create(room: {
    account: string
    slug: string
    config: Config
    author: string
  }): Promise<RoomRecord>
  find(account: string, room: string): Promise<RoomRecord | undefined>
  /** By slug. Rejects with `missing` where the account is unknown. */
  list(account: string): Promise<RoomRecord[]>
  /** Keeps the old config as a revision. Rejects with `missing`. */
  configure(account: string, room: string, config: Config, author: string): Promise<RoomRecord>
  delete(account: string, room: string): Promise<boolean>
}

/** What a token may do in one room. */
export interface Grant {
  readonly roomId: string
  /** Slug of the room, in the token's own account. */
  readonly room: string
  readonly send: boolean
  readonly receive: boolean
}

/** A throw-away micro-user (R33). Only a hash of its secret is kept. */
export interface TokenRecord {
  readonly id: string
  readonly account: { readonly id: string; readonly slug: string }
  /** The client that its sockets act as, if any; created with the token where the slug is new. */
  readonly client?: { readonly id: string; readonly slug: string }
  /** SHA-256 of the secret's 32 random bytes. */
  readonly hash: Uint8Array
  readonly createdAt: Date
  readonly expiresAt?: Date
  readonly grants: readonly Grant[]
}

export interface Tokens {
  /**
   * What is granted twice in one room adds up. Rejects with `missing` where the account, a room or
   * a client's UUID is unknown.
   */
  create(token: {
    id: string
    hash: Uint8Array
    account: string
    client?: string
    expiresAt?: Date
    grants: { room: string; send: boolean; receive: boolean }[]
  }): Promise<TokenRecord>
  /** By id, a UUID. */
  find(id: string): Promise<TokenRecord | undefined>
  /** Oldest first. Rejects with `missing` where the account is unknown. */
  list(account: string): Promise<TokenRecord[]>
  delete(id: string): Promise<boolean>
}

/**
 * `unavailable` is temporary: the database is away, busy or too slow. A change may have happened
 * all the same.
 */
export type StoreFailure = 'exists' | 'missing' | 'unavailable'

export class StoreError extends Error {
  readonly failure: StoreFailure
  constructor(failure: StoreFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreError'
    this.failure = failure
  }
}
