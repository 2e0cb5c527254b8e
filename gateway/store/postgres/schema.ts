/** The tables. After a change here, drizzle-kit writes the migration (drizzle.config.ts). */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf'
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import type { ApiRole } from '../administration.ts'
import type { CredentialKind } from '../store.ts'

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'bytea',
})

/** Milliseconds, as a Date holds them: what is written reads back the same. */
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

const createdAt = () => moment('created_at').notNull().defaultNow()

export const accounts = pgTable('accounts', {
  id: uuid().primaryKey().defaultRandom(),
  slug: text().notNull().unique(),
  createdAt: createdAt(),
})

const accountId = () =>
  uuid('account_id')
    .notNull()
    .references(() => accounts.id, { onDelete: 'cascade' })

export const rooms = pgTable(
  'rooms',
  {
    id: uuid().primaryKey().defaultRandom(),
    accountId: accountId(),
    slug: text().notNull(),
    /** The one in force; its config is in room_revisions. */
    revision: integer().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    unique().on(table.accountId, table.slug),
    index('rooms_by_slug').on(table.accountId, sql`${table.slug} collate "C"`),
  ],
)

const roomId = () =>
  uuid('room_id')
    .notNull()
    .references(() => rooms.id, { onDelete: 'cascade' })

export const roomRevisions = pgTable(
  'room_revisions',
  {
    roomId: roomId(),
    /** Counts from 1. */
    revision: integer().notNull(),
    /** porthouse.room.v1.Config as Protobuf JSON. */
    config: jsonb().$type<JsonValue>().notNull(),
    author: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.roomId, table.revision] })],
)

/** Rises by one with each change of the grants; only those of this revision are in force. */
const revision = () => integer().notNull().default(1)

/** Rises by one with each change of whatever is in the row or granted to it. */
const version = () => integer().notNull().default(1)

export const clients = pgTable(
  'clients',
  {
    id: uuid().primaryKey().defaultRandom(),
    accountId: accountId(),
    slug: text().notNull(),
    maxSockets: integer('max_sockets'),
    revision: revision(),
    version: version(),
    createdAt: createdAt(),
  },
  (table) => [
    unique().on(table.accountId, table.slug),
    index('clients_by_slug').on(table.accountId, sql`${table.slug} collate "C"`),
  ],
)

const clientId = () => uuid('client_id').references(() => clients.id, { onDelete: 'cascade' })

export const tokens = pgTable(
  'tokens',
  {
    id: uuid().primaryKey(),
    accountId: accountId(),
    /** A token does not outlive the client it acts as. */
    clientId: clientId(),
    hash: bytea().notNull(),
    method: text(),
    /** Messages a second; both numbers of a rate stand, or neither. */
    ratePerSecond: doublePrecision('rate_per_second'),
    rateBurst: doublePrecision('rate_burst'),
    maxConnections: integer('max_connections'),
    revision: revision(),
    version: version(),
    createdAt: createdAt(),
    expiresAt: moment('expires_at'),
  },
  (table) => [
    index().on(table.accountId, table.createdAt, table.id),
    index().on(table.clientId, table.createdAt, table.id),
  ],
)

/** What the grants of clients and of tokens have in common. */
const grant = () => ({
  /** Of the owner, as it was when this was granted. */
  revision: revision(),
  roomId: roomId(),
  /** Tells apart what is granted for different channels of one room. */
  number: integer().notNull().default(0),
  send: boolean().notNull(),
  receive: boolean().notNull(),
  admit: boolean().notNull().default(false),
  channels: jsonb().$type<string[]>().notNull().default([]),
})

export const clientGrants = pgTable(
  'client_grants',
  { clientId: clientId().notNull(), ...grant() },
  (table) => [
    primaryKey({ columns: [table.clientId, table.revision, table.roomId, table.number] }),
    index().on(table.roomId),
  ],
)

export const tokenGrants = pgTable(
  'token_grants',
  {
    tokenId: uuid('token_id')
      .notNull()
      .references(() => tokens.id, { onDelete: 'cascade' }),
    ...grant(),
  },
  (table) => [
    primaryKey({ columns: [table.tokenId, table.revision, table.roomId, table.number] }),
    index().on(table.roomId),
  ],
)

export const credentials = pgTable(
  'credentials',
  {
    id: uuid().primaryKey(),
    kind: text().$type<CredentialKind>().notNull(),
    accountId: accountId(),
    /** Absent: the account's own. */
    clientId: clientId(),
    data: jsonb().$type<JsonObject>().notNull(),
    label: text().notNull(),
    createdAt: createdAt(),
    expiresAt: moment('expires_at'),
  },
  (table) => [
    index().on(table.accountId, table.clientId, table.createdAt, table.id),
    index().on(table.clientId),
  ],
)

export const logins = pgTable(
  'logins',
  {
    hash: bytea().primaryKey(),
    clientId: clientId().notNull(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [index().on(table.clientId), index().on(table.expiresAt)],
)

export const offences = pgTable(
  'offences',
  {
    subject: text().primaryKey(),
    score: doublePrecision().notNull(),
    count: bigint({ mode: 'number' }).notNull(),
    at: moment('at').notNull(),
  },
  (table) => [index().on(table.at)],
)

const position = (name: string) => bigint(name, { mode: 'number' }).notNull()

/** Of rooms that keep their messages: what of them is there, and which gateway adds to it. */
export const histories = pgTable(
  'histories',
  {
    roomId: roomId().primaryKey(),
    /**
     * Stands for it in messages; another one after a purge. Those of histories that are gone are
     * in dropped_histories until their messages are deleted.
     */
    number: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    epoch: position('epoch'),
    generation: position('generation').default(1),
    first: position('first').default(1),
    last: position('last').default(0),
    messages: position('messages').default(0),
    bytes: position('bytes').default(0),
  },
  (table) => [unique().on(table.number)],
)

/** Written by a trigger of histories. */
export const droppedHistories = pgTable('dropped_histories', {
  number: position('number').primaryKey(),
})

/** Partitioned by `at`, which drizzle-kit does not know of: see the migration. */
export const messages = pgTable(
  'messages',
  {
    history: position('history'),
    sequence: position('sequence'),
    /** Milliseconds since 1970-01-01 UTC. */
    at: position('at'),
    id: uuid().notNull(),
    sender: text().notNull(),
    channel: text().notNull(),
    body: bytea().notNull(),
    keyScope: bytea('key_scope'),
    keyBody: bytea('key_body'),
  },
  (table) => [
    primaryKey({ columns: [table.history, table.sequence, table.at] }),
    index('messages_key_index')
      .on(table.history, table.at, table.sequence)
      .where(sql`key_scope is not null`),
  ],
)

export const cursors = pgTable(
  'cursors',
  {
    /** A client, or a token; a trigger of theirs deletes what they held. */
    holder: uuid().notNull(),
    roomId: roomId(),
    /** Number of the history whose position it is. */
    history: position('history'),
    sequence: position('sequence'),
  },
  (table) => [primaryKey({ columns: [table.holder, table.roomId] }), index().on(table.roomId)],
)

export const retained = pgTable(
  'retained',
  {
    roomId: roomId(),
    channel: text().notNull(),
    sequence: position('sequence'),
    at: position('at'),
    id: uuid().notNull(),
    sender: text().notNull(),
    body: bytea().notNull(),
  },
  (table) => [primaryKey({ columns: [table.roomId, table.channel] })],
)

/** Of MQTT clients. A trigger of clients and of tokens deletes what is theirs. */
export const mqttSessions = pgTable(
  'mqtt_sessions',
  {
    key: text().primaryKey(),
    accountId: uuid('account_id').references(() => accounts.id, { onDelete: 'cascade' }),
    principal: text().notNull(),
    clientId: text('client_id').notNull(),
    expiryS: bigint('expiry_s', { mode: 'number' }).notNull(),
    /** Null while it is connected. */
    awaySince: moment('away_since'),
    /** Null while it is connected, or where it does not end. */
    endsAt: moment('ends_at'),
    will: bytea(),
    willDelayS: bigint('will_delay_s', { mode: 'number' }),
    /** Null: not due yet. */
    willAt: moment('will_at'),
    /** In its queue, or what was before a room of it was deleted. */
    messages: position('messages').default(0),
    bytes: position('bytes').default(0),
    createdAt: createdAt(),
  },
  (table) => [
    index().on(table.accountId),
    index().on(table.principal),
    index().on(table.endsAt).where(sql`ends_at is not null`),
    index().on(table.willAt).where(sql`will_at is not null`),
  ],
)

const sessionKey = () =>
  text()
    .notNull()
    .references(() => mqttSessions.key, { onDelete: 'cascade' })

const anyRoomId = () => uuid('room_id').references(() => rooms.id, { onDelete: 'cascade' })

export const mqttSubscriptions = pgTable(
  'mqtt_subscriptions',
  {
    key: sessionKey(),
    topic: text().notNull(),
    qos: smallint().notNull(),
    noLocal: boolean('no_local').notNull(),
    retainAsPublished: boolean('retain_as_published').notNull(),
    retainHandling: smallint('retain_handling').notNull(),
    identifier: integer(),
    roomId: anyRoomId(),
    /** Both stand, or neither. */
    epoch: bigint({ mode: 'number' }),
    sequence: bigint({ mode: 'number' }),
  },
  (table) => [primaryKey({ columns: [table.key, table.topic] }), index().on(table.roomId)],
)

export const mqttQueue = pgTable(
  'mqtt_queue',
  {
    key: sessionKey(),
    number: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    topic: text().notNull(),
    qos: smallint().notNull(),
    retain: boolean().notNull(),
    body: bytea().notNull(),
    /** The body is text. */
    text: boolean().notNull(),
    messageId: integer('message_id'),
    released: boolean().notNull(),
    expiresAt: moment('expires_at'),
    roomId: anyRoomId(),
    /** Aedes' own number of the message; both stand, or neither. */
    broker: text(),
    counter: bigint({ mode: 'number' }),
  },
  (table) => [
    primaryKey({ columns: [table.key, table.number] }),
    index().on(table.key, table.messageId).where(sql`message_id is not null`),
    index().on(table.roomId),
    index().on(table.expiresAt).where(sql`expires_at is not null`),
  ],
)

/** Messages of QoS 2 that were received and not released. */
export const mqttIncoming = pgTable(
  'mqtt_incoming',
  {
    key: sessionKey(),
    messageId: integer('message_id').notNull(),
    packet: bytea(),
  },
  (table) => [primaryKey({ columns: [table.key, table.messageId] })],
)

/** What programs administer with. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid().primaryKey(),
    /** Null: of the gateway itself. */
    accountId: uuid('account_id').references(() => accounts.id, { onDelete: 'cascade' }),
    role: text().$type<ApiRole>().notNull(),
    hash: bytea().notNull(),
    label: text().notNull(),
    createdAt: createdAt(),
    expiresAt: moment('expires_at'),
  },
  (table) => [index().on(table.accountId, table.createdAt, table.id)],
)

/** What was done by the admin API; it outlives what it was done to. */
export const audit = pgTable(
  'audit',
  {
    id: uuid().primaryKey(),
    at: moment('at').notNull(),
    principal: text().notNull(),
    role: text().notNull(),
    remote: text().notNull(),
    method: text().notNull(),
    resource: text().notNull(),
    accountId: uuid('account_id'),
    code: text().notNull(),
    before: jsonb().$type<JsonValue>(),
    after: jsonb().$type<JsonValue>(),
  },
  (table) => [index().on(table.at, table.id), index().on(table.accountId, table.at, table.id)],
)
