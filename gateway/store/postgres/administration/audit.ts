import type { JsonValue } from '@bufbuild/protobuf'
import { and, desc, eq, lt, type SQL, sql } from 'drizzle-orm'
import type { AuditEntry, AuditLog, AuditQuery, TimePosition } from '../../administration.ts'
import type { Database } from '../database.ts'
import { audit } from '../schema.ts'

/** What was there or is, as JSON; a room's config with a schema may be longer. */
const JSON_CHARS_MAX = 65_536

export class PostgresAudit implements AuditLog {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  add({ before, after, ...entry }: AuditEntry): Promise<void> {
    const states = { before: jsonb(before), after: jsonb(after) }
    return this.#database.run(async (queries) => {
      await queries.insert(audit).values({ ...entry, ...states })
    })
  }

  list({ before, limit, ...equal }: AuditQuery): Promise<AuditEntry[]> {
    const same = Object.entries(equal).map(([column, value]) =>
      eq(audit[column as keyof typeof equal], value),
    )
    return this.#database.run(async (queries) => {
      const rows = await queries
        .select()
        .from(audit)
        .where(and(...same, before && isBefore(before)))
        .orderBy(desc(audit.at), desc(audit.id))
        .limit(limit)
      return rows.map(({ accountId, before: was, after, ...rest }) => ({
        ...rest,
        ...(accountId !== null && { accountId }),
        ...(was !== null && { before: was }),
        ...(after !== null && { after }),
      }))
    })
  }

  trim(olderThan: Date, entries: number): Promise<number> {
    return this.#database.run(async (queries) => {
      const beyond = queries
        .select({ at: audit.at })
        .from(audit)
        .orderBy(desc(audit.at), desc(audit.id))
        .offset(entries)
        .limit(1)
      const old = await queries
        .delete(audit)
        .where(lt(audit.at, olderThan))
        .returning({ id: audit.id })
      const more = await queries
        .delete(audit)
        .where(sql`${audit.at} <= (${beyond})`)
        .returning({ id: audit.id })
      return old.length + more.length
    })
  }
}

function isBefore({ at, id }: TimePosition): SQL {
  return sql`(${audit.at}, ${audit.id}) < (${at.toISOString()}::timestamptz, ${id}::uuid)`
}

/** Text of the database cannot hold the character 0, which names in JSON may. */
function jsonb(value: JsonValue | undefined): SQL | null {
  if (value === undefined) return null
  const json = JSON.stringify(value).replaceAll('\\u0000', '\\ufffd')
  const kept = json.length > JSON_CHARS_MAX ? JSON.stringify({ chars: json.length }) : json
  return sql`${kept}::jsonb`
}
