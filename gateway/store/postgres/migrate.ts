/** Brings a database to this version's schema. */
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import { connect, type Server } from './database.ts'
import { storeFailure } from './failure.ts'

export const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** The advisory lock that says "porthouse migrates": its first letters as a number. */
export const LOCK = 0x706f7274

/**
 * Applies what is missing, one process at a time, whoever else opens the database. Rejects with
 * `unavailable`. Takes as long as the changes take.
 */
export async function migrate(server: Server): Promise<void> {
  // One connection: the lock is held by the session that migrates, and ends with it.
  const sql = connect(server, 1, 0)
  try {
    await sql`select pg_advisory_lock(${LOCK})`
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
