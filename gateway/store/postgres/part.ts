/** Parts of lists, for every table whose rows are ordered by when they were made. */
import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { TimePosition } from '../administration.ts'

interface Timed {
  readonly createdAt: PgColumn
  readonly id: PgColumn
}

/** Those made after a position, oldest first; all of them after nothing. */
export function afterPosition(table: Timed, after: TimePosition | undefined): SQL | undefined {
  if (!after) return undefined
  // As one row, by which an index is entered at its place.
  const position = sql`(${after.at.toISOString()}::timestamptz, ${after.id}::uuid)`
  return sql`(${table.createdAt}, ${table.id}) > ${position}`
}

/** As good as none. */
export const LIMIT_MAX = 2 ** 31 - 1
