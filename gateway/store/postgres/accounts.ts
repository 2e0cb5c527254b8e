import { eq } from 'drizzle-orm'
import { checkSlug } from '../../protocol/name.ts'
import { type Account, type Accounts, type Part, StoreError } from '../store.ts'
import type { Database, Queries } from './database.ts'
import { afterSlug, bySlug, named } from './name.ts'
import { LIMIT_MAX } from './part.ts'
import { accounts } from './schema.ts'

export class PostgresAccounts implements Accounts {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  create({ slug }: { slug: string }): Promise<Account> {
    return this.#database.run(async (queries) => {
      checkSlug(slug, 'account')
      const [created] = await queries.insert(accounts).values({ slug }).returning()
      return created!
    })
  }

  find(name: string): Promise<Account | undefined> {
    return this.#database.run((queries) => findAccount(queries, name))
  }

  list({ after, limit = LIMIT_MAX }: Part<string> = {}): Promise<Account[]> {
    return this.#database.run((queries) =>
      queries
        .select()
        .from(accounts)
        .where(afterSlug(accounts, after))
        .orderBy(bySlug(accounts))
        .limit(limit),
    )
  }

  delete(name: string): Promise<boolean> {
    return this.#database.run(async (queries) => {
      const account = await findAccount(queries, name)
      if (!account) return false
      const gone = await queries.delete(accounts).where(eq(accounts.id, account.id)).returning()
      return gone.length > 0
    })
  }
}

export async function findAccount(queries: Queries, name: string): Promise<Account | undefined> {
  const [account] = await queries.select().from(accounts).where(named(accounts, name))
  return account
}

/** Rejects with `missing`. */
export async function theAccount(queries: Queries, name: string): Promise<Account> {
  const account = await findAccount(queries, name)
  if (!account) throw new StoreError('missing', 'the account is unknown')
  return account
}
