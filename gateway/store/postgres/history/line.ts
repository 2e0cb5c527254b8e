/** The connections of appends. */
import type { Append } from '../../history.ts'
import { StoreError } from '../../store.ts'
import { Database, type Server } from '../database.ts'
import { unavailable } from '../failure.ts'
import { append, missing } from './append.ts'

/** One batch is on its way at a time; the other is for what a slow one has left behind. */
const CONNECTIONS = 2

/** Of their own, so that appends wait for no other call, and wait for the disk whoever set what. */
const FURTHER = { name: 'porthouse history', settings: { synchronous_commit: 'on' } }

export class AppendLine {
  readonly #server: Server
  #database: Database

  constructor(server: Server) {
    this.#server = server
    this.#database = this.#connect()
  }

  /** As `Histories.append`. */
  async append(appends: readonly Append[]): Promise<ReadonlySet<string>> {
    const given = appends.filter(({ messages }) => messages.length > 0)
    const database = this.#database
    try {
      const left = await database.run((_, sql) => append(sql, given))
      if (left.length === 0) return new Set()
      const lost = await afterwards(database.run((_, sql) => missing(sql, left)))
      return new Set(lost.map(({ roomId }) => roomId))
    } catch (error) {
      if (!(error instanceof StoreError && error.certain)) this.#renew(database)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  #connect(): Database {
    return new Database(this.#server, CONNECTIONS, FURTHER)
  }

  /** A connection that went silent may stay so for minutes, and would hold what is tried again. */
  #renew(silent: Database): void {
    if (silent !== this.#database) return
    this.#database = this.#connect()
    silent.close().catch(() => {})
  }
}

/** What fails after the statement that stores is not certain, whatever the server says of it. */
async function afterwards<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw unavailable('it did not say what was stored', error)
  }
}
