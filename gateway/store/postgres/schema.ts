/** The tables. After a change here, drizzle-kit writes the migration (drizzle.config.ts). */
import type { JsonValue } from '@bufbuild/protobuf'
import {
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

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
  (table) => [unique().on(table.accountId, table.slug)],
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

export const clients = pgTable(
  'clients',
  {
    id: uuid().primaryKey().defaultRandom(),
    accountId: accountId(),
    slug: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [unique().on(table.accountId, table.slug)],
)

export const tokens = pgTable(
  'tokens',
  {
    id: uuid().primaryKey(),
    accountId: accountId(),
    /** A token does not outlive the client it acts as. */
    clientId: uuid('client_id').references(() => clients.id, { onDelete: 'cascade' }),
    hash: bytea().notNull(),
    createdAt: createdAt(),
    expiresAt: moment('expires_at'),
  },
  (table) => [index().on(table.accountId), index().on(table.clientId)],
)

export const tokenGrants = pgTable(
  'token_grants',
  {
    tokenId: uuid('token_id')
      .notNull()
      .references(() => tokens.id, { onDelete: 'cascade' }),
    roomId: roomId(),
    send: boolean().notNull(),
    receive: boolean().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.roomId] }), index().on(table.roomId)],
)
