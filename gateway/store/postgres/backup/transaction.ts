/** Long transactions that stream, on a connection of their own. */
import type postgres from 'postgres'
import { connect, type Server } from '../database.ts'
import { storeFailure, unavailable } from '../failure.ts'

export type Transaction = postgres.TransactionSql

/** What the server's operator sees. */
const NAME = 'porthouse backup'

/**
 * Runs `work` in one transaction of that mode, without a bound of time for its statements. Rejects
 * with a StoreError where the database fails, with its own error where `work` does; nothing was
 * changed then.
 */
export async function inTransaction<T>(
  server: Server,
  mode: string,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const failed = Promise.withResolvers<never>()
  const onclose = () => failed.reject(unavailable('the connection was lost'))
  const sql = connect(server, 1, 0, { name: NAME, max_lifetime: null, onclose })
  const guarded = (transaction: Transaction): Promise<T> =>
    work(transaction).catch((error) => {
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
