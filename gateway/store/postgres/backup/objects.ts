/** What the migrations make, by name: in a database that others use too, only these are ours. */
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator'
import { MIGRATIONS } from '../migrate.ts'

/** One migration: its statements, and how the database remembers that it has them. */
export type Migration = Pick<MigrationMeta, 'sql' | 'hash' | 'folderMillis'>

export interface Objects {
  readonly tables: readonly string[]
  /** As a `drop` names them: the kind and the name. */
  readonly others: readonly string[]
}

const KIND = '(table|function|procedure|type|sequence|view)'
const MADE = new RegExp(
  `create (?:or replace )?(?:unlogged )?${KIND} (?:if not exists )?(?:"?public"?\\.)?"?(\\w+)"?`,
  'gi',
)

/** In their order. */
export function migrations(): Migration[] {
  return readMigrationFiles({ migrationsFolder: MIGRATIONS })
}

export function objectsOf(steps: readonly Migration[]): Objects {
  const made = steps
    .flatMap(({ sql }) => sql)
    .flatMap((statement) => [...withoutComments(statement).matchAll(MADE)])
    .map(([, kind, name]) => ({ kind: kind!.toLowerCase(), name: name! }))
  const tables = made.filter(({ kind }) => kind === 'table').map(({ name }) => name)
  const others = made.filter(({ kind }) => kind !== 'table')
  return {
    tables: [...new Set(tables)],
    others: [...new Set(others.map(({ kind, name }) => `${kind} if exists "${name}"`))],
  }
}

/** Nor more than one space in a row. */
function withoutComments(sql: string): string {
  return sql.replace(/--.*$/gm, '').replace(/\s+/g, ' ')
}
