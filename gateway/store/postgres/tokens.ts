import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import { checkSlug, isUuid } from '../../protocol/name.ts'
import { type Account, StoreError, type TokenRecord, type Tokens } from '../store.ts'
import { theAccount } from './accounts.ts'
import type { Database, Queries } from './database.ts'
import { bySlug, named } from './name.ts'
import { accounts, clients, rooms, tokenGrants, tokens } from './schema.ts'

type NewToken = Parameters<Tokens['create']>[0]

interface RoomGrant {
  /** UUID. */
  readonly room: string
  send: boolean
  receive: boolean
}

export class PostgresTokens implements Tokens {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  create(token: NewToken): Promise<TokenRecord> {
    return this.#database.run(async (queries) => {
      const account = await theAccount(queries, token.account)
      const grants = await resolveGrants(queries, account, token.grants)
      const client = await resolveClient(queries, account, token.client)
      await insertToken(queries, token, account, client, grants)
      const [created] = await selectTokens(queries, eq(tokens.id, token.id))
      if (!created) throw new StoreError('missing', 'the token was deleted meanwhile')
      return created
    })
  }

  find(id: string): Promise<TokenRecord | undefined> {
    return this.#database.run(async (queries) => {
      if (!isUuid(id)) return undefined
      const [token] = await selectTokens(queries, eq(tokens.id, id))
      return token
    })
  }

  list(account: string): Promise<TokenRecord[]> {
    return this.#database.run(async (queries) => {
      const { id } = await theAccount(queries, account)
      return selectTokens(queries, eq(tokens.accountId, id))
    })
  }

  delete(id: string): Promise<boolean> {
    return this.#database.run(async (queries) => {
      if (!isUuid(id)) return false
      const gone = await queries.delete(tokens).where(eq(tokens.id, id)).returning()
      return gone.length > 0
    })
  }
}

/** One grant a room: what is granted twice adds up. Rejects with `missing`. */
async function resolveGrants(queries: Queries, account: Account, wanted: NewToken['grants']) {
  const names = wanted.map(({ room }) => room)
  const found = await queries
    .select({ id: rooms.id, slug: rooms.slug })
    .from(rooms)
    .where(
      and(
        eq(rooms.accountId, account.id),
        or(
          inArray(rooms.id, names.filter(isUuid)),
          inArray(
            rooms.slug,
            names.filter((name) => !isUuid(name)),
          ),
        ),
      ),
    )
  const ids = new Map(found.flatMap(({ id, slug }) => [[id, id] as const, [slug, id] as const]))
  const grants = new Map<string, RoomGrant>()
  for (const { room, send, receive } of wanted) {
    const id = ids.get(isUuid(room) ? room.toLowerCase() : room)
    if (!id) throw new StoreError('missing', 'a room of the token is unknown')
    const grant = grants.get(id) ?? { room: id, send: false, receive: false }
    grant.send ||= send
    grant.receive ||= receive
    grants.set(id, grant)
  }
  return [...grants.values()]
}

/** A known UUID, or a slug, known or new. Rejects with `missing`. */
async function resolveClient(queries: Queries, account: Account, name: string | undefined) {
  if (name === undefined) return {}
  if (!isUuid(name)) {
    checkSlug(name, 'client')
    return { slug: name }
  }
  const [client] = await queries
    .select({ id: clients.id })
    .from(clients)
    .where(and(eq(clients.accountId, account.id), named(clients, name)))
  if (!client) throw new StoreError('missing', 'the client is unknown')
  return client
}

/** Client, token and grants in one statement: all of them, or nothing. */
async function insertToken(
  queries: Queries,
  token: NewToken,
  account: Account,
  client: { id?: string; slug?: string },
  grants: RoomGrant[],
) {
  const slug = sql`${client.slug ?? null}::text`
  await queries.execute(sql`
    with client as (
      insert into ${clients} (account_id, slug)
      select ${account.id}::uuid, ${slug} where ${slug} is not null
      -- An update, since what is left alone is not returned.
      on conflict (account_id, slug) do update set slug = excluded.slug
      returning id
    ), token as (
      insert into ${tokens} (id, account_id, client_id, hash, expires_at)
      values (
        ${token.id}, ${account.id},
        coalesce(${client.id ?? null}::uuid, (select id from client)),
        ${sql.param(token.hash, tokens.hash)},
        ${token.expiresAt?.toISOString() ?? null}::timestamptz
      )
    )
    insert into ${tokenGrants} (token_id, room_id, send, receive)
    select ${token.id}::uuid, room, send, receive
    from jsonb_to_recordset(${JSON.stringify(grants)}::jsonb)
      as granted (room uuid, send boolean, receive boolean)`)
}

/** Oldest first, grants in the order of their rooms' slugs. */
async function selectTokens(queries: Queries, which: SQL): Promise<TokenRecord[]> {
  const rows = await queries
    .select({
      token: tokens,
      account: { id: accounts.id, slug: accounts.slug },
      client: { id: clients.id, slug: clients.slug },
      grant: {
        roomId: rooms.id,
        room: rooms.slug,
        send: tokenGrants.send,
        receive: tokenGrants.receive,
      },
    })
    .from(tokens)
    .innerJoin(accounts, eq(accounts.id, tokens.accountId))
    .leftJoin(clients, eq(clients.id, tokens.clientId))
    .leftJoin(tokenGrants, eq(tokenGrants.tokenId, tokens.id))
    .leftJoin(rooms, eq(rooms.id, tokenGrants.roomId))
    .where(which)
    .orderBy(tokens.createdAt, tokens.id, bySlug(rooms))
  const records = new Map<string, TokenRecord & { grants: TokenRecord['grants'][number][] }>()
  for (const { token, account, client, grant } of rows) {
    const { id, hash, createdAt, expiresAt } = token
    const record = records.get(id) ?? {
      id,
      account,
      ...(client && { client }),
      hash,
      createdAt,
      ...(expiresAt && { expiresAt }),
      grants: [],
    }
    records.set(id, record)
    if (grant?.roomId) record.grants.push(grant as TokenRecord['grants'][number])
  }
  return [...records.values()]
}
