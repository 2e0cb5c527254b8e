/** Long transactions that stream, on a connection of their own. */
import type postgres from 'postgres'
import { connect, type Server } from '../database.ts'
import { storeFailure, unavailable } from '../failure.ts'

export type Transaction = postgres.TransactionSql

/** What the server's operator sees. */
const NAME = 'porthouse backup'
/** One statement brings a whole table: as long as nobody waits for it in earnest. */
const STATEMENT_MS_MAX = 6 * 3600 * 1000
/** Others may hold a table for a moment, or be stuck. */
const LOCK_MS_MAX = 10_000

/**
 * Runs `work` in one transaction of that mode, whose statements may take 6 hours each, and wait for
 * a lock for 10 s. Rejects with a StoreError where the database fails, with its own error where
 * `work` does; nothing was changed then.
 */
export async function inTransaction<T>(
  server: Server,
  mode: string,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const failed = Promise.withResolvers<never>()
  const onclose = () => failed.reject(unavailable('the connection was lost'))
  const sql = connect(server, 1, STATEMENT_MS_MAX, { name: NAME, max_lifetime: null, onclose })
  const bounded = async (transaction: Transaction): Promise<T> => {
    await transaction.unsafe(`set local lock_timeout = ${LOCK_MS_MAX}`)
    return await work(transaction)
  }
  const guarded = (transaction: Transaction): Promise<T> =>
    bounded(transaction).catch((error) => {
      failed.reject(error)
      // The driver would roll back behind a stream that is not at its end, or on a connection that
      // is gone. The server does so by itself when the connection ends.
      return new Promise<never>(() => {})
    })
  try {
    return await Promise.race([sql.begin(mode, guarded) as Promise<T>, failed.promise])
  } catch (error) {
    throw storeFailure(error)
  } finally {
    await sql.end({ timeout: 0 })
  }
}
