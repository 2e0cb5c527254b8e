import { and, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { isUuid } from '../../protocol/name.ts'
import type { TimePosition } from '../administration.ts'
import { type Credential, type Credentials, type Part, StoreError } from '../store.ts'
import { theAccount } from './accounts.ts'
import { theClient } from './clients.ts'
import type { Database, Queries } from './database.ts'
import { keptJson, keptText } from './kept.ts'
import { afterPosition, LIMIT_MAX } from './part.ts'
import { accounts, clients, credentials } from './schema.ts'

export class PostgresCredentials implements Credentials {
  readonly #database: Database
  readonly #find: ReturnType<typeof prepareFind>

  constructor(database: Database) {
    this.#database = database
    this.#find = database.prepare(prepareFind)
  }

  add(credential: Parameters<Credentials['add']>[0]): Promise<Credential> {
    const { id, kind, data, label, expiresAt } = credential
    return this.#database.run(async (queries) => {
      const text = keptText(label, 'label')
      const kept = sql`${keptJson(data, 'credential')}::jsonb`
      const owner = await theOwner(queries, credential.account, credential.client)
      const ids = { accountId: owner.account.id, clientId: owner.client?.id }
      const [row] = await queries
        .insert(credentials)
        .values({ id, kind, ...ids, data: kept, label: text, ...(expiresAt && { expiresAt }) })
        .returning()
      // Not read anew: who gives another at once may have taken its place by then.
      const { accountId: _account, clientId: _client, ...rest } = row!
      return readCredential({ ...rest, account: owner.account, client: owner.client ?? null })
    })
  }

  find(id: string): Promise<Credential | undefined> {
    return this.#database.run(async () => {
      if (!isUuid(id)) return undefined
      const [credential] = await this.#find.execute({ id })
      return credential && readCredential(credential)
    })
  }

  list(
    account: string,
    client?: string,
    { after, limit }: Part<TimePosition> = {},
  ): Promise<Credential[]> {
    return this.#database.run(async (queries) => {
      const owner = await theOwner(queries, account, client)
      const [accountId, clientId] = [owner.account.id, owner.client?.id]
      const which =
        clientId === undefined ? isNull(credentials.clientId) : eq(credentials.clientId, clientId)
      const later = afterPosition(credentials, after)
      return selectCredentials(
        queries,
        and(eq(credentials.accountId, accountId), which, later),
        limit,
      )
    })
  }

  expire(id: string, at: Date): Promise<Credential> {
    return this.#database.run(async (queries) => {
      await theCredential(queries, id)
      await queries.update(credentials).set({ expiresAt: at }).where(eq(credentials.id, id))
      return theCredential(queries, id)
    })
  }

  delete(id: string): Promise<boolean> {
    return this.#database.run(async (queries) => {
      if (!isUuid(id)) return false
      const gone = await queries.delete(credentials).where(eq(credentials.id, id)).returning()
      return gone.length > 0
    })
  }
}

/** Rejects with `missing`. */
async function theOwner(queries: Queries, account: string, client: string | undefined) {
  if (client === undefined) {
    const { id, slug } = await theAccount(queries, account)
    return { account: { id, slug } }
  }
  const { id, slug, account: owner } = await theClient(queries, account, client)
  return { account: owner, client: { id, slug } }
}

async function findCredential(queries: Queries, id: string): Promise<Credential | undefined> {
  if (!isUuid(id)) return undefined
  const [credential] = await selectCredentials(queries, eq(credentials.id, id))
  return credential
}

/** Rejects with `missing`. */
async function theCredential(queries: Queries, id: string): Promise<Credential> {
  const credential = await findCredential(queries, id)
  if (!credential) throw new StoreError('missing', 'the credential is unknown')
  return credential
}

function prepareFind(queries: Queries) {
  return selection(queries, eq(credentials.id, sql.placeholder('id'))).prepare('credential')
}

/** Oldest first. */
async function selectCredentials(
  queries: Queries,
  which: SQL | undefined,
  limit = LIMIT_MAX,
): Promise<Credential[]> {
  const rows = await selection(queries, which).limit(limit)
  return rows.map(readCredential)
}

function selection(queries: Queries, which: SQL | undefined) {
  return queries
    .select({
      id: credentials.id,
      kind: credentials.kind,
      account: { id: accounts.id, slug: accounts.slug },
      client: { id: clients.id, slug: clients.slug },
      data: credentials.data,
      label: credentials.label,
      createdAt: credentials.createdAt,
      expiresAt: credentials.expiresAt,
    })
    .from(credentials)
    .innerJoin(accounts, eq(accounts.id, credentials.accountId))
    .leftJoin(clients, eq(clients.id, credentials.clientId))
    .where(which)
    .orderBy(credentials.createdAt, credentials.id)
}

type Row = Awaited<ReturnType<typeof selection>>[number]

function readCredential({ client, expiresAt, ...rest }: Row): Credential {
  return { ...rest, ...(client && { client }), ...(expiresAt && { expiresAt }) }
}
