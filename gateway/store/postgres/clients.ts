import { and, eq, type SQL, sql } from 'drizzle-orm'
import { checkSlug } from '../../protocol/name.ts'
import {
  type ClaimedClient,
  type ClientRecord,
  type Clients,
  type CredentialKind,
  type Part,
  StoreError,
} from '../store.ts'
import { theAccount } from './accounts.ts'
import type { Database, Queries } from './database.ts'
import { changing, clientOwner, granting, grantsOf, one, resolveGrants, stale } from './grants.ts'
import { afterSlug, bySlug, named, namedLater, nameValues } from './name.ts'
import { LIMIT_MAX } from './part.ts'
import { accounts, clients, credentials } from './schema.ts'

export class PostgresClients implements Clients {
  readonly #database: Database
  readonly #find: ReturnType<typeof prepareFind>
  readonly #claim: ReturnType<typeof prepareClaim>

  constructor(database: Database) {
    this.#database = database
    this.#find = database.prepare(prepareFind)
    this.#claim = database.prepare(prepareClaim)
  }

  create(client: Parameters<Clients['create']>[0]): Promise<ClientRecord> {
    const { slug, maxSockets = null } = client
    return this.#database.run(async (queries) => {
      checkSlug(slug, 'client')
      const account = await theAccount(queries, client.account)
      const grants = await resolveGrants(queries, account.id, client.grants)
      const insertion = sql`insert into ${clients} (account_id, slug, max_sockets)
        values (${account.id}, ${slug}, ${maxSockets})`
      await queries.execute(granting(clientOwner, insertion, grants))
      return theClient(queries, account.id, slug)
    })
  }

  ensure(account: string, slug: string): Promise<ClientRecord> {
    return this.#database.run(async (queries) => {
      checkSlug(slug, 'client')
      const { id } = await theAccount(queries, account)
      const found = await findClient(queries, id, slug)
      if (found) return found
      await queries.insert(clients).values({ accountId: id, slug }).onConflictDoNothing()
      return theClient(queries, id, slug)
    })
  }

  find(account: string, client: string): Promise<ClientRecord | undefined> {
    return this.#database.run(async () => {
      const [found] = await this.#find.execute(namesOf(account, client))
      return found && readClient(found)
    })
  }

  claimed(
    account: string,
    client: string,
    kind: CredentialKind,
  ): Promise<ClaimedClient | undefined> {
    return this.#database.run(async () => {
      return readClaim(await this.#claim.execute({ ...namesOf(account, client), kind }))
    })
  }

  list(account: string, { after, limit }: Part<string> = {}): Promise<ClientRecord[]> {
    return this.#database.run(async (queries) => {
      const { id } = await theAccount(queries, account)
      const which = and(eq(clients.accountId, id), afterSlug(clients, after))
      return selectClients(queries, which, limit)
    })
  }

  change(
    account: string,
    client: string,
    { grants, maxSockets }: Parameters<Clients['change']>[2],
    expected?: number,
  ): Promise<ClientRecord> {
    return this.#database.run(async (queries) => {
      const { id, account: owner } = await theClient(queries, account, client)
      const resolved = grants && (await resolveGrants(queries, owner.id, grants))
      const columns = { ...(maxSockets !== undefined && { max_sockets: sql`${maxSockets}` }) }
      const changed = await queries.execute(changing(clientOwner, id, expected, columns, resolved))
      const now = await theClient(queries, owner.id, id)
      if (changed.length === 0) throw stale('client')
      return now
    })
  }

  delete(account: string, client: string, expected?: number): Promise<boolean> {
    return this.#database.run(async (queries) => {
      const found = await findClient(queries, account, client)
      if (!found) return false
      const gone = await queries
        .delete(clients)
        .where(one(clients, found.id, expected))
        .returning()
      if (gone.length === 0 && (await findClient(queries, account, found.id))) throw stale('client')
      return gone.length > 0
    })
  }
}

async function findClient(
  queries: Queries,
  account: string,
  client: string,
): Promise<ClientRecord | undefined> {
  const which = and(named(accounts, account), named(clients, client))
  const [found] = await selectClients(queries, which)
  return found
}

/** Rejects with `missing`. */
export async function theClient(
  queries: Queries,
  account: string,
  client: string,
): Promise<ClientRecord> {
  const found = await findClient(queries, account, client)
  if (!found) throw new StoreError('missing', 'the client is unknown')
  return found
}

/** By slug. */
async function selectClients(
  queries: Queries,
  which: SQL | undefined,
  limit = LIMIT_MAX,
): Promise<ClientRecord[]> {
  const rows = await selection(queries, which).orderBy(bySlug(clients)).limit(limit)
  return rows.map(readClient)
}

const COLUMNS = {
  id: clients.id,
  account: { id: accounts.id, slug: accounts.slug },
  slug: clients.slug,
  createdAt: clients.createdAt,
  version: clients.version,
  maxSockets: clients.maxSockets,
  grants: grantsOf(clientOwner),
}

function selection(queries: Queries, which: SQL | undefined) {
  return queries
    .select(COLUMNS)
    .from(clients)
    .innerJoin(accounts, eq(accounts.id, clients.accountId))
    .where(which)
}

type Row = Awaited<ReturnType<typeof selection>>[number]

function readClient({ maxSockets, ...rest }: Row): ClientRecord {
  return { ...rest, ...(maxSockets !== null && { maxSockets }) }
}

const byNames = and(namedLater(accounts, 'account'), namedLater(clients, 'client'))

function namesOf(account: string, client: string): Record<string, string | null> {
  return { ...nameValues('account', account), ...nameValues('client', client) }
}

function prepareFind(queries: Queries) {
  return selection(queries, byNames).prepare('client')
}

/** A row for each credential of the kind, or one without any. */
function prepareClaim(queries: Queries) {
  const isOfKind = eq(credentials.kind, sql.placeholder('kind'))
  return queries
    .select({ ...COLUMNS, credential: credentials })
    .from(clients)
    .innerJoin(accounts, eq(accounts.id, clients.accountId))
    .leftJoin(credentials, and(eq(credentials.clientId, clients.id), isOfKind))
    .where(byNames)
    .orderBy(credentials.createdAt, credentials.id)
    .prepare('claim')
}

type ClaimRow = Awaited<ReturnType<ReturnType<typeof prepareClaim>['execute']>>[number]

function readClaim(rows: readonly ClaimRow[]): ClaimedClient | undefined {
  const [first] = rows
  if (!first) return undefined
  const { credential: _, ...row } = first
  const client = readClient(row)
  const owner = { account: client.account, client: { id: client.id, slug: client.slug } }
  const known = rows.flatMap(({ credential }) => (credential ? [credential] : []))
  return {
    client,
    credentials: known.map(({ id, kind, data, label, createdAt, expiresAt }) => {
      return { id, kind, ...owner, data, label, createdAt, ...(expiresAt && { expiresAt }) }
    }),
  }
}
