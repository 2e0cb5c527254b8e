/**
 * What the gateway remembers, as interfaces. `store/postgres` implements them; nothing above knows
 * how. Every method may reject with a StoreError; names given are slugs or UUIDs (spec section 2).
 * A new slug that breaks the grammar rejects with a Refusal.
 */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Config } from '@porthouse/proto/room/v1/config'
import type { ApiKeys, AuditLog, TimePosition } from './administration.ts'
import type { Cursors, Histories, RetainedValues } from './history.ts'
import type { MqttSessions } from './mqtt-sessions.ts'

export interface Store {
  readonly accounts: Accounts
  readonly rooms: Rooms
  readonly clients: Clients
  readonly credentials: Credentials
  readonly tokens: Tokens
  readonly logins: Logins
  readonly offences: Offences
  readonly histories: Histories
  readonly cursors: Cursors
  readonly retained: RetainedValues
  readonly mqttSessions: MqttSessions
  readonly apiKeys: ApiKeys
  readonly audit: AuditLog
  readonly changes: Changes
  /** Resolves when the database answers. */
  ping(): Promise<void>
  /** What its clock says. */
  now(): Promise<Date>
  close(): Promise<void>
}

/** A part of a list: those after a position, at most so many. What is left out sets no bound. */
export interface Part<Position> {
  readonly after?: Position | undefined
  readonly limit?: number
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
  list(part?: Part<string>): Promise<Account[]>
  /** Its rooms, clients and tokens go with it. False where there is none. */
  delete(name: string): Promise<boolean>
}

/** A room without its config. */
export interface RoomHead {
  readonly id: string
  readonly account: { readonly id: string; readonly slug: string }
  readonly slug: string
  readonly createdAt: Date
  /** Rises by one with each change of the config; the first is 1. */
  readonly revision: number
}

export interface RoomRecord extends RoomHead {
  readonly config: Config
}

export interface ListedRoom extends RoomHead {
  /** Absent: one that this version cannot read. */
  readonly config?: Config
}

export interface Rooms {
  /** Rejects with `exists` where the name is taken, `missing` where the account is unknown. */
  create(room: {
    account: string
    slug: string
    config: Config
    author: string
  }): Promise<RoomRecord>
  /** Rejects with `unreadable` where its config is of a later version: it is not read in part. */
  find(account: string, room: string): Promise<RoomRecord | undefined>
  /** The same, whatever its config is. */
  head(account: string, room: string): Promise<RoomHead | undefined>
  /** By slug. Rejects with `missing` where the account is unknown. */
  list(account: string): Promise<ListedRoom[]>
  /**
   * The same without configs, at most `limit`, those whose slug comes after `after`: for an account
   * of any size.
   */
  page(account: string, page: { after?: string; limit: number }): Promise<RoomHead[]>
  /**
   * Keeps the old config as a revision. Rejects with `missing`; with `stale` where the room is not
   * at revision `expected` any more, so that of several at once one alone is done.
   */
  configure(
    account: string,
    room: string,
    config: Config,
    author: string,
    expected?: number,
  ): Promise<RoomRecord>
  /** The latest first, at most `limit`, those before revision `before`. Rejects with `missing`. */
  revisions(
    account: string,
    room: string,
    page: { before?: number; limit: number },
  ): Promise<RoomRevision[]>
  /** Rejects with `stale` as `configure` does. */
  delete(account: string, room: string, expected?: number): Promise<boolean>
}

/** A config that a room has, or had (R19). */
export interface RoomRevision {
  readonly revision: number
  /** Absent: one that this version cannot read. */
  readonly config?: Config
  readonly author: string
  readonly createdAt: Date
}

/** What a token or client may do in one room of its own account. */
export interface Grant extends Rights {
  readonly roomId: string
  /** Slug of the room. */
  readonly room: string
}

export interface Rights {
  readonly send: boolean
  readonly receive: boolean
  /** Let in those who knock (R18). */
  readonly admit: boolean
  /** Channels, or filters of channels, that the rights are for; empty: the room and all of them. */
  readonly channels: readonly string[]
}

/** As given: the room by slug or UUID; what is left out is false, or empty. */
export interface NewGrant extends Partial<Rights> {
  readonly room: string
}

/** An identity within an account (R8). */
export interface ClientRecord {
  readonly id: string
  readonly account: { readonly id: string; readonly slug: string }
  readonly slug: string
  readonly createdAt: Date
  /** Rises by one with each change; the first is 1. */
  readonly version: number
  /** Live sockets it may have; 1: the newer takes over. Absent: any number. */
  readonly maxSockets?: number
  readonly grants: readonly Grant[]
}

export interface Clients {
  /**
   * What is granted twice in one room adds up. Rejects with `exists` where the slug is taken,
   * `missing` where the account or a room is unknown.
   */
  create(client: {
    account: string
    slug: string
    maxSockets?: number
    grants: readonly NewGrant[]
  }): Promise<ClientRecord>
  /** Finds a client by its slug, or makes it, without grants. Rejects with `missing`. */
  ensure(account: string, slug: string): Promise<ClientRecord>
  find(account: string, client: string): Promise<ClientRecord | undefined>
  /**
   * A client and what it is known by, in one question, which takes as long where there is no such
   * client (threat K14).
   */
  claimed(account: string, client: string, kind: CredentialKind): Promise<ClaimedClient | undefined>
  /** By slug. Rejects with `missing` where the account is unknown. */
  list(account: string, part?: Part<string>): Promise<ClientRecord[]>
  /**
   * Its grants become these; of several at once, those of the last, whole. `maxSockets` null: any
   * number. Rejects with `missing`; with `stale` where it is not at version `expected` any more, so
   * that of several at once one alone is done.
   */
  change(
    account: string,
    client: string,
    to: { grants?: readonly NewGrant[]; maxSockets?: number | null },
    expected?: number,
  ): Promise<ClientRecord>
  /** Its tokens and credentials go with it. Rejects with `stale` as `change` does. */
  delete(account: string, client: string, expected?: number): Promise<boolean>
}

export const CREDENTIAL_KINDS = ['connection-key', 'ssh-key', 'password', 'preset'] as const
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number]

/** What an account (`connection-key`) or one of its clients (the others) proves itself by. */
export interface Credential {
  readonly id: string
  readonly kind: CredentialKind
  readonly account: { readonly id: string; readonly slug: string }
  readonly client?: { readonly id: string; readonly slug: string }
  /** What is needed to check a proof, and too little to make one; its shape is the kind's. */
  readonly data: JsonObject
  /** For people, for instance the comment of an SSH key. */
  readonly label: string
  readonly createdAt: Date
  readonly expiresAt?: Date
}

export interface Credentials {
  /** Rejects with `missing` where the account or client is unknown. */
  add(credential: {
    id: string
    kind: CredentialKind
    account: string
    client?: string
    data: JsonObject
    label: string
    expiresAt?: Date
  }): Promise<Credential>
  find(id: string): Promise<Credential | undefined>
  /** Oldest first: of a client, else those of the account itself. Rejects with `missing`. */
  list(account: string, client?: string, part?: Part<TimePosition>): Promise<Credential[]>
  /** Sets when it ends, so that an old key and a new one may overlap. Rejects with `missing`. */
  expire(id: string, at: Date): Promise<Credential>
  delete(id: string): Promise<boolean>
}

/** The client that a socket claims to be, and what it may show that by. */
export interface ClaimedClient {
  readonly client: ClientRecord
  /** Of the kind asked for, the oldest first, those past their expiry among them. */
  readonly credentials: readonly Credential[]
}

/** What the content of a token's messages must be (R33). */
export const METHODS = ['text', 'binary', 'json', 'protobuf'] as const
export type Method = (typeof METHODS)[number]

/** What an admin may set of a token; whatever is left out is free. */
export interface TokenTerms {
  readonly expiresAt?: Date
  readonly method?: Method
  /** Messages a second that all its connections together may send, with bursts of `burst`. */
  readonly rate?: { readonly perSecond: number; readonly burst: number }
  /** Of a share space: live connections it may have, named `token/1` to `token/n`. */
  readonly maxConnections?: number
}

/** A throw-away micro-user (R33). Only a hash of its secret is kept. */
export interface TokenRecord extends TokenTerms {
  readonly id: string
  readonly account: { readonly id: string; readonly slug: string }
  /**
   * The client that its sockets act as, if any, with its bound; created with the token where the
   * slug is new.
   */
  readonly client?: { readonly id: string; readonly slug: string; readonly maxSockets?: number }
  /** SHA-256 of the secret's 32 random bytes. */
  readonly hash: Uint8Array
  readonly createdAt: Date
  /** Rises by one with each change; the first is 1. */
  readonly version: number
  readonly grants: readonly Grant[]
}

/** What may become of a token in one step: other grants, another secret, or other terms. */
export type TokenChange = { readonly grants?: readonly NewGrant[]; readonly hash?: Uint8Array } & {
  /** Null: it is freed of that one. */
  readonly [Term in keyof TokenTerms]?: TokenTerms[Term] | null
}

export interface Tokens {
  /**
   * What is granted twice in one room adds up. Rejects with `missing` where the account, a room or
   * a client's UUID is unknown.
   */
  create(
    token: TokenTerms & {
      id: string
      hash: Uint8Array
      account: string
      client?: string
      grants: readonly NewGrant[]
    },
  ): Promise<TokenRecord>
  /** By id, a UUID. */
  find(id: string): Promise<TokenRecord | undefined>
  /**
   * Oldest first; where their UUIDs are given, those of a client, or with grants in a room. Rejects
   * with `missing` where the account is unknown.
   */
  list(
    account: string,
    part?: Part<TimePosition> & { readonly clientId?: string; readonly roomId?: string },
  ): Promise<TokenRecord[]>
  /**
   * Of several at once the last counts, whole. Rejects with `missing`; with `stale` where it is not
   * at version `expected` any more, so that of several at once one alone is done.
   */
  change(id: string, to: TokenChange, expected?: number): Promise<TokenRecord>
  /** Rejects with `stale` as `change` does. */
  delete(id: string, expected?: number): Promise<boolean>
}

/** A browser that has logged in, and shows it by a cookie (acceptor `cookie`). */
export interface Login {
  /** SHA-256 of the cookie's secret. */
  readonly hash: Uint8Array
  readonly account: { readonly id: string; readonly slug: string }
  readonly client: { readonly id: string; readonly slug: string }
  readonly expiresAt: Date
}

export interface Logins {
  /** Rejects with `missing`. Those past their expiry are deleted on the way. */
  create(login: {
    hash: Uint8Array
    account: string
    client: string
    expiresAt: Date
  }): Promise<Login>
  /** May be past its expiry. */
  find(hash: Uint8Array): Promise<Login | undefined>
  delete(hash: Uint8Array): Promise<boolean>
}

/** Wrong answers to the teleprinter, by who gave them (R17). */
export interface Offence {
  /**
   * `address:{prefix}` or `identity:{claimed}`, of which the first 256 characters count and those
   * that cannot be kept are replaced.
   */
  readonly subject: string
  /** As of `at`; it halves with each half-life that passes. */
  readonly score: number
  /** In all. */
  readonly count: number
  readonly at: Date
}

export type OffencePosition = Pick<Offence, 'at' | 'subject'>

/** Some of the offences: one, those whose subject starts in one of these ways, or a network's. */
export type OffenceChoice =
  | { readonly subject: string }
  | { readonly prefixes: readonly string[] }
  /** An IP address or prefix, as `10.1.0.0/16`: what lies in it, and what it lies in. */
  | { readonly network: string }

/** At most 10,000, beside those just added: the oldest make place, and the long decayed go. */
export interface Offences {
  /** One more for each subject, after the decay since the last; in one statement. */
  add(subjects: readonly string[], at: Date, halfLifeMs: number): Promise<void>
  /** Those of these subjects that are known. */
  find(subjects: readonly string[]): Promise<Offence[]>
  /** The latest first, at most 1,000; all of them where there is no choice. */
  list(part?: Part<OffencePosition>, choice?: OffenceChoice): Promise<Offence[]>
  /** All of them where there is no choice. How many there were. */
  clear(choice?: OffenceChoice): Promise<number>
}

/** Something that was changed, by whichever process (R51). */
export interface Change {
  readonly kind: 'account' | 'room' | 'client' | 'credential' | 'token' | 'api-key'
  /** UUID. */
  readonly id: string
}

export interface Changes {
  /** Whether they are told now; where they were not for a while, `undefined` is told first. */
  readonly watching: boolean
  /**
   * Tells of every change from now on, within a second, and `undefined` where some may have been
   * missed, so that all has to be read again. Resolves, once it watches, with what ends it.
   */
  watch(listener: (change: Change | undefined) => void): Promise<() => Promise<void>>
}

/**
 * `invalid`: what was given would not read back the same, being too long or too large a number, or
 * with characters that no database holds (threat S2). `unreadable`: what is kept is of a later
 * version, and stays so. `stale`: it is not as the caller expects it any more. `unavailable` is
 * temporary: the database is away, busy or too slow; `full` as well: it has no space left. A change
 * may have happened all the same, unless the error is `certain`.
 */
export type StoreFailure =
  | 'exists'
  | 'missing'
  | 'invalid'
  | 'unreadable'
  | 'stale'
  | 'unavailable'
  | 'full'

export class StoreError extends Error {
  readonly failure: StoreFailure
  /** The database itself has said that nothing was changed. */
  readonly certain: boolean
  constructor(failure: StoreFailure, message: string, cause?: unknown, certain = false) {
    super(message, { cause })
    this.name = 'StoreError'
    this.failure = failure
    this.certain = certain
  }
}
