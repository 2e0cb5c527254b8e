/** Conditions and orders by name, for every table whose rows have an id and a slug. */
import { eq, gt, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { isUuid, SLUG_CHARS_MAX } from '../../protocol/name.ts'

interface Named {
  readonly id: PgColumn
  readonly slug: PgColumn
}

/** The row of that UUID or slug. */
export function named(table: Named, name: string): SQL {
  // No name is longer, and PostgreSQL's text cannot hold the character 0.
  if (name.length > SLUG_CHARS_MAX || name.includes('\0')) return sql`false`
  return isUuid(name) ? eq(table.id, name) : eq(table.slug, name)
}

/** The same, of a name that is told when a prepared statement is run, by `nameValues`. */
export function namedLater(table: Named, what: string): SQL {
  const { id, slug } = table
  return sql`(${id} = ${sql.placeholder(`${what}Id`)} or ${slug} = ${sql.placeholder(what)})`
}

/** What of the name goes where. */
export function nameValues(what: string, name: string): Record<string, string | null> {
  if (isUuid(name)) return { [`${what}Id`]: name, [what]: null }
  const isSlug = name.length <= SLUG_CHARS_MAX && !name.includes('\0')
  return { [`${what}Id`]: null, [what]: isSlug ? name : null }
}

/** By bytes, which is the same order on every server. */
export function bySlug(table: Named): SQL {
  return sql`${table.slug} collate "C"`
}

/** In the order of `bySlug`; all of them after nothing. */
export function afterSlug(table: Named, after: string | undefined): SQL | undefined {
  return after === undefined ? undefined : gt(bySlug(table), after)
}
