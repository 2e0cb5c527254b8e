/**
 * What the database's errors become: a StoreError whose text is fit for users, with the cause for
 * the log.
 */
import { DrizzleQueryError } from 'drizzle-orm'
import postgres from 'postgres'
import { StoreError, type StoreFailure } from '../store.ts'

/** What a row of each table is, in the words of the specification. */
const NOUNS: Record<string, string> = {
  accounts: 'account',
  rooms: 'room',
  clients: 'client',
  tokens: 'token',
  credentials: 'credential',
  logins: 'login',
  api_keys: 'API key',
}

/** SQLSTATE, appendix A of PostgreSQL's manual. */
const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'
/** The class of values that their type cannot hold. */
const DATA_EXCEPTION = '22'

const DISK_FULL = '53100'
/** What ends a session before its first statement: not let in, no room for it, not ready yet. */
const NOT_LET_IN = /^(28|3D|53300|57P03)/
/** Of the system, in errors that have another code. */
const OUT_OF_SPACE = /No space left on device|Disk quota exceeded/

/** Of the system and the driver, before a connection is there: nothing was sent on it. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'CONNECT_TIMEOUT',
])

/**
 * SQLSTATE classes whose messages speak of the server and the way to it, never of a statement:
 * connection, authorization, unknown database, resources, operator's intervention, system error.
 */
const ABOUT_THE_SERVER = ['08', '28', '3D', '53', '57', '58']
/** Its message names a table, schema or database. */
const INSUFFICIENT_PRIVILEGE = '42501'

/** An error of the database or of the connection to it as a StoreError; anything else as it is. */
export function storeFailure(error: unknown): unknown {
  const cause = error instanceof DrizzleQueryError ? error.cause : error
  if (cause instanceof postgres.PostgresError) return ofServer(cause)
  const code = (cause as { code?: unknown } | undefined)?.code
  if (typeof code === 'string') return unavailable(code, cause, NOT_CONNECTED.has(code))
  return error instanceof DrizzleQueryError ? unavailable('it failed', cause) : error
}

export function unavailable(why: string, cause?: unknown, certain = false): StoreError {
  return new StoreError('unavailable', `the database is not available: ${why}`, cause, certain)
}

function ofServer(cause: postgres.PostgresError): StoreError {
  const noun = NOUNS[cause.table_name ?? ''] ?? 'entry'
  // What ends a statement has undone it; what ends the session may have come after its commit.
  const isCertain = cause.severity === 'ERROR' || NOT_LET_IN.test(cause.code)
  const failure = (kind: StoreFailure, text: string) => new StoreError(kind, text, cause, isCertain)
  switch (cause.code) {
    case UNIQUE_VIOLATION:
      return failure('exists', `that ${noun} exists already`)
    case FOREIGN_KEY_VIOLATION:
      return failure('missing', 'what it belongs to was deleted meanwhile')
  }
  if (cause.code.startsWith(DATA_EXCEPTION)) {
    return failure('invalid', 'what was given cannot be kept as it is')
  }
  if (cause.code === DISK_FULL || OUT_OF_SPACE.test(cause.message)) {
    return failure('full', 'the database has no space left')
  }
  const tellable =
    ABOUT_THE_SERVER.includes(cause.code.slice(0, 2)) || cause.code === INSUFFICIENT_PRIVILEGE
  const why = tellable ? cause.message : `it refused (${cause.code})`
  return unavailable(why, cause, isCertain)
}
