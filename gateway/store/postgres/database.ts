/** One pool of connections, and the bounds of every call on it. */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { DATABASE, ROLE } from './embedded/role.ts'
import { storeFailure, unavailable } from './failure.ts'

/** Where a server listens: a URL, or a folder that holds its Unix socket. */
export type Server = { readonly url: string } | { readonly sockets: string }

export type Queries = PostgresJsDatabase

const CONNECTIONS_MAX = 8
const CONNECT_SECONDS_MAX = 3
const STATEMENT_MS_MAX = 4_000
/** Longer than a statement may take, so that a server that still answers can say why it gave up. */
const CALL_MS_MAX = 5_000
/**
 * Between two attempts of one connection; each call makes its own attempt and fails at once with
 * it.
 */
const RECONNECT_SECONDS = 0.1
const CLOSE_SECONDS_MAX = 2

export class Database {
  readonly #sql: postgres.Sql
  readonly #queries: Queries

  /** Connects with the first call. */
  constructor(server: Server, connections = CONNECTIONS_MAX, further?: Further) {
    this.#sql = connect(server, connections, STATEMENT_MS_MAX, further)
    this.#queries = drizzle(this.#sql)
  }

  /**
   * Runs one call. Rejects with a StoreError within 5 s at most; after `unavailable` a change may
   * yet have happened. A change is one statement: the driver cannot survive a connection that is
   * lost between the statements of a transaction.
   */
  async run<T>(call: (queries: Queries, sql: postgres.Sql) => Promise<T>): Promise<T> {
    try {
      return await bounded(call(this.#queries, this.#sql))
    } catch (error) {
      throw storeFailure(error)
    }
  }

  /**
   * Makes a statement once that is run often, of `queries…prepare(name)`: it is not built again,
   * and each connection has the server parse it once.
   */
  prepare<T>(build: (queries: Queries) => T): T {
    return build(this.#queries)
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: CLOSE_SECONDS_MAX })
  }
}

/** The same, or a rejection with `unavailable` after 5 s. */
export async function bounded<T>(answer: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const seconds = CALL_MS_MAX / 1000
    timer = setTimeout(() => reject(unavailable(`no answer within ${seconds} s`)), CALL_MS_MAX)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

export interface Further {
  /** Null: a connection is not replaced after some time. */
  readonly max_lifetime?: null
  readonly onclose?: () => void
  /** In the driver's options, but not in their type. */
  readonly onnotify?: (channel: string, payload: string) => void
  /** What the server's operator sees. */
  readonly name?: string
  /** Of the embedded one; `ROLE` where it is absent. */
  readonly user?: string
  /** Of the server, for these connections. */
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * A pool of at most `connections`; `statementMs` of 0 lets statements take as long as they need.
 */
export function connect(
  server: Server,
  connections: number,
  statementMs: number,
  { name = 'porthouse', user = ROLE, settings, ...further }: Further = {},
): postgres.Sql {
  const options = {
    ...further,
    max: connections,
    connect_timeout: CONNECT_SECONDS_MAX,
    backoff: () => RECONNECT_SECONDS,
    // No array is sent or read, so the round trip that asks for the types of arrays is saved.
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: name, statement_timeout: statementMs, ...settings },
  }
  if ('url' in server) return postgres(server.url, options)
  const path = `${server.sockets}/.s.PGSQL.5432`
  return postgres({ ...options, path, user, database: DATABASE, ssl: false })
}
