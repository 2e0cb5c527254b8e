import { eq, sql } from 'drizzle-orm'
import { type Login, type Logins, StoreError } from '../store.ts'
import { theClient } from './clients.ts'
import type { Database, Queries } from './database.ts'
import { accounts, clients, logins } from './schema.ts'

/** Past their expiry, deleted with each that is made: more than one, so that they become fewer. */
const SWEPT_AT_ONCE = 100

export class PostgresLogins implements Logins {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  create(login: Parameters<Logins['create']>[0]): Promise<Login> {
    const { hash, expiresAt } = login
    return this.#database.run(async (queries) => {
      const client = await theClient(queries, login.account, login.client)
      await queries.execute(sql`
        with swept as (
          delete from ${logins} where hash in (
            select hash from ${logins} where expires_at <= now()
            -- What another process sweeps at the moment is left to it.
            order by expires_at limit ${SWEPT_AT_ONCE} for update skip locked
          )
        )
        insert into ${logins} (hash, client_id, expires_at) values (
          ${sql.param(hash, logins.hash)}, ${client.id}, ${expiresAt.toISOString()}::timestamptz
        )`)
      const created = await findLogin(queries, hash)
      if (!created) throw new StoreError('missing', 'the client was deleted meanwhile')
      return created
    })
  }

  find(hash: Uint8Array): Promise<Login | undefined> {
    return this.#database.run((queries) => findLogin(queries, hash))
  }

  delete(hash: Uint8Array): Promise<boolean> {
    return this.#database.run(async (queries) => {
      const gone = await queries.delete(logins).where(eq(logins.hash, hash)).returning()
      return gone.length > 0
    })
  }
}

async function findLogin(queries: Queries, hash: Uint8Array): Promise<Login | undefined> {
  const [login] = await queries
    .select({
      hash: logins.hash,
      account: { id: accounts.id, slug: accounts.slug },
      client: { id: clients.id, slug: clients.slug },
      expiresAt: logins.expiresAt,
    })
    .from(logins)
    .innerJoin(clients, eq(clients.id, logins.clientId))
    .innerJoin(accounts, eq(accounts.id, clients.accountId))
    .where(eq(logins.hash, hash))
  return login
}
