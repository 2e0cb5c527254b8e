import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { and, desc, eq, lt, type SQL, sql } from 'drizzle-orm'
import { checkSlug } from '../../protocol/name.ts'
import {
  type ListedRoom,
  type RoomHead,
  type RoomRecord,
  type RoomRevision,
  type Rooms,
  StoreError,
} from '../store.ts'
import { theAccount } from './accounts.ts'
import type { Database, Queries } from './database.ts'
import { keptText } from './kept.ts'
import { afterSlug, bySlug, named, namedLater, nameValues } from './name.ts'
import { accounts, roomRevisions, rooms } from './schema.ts'

export class PostgresRooms implements Rooms {
  readonly #database: Database
  readonly #find: ReturnType<typeof prepareFind>

  constructor(database: Database) {
    this.#database = database
    this.#find = database.prepare(prepareFind)
  }

  create(room: {
    account: string
    slug: string
    config: Config
    author: string
  }): Promise<RoomRecord> {
    const { slug, config, author } = room
    return this.#database.run(async (queries) => {
      checkSlug(slug, 'room')
      const account = await theAccount(queries, room.account)
      const insertion = sql`insert into ${rooms} (account_id, slug, revision)
        values (${account.id}, ${slug}, 1)`
      await revise(queries, insertion, config, author)
      return theRoom(queries, account.id, slug)
    })
  }

  find(account: string, room: string): Promise<RoomRecord | undefined> {
    return this.#database.run(async () => {
      const values = { ...nameValues('account', account), ...nameValues('room', room) }
      const [row] = await this.#find.execute(values)
      return row && readRoom(row)
    })
  }

  head(account: string, room: string): Promise<RoomHead | undefined> {
    return this.#database.run((queries) => findHead(queries, account, room))
  }

  list(account: string): Promise<ListedRoom[]> {
    return this.#database.run(async (queries) => {
      const { id } = await theAccount(queries, account)
      const rows = await selectRooms(queries).where(eq(accounts.id, id)).orderBy(bySlug(rooms))
      return rows.map(listed)
    })
  }

  page(account: string, { after, limit }: { after?: string; limit: number }): Promise<RoomHead[]> {
    return this.#database.run(async (queries) => {
      const { id } = await theAccount(queries, account)
      return selectHeads(queries)
        .where(and(eq(rooms.accountId, id), afterSlug(rooms, after)))
        .orderBy(bySlug(rooms))
        .limit(limit)
    })
  }

  configure(
    account: string,
    room: string,
    config: Config,
    author: string,
    expected?: number,
  ): Promise<RoomRecord> {
    return this.#database.run(async (queries) => {
      const head = await theHead(queries, account, room)
      const update = sql`update ${rooms} set revision = revision + 1
        where ${one(head.id, expected)}`
      const kept = await revise(queries, update, config, author)
      if (kept) return { ...head, ...kept }
      throw await otherwise(queries, head)
    })
  }

  revisions(
    account: string,
    room: string,
    { before, limit }: { before?: number; limit: number },
  ): Promise<RoomRevision[]> {
    return this.#database.run(async (queries) => {
      const { id } = await theHead(queries, account, room)
      const { revision, config, author, createdAt } = roomRevisions
      const rows = await queries
        .select({ revision, config, author, createdAt })
        .from(roomRevisions)
        .where(
          and(
            eq(roomRevisions.roomId, id),
            before === undefined ? undefined : lt(revision, before),
          ),
        )
        .orderBy(desc(revision))
        .limit(limit)
      return rows.map(listed)
    })
  }

  delete(account: string, room: string, expected?: number): Promise<boolean> {
    return this.#database.run(async (queries) => {
      const found = await findHead(queries, account, room)
      if (!found) return false
      const gone = await queries.delete(rooms).where(one(found.id, expected)).returning()
      if (gone.length === 0 && (await findHead(queries, found.account.id, found.id))) {
        throw stale()
      }
      return gone.length > 0
    })
  }
}

/** The row of that id, at that revision where one is expected. */
function one(id: string, expected: number | undefined): SQL {
  return expected === undefined ? sql`id = ${id}` : sql`id = ${id} and revision = ${expected}`
}

/** Why nothing was changed of a room that was there. */
async function otherwise(queries: Queries, { id, account }: RoomHead): Promise<StoreError> {
  return (await findHead(queries, account.id, id)) ? stale() : unknown()
}

/**
 * Changes one row of rooms and keeps the config as the revision that the row now has, in one
 * statement. Undefined where no row was changed.
 */
async function revise(queries: Queries, change: SQL, config: Config, author: string) {
  const json = JSON.stringify(toJson(ConfigSchema, config))
  const [kept] = await queries.execute<{ revision: number; config: JsonValue }>(sql`
    with room as (${change} returning id, revision)
    insert into ${roomRevisions} (room_id, revision, config, author)
    select id, revision, ${json}::jsonb, ${keptText(author, 'author')} from room
    returning revision, config`)
  return kept && { revision: kept.revision, config: readConfig(kept.config) }
}

const HEAD = {
  id: rooms.id,
  account: { id: accounts.id, slug: accounts.slug },
  slug: rooms.slug,
  createdAt: rooms.createdAt,
  revision: rooms.revision,
}

function selectRooms(queries: Queries) {
  return queries
    .select({ ...HEAD, config: roomRevisions.config })
    .from(rooms)
    .innerJoin(accounts, eq(accounts.id, rooms.accountId))
    .innerJoin(
      roomRevisions,
      and(eq(roomRevisions.roomId, rooms.id), eq(roomRevisions.revision, rooms.revision)),
    )
}

function prepareFind(queries: Queries) {
  const byNames = and(namedLater(accounts, 'account'), namedLater(rooms, 'room'))
  return selectRooms(queries).where(byNames).prepare('room')
}

async function findRoom(queries: Queries, account: string, room: string) {
  const [row] = await selectRooms(queries).where(and(named(accounts, account), named(rooms, room)))
  return row && readRoom(row)
}

function readRoom(row: Awaited<ReturnType<typeof selectRooms>>[number]): RoomRecord {
  return { ...row, config: readConfig(row.config) }
}

async function theRoom(queries: Queries, account: string, room: string): Promise<RoomRecord> {
  return known(await findRoom(queries, account, room))
}

function selectHeads(queries: Queries) {
  return queries.select(HEAD).from(rooms).innerJoin(accounts, eq(accounts.id, rooms.accountId))
}

async function findHead(queries: Queries, account: string, room: string) {
  const [row] = await selectHeads(queries).where(and(named(accounts, account), named(rooms, room)))
  return row
}

async function theHead(queries: Queries, account: string, room: string): Promise<RoomHead> {
  return known(await findHead(queries, account, room))
}

function known<T>(found: T | undefined): T {
  if (!found) throw unknown()
  return found
}

function unknown(): StoreError {
  return new StoreError('missing', 'the room is unknown')
}

function stale(): StoreError {
  return new StoreError('stale', 'the room was changed meanwhile', undefined, true)
}

/**
 * A config that a later version has written may hold blocks that this one does not know, a lock
 * among them: the room is then refused, rather than opened without it.
 */
function readConfig(json: JsonValue): Config {
  try {
    return fromJson(ConfigSchema, json)
  } catch (error) {
    throw new StoreError('unreadable', 'the config of the room is not of this version', error, true)
  }
}

/** Of many, those that can be read have their config. */
function listed<T extends { config: JsonValue }>({ config: json, ...row }: T) {
  try {
    return { ...row, config: readConfig(json) }
  } catch {
    return row
  }
}
