/** Brings a database to this version's schema. */
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import { connect, type Server } from './database.ts'
import { storeFailure } from './failure.ts'

export const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** The advisory lock that says "porthouse migrates": its first letters as a number. */
export const LOCK = 0x706f7274

/** A change may rewrite a table, and another process may have to wait for all of them. */
const STATEMENT_MS_MAX = 30 * 60_000
/** Gateways of the version before may be at work: a change that waits for one holds up the rest. */
const LOCK_TIMEOUT = '10s'

/**
 * Applies what is missing, one process at a time, whoever else opens the database. Rejects with
 * `unavailable`, and has then changed nothing; it takes at most 30 minutes a statement.
 */
export async function migrate(server: Server): Promise<void> {
  // One connection: the lock is held by the session that migrates, and ends with it.
  const sql = connect(server, 1, STATEMENT_MS_MAX)
  try {
    await sql`select pg_advisory_lock(${LOCK})`
    await sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, false)`
    await applyMigrations(drizzle(sql), {
      migrationsFolder: MIGRATIONS,
      migrationsSchema: 'public',
      migrationsTable: 'porthouse_migrations',
    })
  } catch (error) {
    throw storeFailure(error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
