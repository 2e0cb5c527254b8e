/** What clients and tokens are granted: one shape, in a table for each of the two. */
import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { isUuid } from '../../protocol/name.ts'
import { type Grant, type NewGrant, StoreError } from '../store.ts'
import type { Queries } from './database.ts'
import { keptJson } from './kept.ts'
import { bySlug } from './name.ts'
import { clientGrants, clients, rooms, tokenGrants, tokens } from './schema.ts'

/** The one who has the grants, and where they are. */
interface Owner {
  readonly table: typeof clients | typeof tokens
  readonly grants: typeof clientGrants | typeof tokenGrants
  /** The column of the grants that names him. */
  readonly id: PgColumn
}

export const clientOwner: Owner = {
  table: clients,
  grants: clientGrants,
  id: clientGrants.clientId,
}

export const tokenOwner: Owner = { table: tokens, grants: tokenGrants, id: tokenGrants.tokenId }

/** As the statement reads it, of JSON. */
export interface RoomGrant extends Omit<Grant, 'room' | 'roomId'> {
  /** UUID. */
  readonly room: string
  /** Tells it from others of the same owner. */
  readonly number: number
}

/**
 * One grant for a room and the same channels: what is granted twice adds up, and no right reaches
 * channels that it was not given for. Rejects with `missing`.
 */
export async function resolveGrants(
  queries: Queries,
  accountId: string,
  wanted: readonly NewGrant[],
): Promise<RoomGrant[]> {
  const ids = await roomIds(
    queries,
    accountId,
    wanted.map(({ room }) => room),
  )
  const grants = new Map<string, RoomGrant>()
  for (const { room: name, send, receive, admit, channels = [] } of wanted) {
    const room = ids.get(isUuid(name) ? name.toLowerCase() : name)
    if (!room) throw new StoreError('missing', 'a room of the grants is unknown')
    const set = [...new Set(channels)].sort()
    const key = JSON.stringify([room, ...set])
    const same = grants.get(key)
    grants.set(key, {
      room,
      number: same?.number ?? grants.size,
      send: (send || same?.send) ?? false,
      receive: (receive || same?.receive) ?? false,
      admit: (admit || same?.admit) ?? false,
      channels: set,
    })
  }
  return [...grants.values()]
}

/** UUIDs of the rooms that there are, by the names they were asked for. */
async function roomIds(queries: Queries, accountId: string, names: readonly string[]) {
  const uuids = names.filter(isUuid)
  const slugs = names.filter((name) => !isUuid(name) && !name.includes('\0'))
  const found = await queries
    .select({ id: rooms.id, slug: rooms.slug })
    .from(rooms)
    .where(
      and(eq(rooms.accountId, accountId), or(inArray(rooms.id, uuids), inArray(rooms.slug, slugs))),
    )
  return new Map(found.flatMap(({ id, slug }) => [[id, id] as const, [slug, id] as const]))
}

/** The row of that id, at that version where one is expected. */
export function one(
  { id, version }: Pick<Owner['table'], 'id' | 'version'>,
  uuid: string,
  expected: number | undefined,
): SQL {
  const same = eq(id, uuid)
  return expected === undefined ? same : and(same, eq(version, expected))!
}

export function stale(what: string): StoreError {
  return new StoreError('stale', `the ${what} was changed meanwhile`, undefined, true)
}

/**
 * The statement that gives an owner's row, at the version that is expected if one is, other values
 * in columns by name, and other grants if they are given. It returns no row where there is none.
 */
export function changing(
  owner: Owner,
  id: string,
  expected: number | undefined,
  columns: Readonly<Record<string, SQL>>,
  given: readonly RoomGrant[] | undefined,
): SQL {
  const { table } = owner
  const values = { version: sql`${table.version} + 1`, ...columns }
  const raised = given ? { ...values, revision: sql`${table.revision} + 1` } : values
  const each = Object.entries(raised).map(([name, to]) => sql`${sql.identifier(name)} = ${to}`)
  const set = sql.join(each, sql`, `)
  const update = sql`update ${table} set ${set} where ${one(table, id, expected)}`
  return given ? granting(owner, update, given) : sql`${update} returning id`
}

/**
 * The statement that inserts or updates an owner's row, and gives it these grants in place of those
 * it had. Of several that change one owner at once the last wins whole: none sees the grants that
 * another is about to leave, but the revision that it raises is always its own. `before`: further
 * expressions that the change needs, each followed by a comma. It returns the row's id.
 */
export function granting(
  { table, grants, id }: Owner,
  change: SQL,
  given: readonly RoomGrant[],
  before = sql``,
): SQL {
  const owner = sql.identifier(id.name)
  return sql`
    with ${before} owner as (${change} returning ${table}.id, ${table}.revision),
    gone as (delete from ${grants} where ${owner} in (select id from owner)),
    granted as (
      insert into ${grants}
        (${owner}, revision, room_id, number, send, receive, admit, channels)
      select owner.id, owner.revision, room, number, send, receive, admit, channels
      from owner, jsonb_to_recordset(${keptJson(given, 'list of grants')}::jsonb) as given
        (room uuid, number integer, send boolean, receive boolean, admit boolean, channels jsonb)
    )
    select id from owner`
}

/** A column for a select of owners: the grants in force, by the slugs of their rooms. */
export function grantsOf({ table, grants, id }: Owner): SQL<Grant[]> {
  return sql<Grant[]>`(
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'roomId', ${rooms.id}, 'room', ${rooms.slug}, 'send', ${grants.send},
          'receive', ${grants.receive}, 'admit', ${grants.admit}, 'channels', ${grants.channels}
        )
        order by ${bySlug(rooms)}, ${grants.number}
      ),
      '[]'
    )
    from ${grants} join ${rooms} on ${rooms.id} = ${grants.roomId}
    where ${id} = ${table.id} and ${grants.revision} = ${table.revision}
  )`
}
