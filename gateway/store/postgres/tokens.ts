import { and, eq, exists, type SQL, sql } from 'drizzle-orm'
import { checkSlug, isUuid } from '../../protocol/name.ts'
import {
  METHODS,
  type Method,
  StoreError,
  type TokenChange,
  type TokenRecord,
  type Tokens,
  type TokenTerms,
} from '../store.ts'
import { theAccount } from './accounts.ts'
import type { Database, Queries } from './database.ts'
import { unavailable } from './failure.ts'
import {
  changing,
  granting,
  grantsOf,
  one,
  type RoomGrant,
  resolveGrants,
  stale,
  tokenOwner,
} from './grants.ts'
import { named } from './name.ts'
import { afterPosition, LIMIT_MAX } from './part.ts'
import { accounts, clients, tokenGrants, tokens } from './schema.ts'

type NewToken = Parameters<Tokens['create']>[0]

export class PostgresTokens implements Tokens {
  readonly #database: Database
  readonly #find: ReturnType<typeof prepareFind>

  constructor(database: Database) {
    this.#database = database
    this.#find = database.prepare(prepareFind)
  }

  create(token: NewToken): Promise<TokenRecord> {
    return this.#database.run(async (queries) => {
      const account = await theAccount(queries, token.account)
      const grants = await resolveGrants(queries, account.id, token.grants)
      const client = await resolveClient(queries, account.id, token.client)
      await queries.execute(insertion(token, account.id, client, grants))
      return theToken(queries, token.id)
    })
  }

  find(id: string): Promise<TokenRecord | undefined> {
    return this.#database.run(async () => {
      if (!isUuid(id)) return undefined
      const [token] = await this.#find.execute({ id })
      return token && readToken(token)
    })
  }

  list(account: string, part: Parameters<Tokens['list']>[1] = {}): Promise<TokenRecord[]> {
    const { after, limit = LIMIT_MAX, clientId, roomId } = part
    return this.#database.run(async (queries) => {
      const { id } = await theAccount(queries, account)
      const which = and(
        eq(tokens.accountId, id),
        afterPosition(tokens, after),
        clientId === undefined ? undefined : eq(tokens.clientId, clientId),
        roomId === undefined ? undefined : exists(grantIn(queries, roomId)),
      )
      return selectTokens(queries, which, limit)
    })
  }

  change(id: string, { grants, ...to }: TokenChange, expected?: number): Promise<TokenRecord> {
    return this.#database.run(async (queries) => {
      const { account } = await theToken(queries, id)
      const resolved = grants && (await resolveGrants(queries, account.id, grants))
      const update = changing(tokenOwner, id, expected, columnsOf(to), resolved)
      const changed = await queries.execute(update)
      const now = await theToken(queries, id)
      if (changed.length === 0) throw stale('token')
      return now
    })
  }

  delete(id: string, expected?: number): Promise<boolean> {
    return this.#database.run(async (queries) => {
      if (!isUuid(id)) return false
      const gone = await queries
        .delete(tokens)
        .where(one(tokens, id, expected))
        .returning()
      if (gone.length === 0 && (await findToken(queries, id))) throw stale('token')
      return gone.length > 0
    })
  }
}

/** A grant of a token in a room. */
function grantIn(queries: Queries, roomId: string) {
  return queries
    .select({ one: sql`1` })
    .from(tokenGrants)
    .where(
      and(
        eq(tokenGrants.tokenId, tokens.id),
        eq(tokenGrants.revision, tokens.revision),
        eq(tokenGrants.roomId, roomId),
      ),
    )
}

/** Null frees it of a term. */
function columnsOf({ hash, expiresAt, method, rate, maxConnections }: Omit<TokenChange, 'grants'>) {
  return {
    ...(hash && { hash: sql`${sql.param(hash, tokens.hash)}` }),
    ...(expiresAt !== undefined && {
      expires_at: sql`${expiresAt?.toISOString() ?? null}::timestamptz`,
    }),
    ...(method !== undefined && { method: sql`${method}` }),
    ...(rate !== undefined && {
      rate_per_second: sql`${rate?.perSecond ?? null}`,
      rate_burst: sql`${rate?.burst ?? null}`,
    }),
    ...(maxConnections !== undefined && { max_connections: sql`${maxConnections}` }),
  }
}

/** A known UUID, or a slug, known or new. Rejects with `missing`. */
async function resolveClient(queries: Queries, accountId: string, name: string | undefined) {
  if (name === undefined) return {}
  if (!isUuid(name)) {
    checkSlug(name, 'client')
    return { slug: name }
  }
  const [client] = await queries
    .select({ id: clients.id })
    .from(clients)
    .where(and(eq(clients.accountId, accountId), named(clients, name)))
  if (!client) throw new StoreError('missing', 'the client is unknown')
  return client
}

/** Client, token and grants in one statement: all of them, or nothing. */
function insertion(
  token: NewToken,
  accountId: string,
  client: { id?: string; slug?: string },
  grants: readonly RoomGrant[],
): SQL {
  const { id, hash, expiresAt, method, rate, maxConnections } = token
  const slug = sql`${client.slug ?? null}::text`
  const before = sql`
    client as (
      insert into ${clients} (account_id, slug)
      select ${accountId}::uuid, ${slug} where ${slug} is not null
      -- An update, since what is left alone is not returned.
      on conflict (account_id, slug) do update set slug = excluded.slug
      returning id
    ),`
  const change = sql`
    insert into ${tokens} (
      id, account_id, client_id, hash, expires_at, method, rate_per_second, rate_burst,
      max_connections
    )
    values (
      ${id}, ${accountId}, coalesce(${client.id ?? null}::uuid, (select id from client)),
      ${sql.param(hash, tokens.hash)}, ${expiresAt?.toISOString() ?? null}::timestamptz,
      ${method ?? null}, ${rate?.perSecond ?? null}, ${rate?.burst ?? null},
      ${maxConnections ?? null}
    )`
  return granting(tokenOwner, change, grants, before)
}

async function findToken(queries: Queries, id: string): Promise<TokenRecord | undefined> {
  if (!isUuid(id)) return undefined
  const [token] = await selectTokens(queries, eq(tokens.id, id))
  return token
}

/** Rejects with `missing`. */
async function theToken(queries: Queries, id: string): Promise<TokenRecord> {
  const token = await findToken(queries, id)
  if (!token) throw new StoreError('missing', 'the token is unknown')
  return token
}

function prepareFind(queries: Queries) {
  return selection(queries, eq(tokens.id, sql.placeholder('id'))).prepare('token')
}

/** Oldest first. */
async function selectTokens(
  queries: Queries,
  which: SQL | undefined,
  limit = LIMIT_MAX,
): Promise<TokenRecord[]> {
  const rows = await selection(queries, which).limit(limit)
  return rows.map(readToken)
}

function selection(queries: Queries, which: SQL | undefined) {
  return queries
    .select({
      token: tokens,
      account: { id: accounts.id, slug: accounts.slug },
      client: { id: clients.id, slug: clients.slug },
      maxSockets: clients.maxSockets,
      grants: grantsOf(tokenOwner),
    })
    .from(tokens)
    .innerJoin(accounts, eq(accounts.id, tokens.accountId))
    .leftJoin(clients, eq(clients.id, tokens.clientId))
    .where(which)
    .orderBy(tokens.createdAt, tokens.id)
}

type Row = Awaited<ReturnType<typeof selection>>[number]

function readToken({ token, account, client, maxSockets, grants }: Row): TokenRecord {
  return {
    id: token.id,
    account,
    ...(client && { client: { ...client, ...(maxSockets !== null && { maxSockets }) } }),
    hash: token.hash,
    createdAt: token.createdAt,
    version: token.version,
    grants,
    ...readTerms(token),
  }
}

/** Rejects terms that a later version has set: a token is refused rather than freed of one. */
function readTerms(row: typeof tokens.$inferSelect): TokenTerms {
  const { expiresAt, method, ratePerSecond, rateBurst, maxConnections } = row
  if (method !== null && !METHODS.includes(method as Method)) {
    throw unavailable('the method of a token is not of this version')
  }
  return {
    ...(expiresAt && { expiresAt }),
    ...(method !== null && { method: method as Method }),
    ...(ratePerSecond !== null &&
      rateBurst !== null && { rate: { perSecond: ratePerSecond, burst: rateBurst } }),
    ...(maxConnections !== null && { maxConnections }),
  }
}
