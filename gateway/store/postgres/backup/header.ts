/** The first line of a backup: what made it, and what is in it. */
import { StoreError } from '../../store.ts'

export const FORMAT = 'porthouse backup'
/** A reader refuses what is newer. */
export const VERSION = 1
/** Of the first line, in bytes. */
export const LINE_BYTES_MAX = 1024 * 1024

export interface Header {
  readonly format: typeof FORMAT
  readonly version: number
  /** ISO 8601. */
  readonly made: string
  readonly schema: Schema
  /** Whether it has what clients, tokens and locks prove themselves by. */
  readonly secrets: boolean
  /** In the order of their rows below. */
  readonly tables: readonly Table[]
  readonly sequences: readonly Sequence[]
}

export interface Schema {
  /** Migrations that the database had. */
  readonly number: number
  /** Of the last of them. */
  readonly hash: string
}

export interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly partitions: readonly Partition[]
}

export interface Partition {
  readonly name: string
  /** As PostgreSQL writes it: FOR VALUES FROM (…) TO (…), or DEFAULT. */
  readonly bound: string
}

/** How far the numbers of an identity column have come. */
export interface Sequence {
  readonly table: string
  readonly column: string
  readonly last: number
}

const NAME = /^[a-z_][a-z0-9_]{0,62}$/
/** Literals alone: what a file says is never run as a statement. */
const LITERALS = String.raw`\((?:MINVALUE|MAXVALUE|'?[\w :.+-]*'?)\)`
const BOUND = new RegExp(`^(?:DEFAULT|FOR VALUES FROM ${LITERALS} TO ${LITERALS})$`)

/**
 * Throws `invalid` where it is no header of a backup, or a newer one; what it says of the schema
 * is for its reader to judge.
 */
export function parseHeader(line: string): Header {
  const header = object(line) as Partial<Record<keyof Header, unknown>>
  if (header.format !== FORMAT) throw invalid('it is no backup of porthouse')
  const { version } = header
  if (!isCount(version)) throw damaged()
  if (version > VERSION) {
    throw invalid(`its format is ${version}, and this version of porthouse knows ${VERSION}`)
  }
  const { schema, tables, sequences } = header as Partial<Header>
  const whole =
    typeof header.made === 'string' &&
    typeof header.secrets === 'boolean' &&
    isCount(schema?.number) &&
    typeof schema?.hash === 'string' &&
    isArrayOf(tables, isTable) &&
    isArrayOf(sequences, isSequence)
  if (!whole) throw damaged()
  return header as unknown as Header
}

function isTable({ name, columns, partitions }: Partial<Table>): boolean {
  const named = isName(name) && isArrayOf(columns, isName) && columns.length > 0
  return named && isArrayOf(partitions, isPartition)
}

function isPartition({ name, bound }: Partial<Partition>): boolean {
  return isName(name) && typeof bound === 'string' && BOUND.test(bound)
}

function isSequence({ table, column, last }: Partial<Sequence>): boolean {
  return isName(table) && isName(column) && isCount(last)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isArrayOf<T>(value: unknown, is: (one: T) => boolean): value is T[] {
  return Array.isArray(value) && value.every((one) => one !== null && is(one))
}

function object(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (value !== null && typeof value === 'object') return value as Record<string, unknown>
  } catch {
    // No JSON at all.
  }
  throw invalid('it is no backup of porthouse')
}

export function damaged(): StoreError {
  return invalid('it is damaged, or was cut off')
}

export function invalid(why: string): StoreError {
  return new StoreError('invalid', `the backup cannot be restored: ${why}`)
}
