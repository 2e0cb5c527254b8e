import { and, eq, isNull, type SQL } from 'drizzle-orm'
import { isUuid } from '../../../protocol/name.ts'
import type { ApiKeyRecord, ApiKeys } from '../../administration.ts'
import { StoreError } from '../../store.ts'
import { theAccount } from '../accounts.ts'
import type { Database, Queries } from '../database.ts'
import { keptText } from '../kept.ts'
import { afterPosition } from '../part.ts'
import { accounts, apiKeys } from '../schema.ts'

export class PostgresApiKeys implements ApiKeys {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  create(key: Parameters<ApiKeys['create']>[0]): Promise<ApiKeyRecord> {
    const { id, role, hash, expiresAt } = key
    return this.#database.run(async (queries) => {
      const label = keptText(key.label, 'label')
      const owner = key.account === undefined ? undefined : await theAccount(queries, key.account)
      await queries
        .insert(apiKeys)
        .values({ id, role, hash, label, accountId: owner?.id, ...(expiresAt && { expiresAt }) })
      const [made] = await select(queries, eq(apiKeys.id, id))
      if (!made) throw new StoreError('missing', 'the key was deleted meanwhile')
      return made
    })
  }

  find(id: string): Promise<ApiKeyRecord | undefined> {
    return this.#database.run(async (queries) => {
      if (!isUuid(id)) return undefined
      const [found] = await select(queries, eq(apiKeys.id, id))
      return found
    })
  }

  list(
    account: string | undefined,
    { after, limit }: Parameters<ApiKeys['list']>[1],
  ): Promise<ApiKeyRecord[]> {
    return this.#database.run(async (queries) => {
      const whose =
        account === undefined
          ? isNull(apiKeys.accountId)
          : eq(apiKeys.accountId, (await theAccount(queries, account)).id)
      return select(queries, and(whose, afterPosition(apiKeys, after)), limit)
    })
  }

  delete(id: string): Promise<boolean> {
    return this.#database.run(async (queries) => {
      if (!isUuid(id)) return false
      const gone = await queries.delete(apiKeys).where(eq(apiKeys.id, id)).returning()
      return gone.length > 0
    })
  }
}

/** Oldest first. */
async function select(queries: Queries, which: SQL | undefined, limit = 1) {
  const rows = await queries
    .select({ key: apiKeys, account: { id: accounts.id, slug: accounts.slug } })
    .from(apiKeys)
    .leftJoin(accounts, eq(accounts.id, apiKeys.accountId))
    .where(which)
    .orderBy(apiKeys.createdAt, apiKeys.id)
    .limit(limit)
  return rows.map(({ key, account }): ApiKeyRecord => {
    const { accountId: _id, expiresAt, ...rest } = key
    return { ...rest, ...(account && { account }), ...(expiresAt && { expiresAt }) }
  })
}
