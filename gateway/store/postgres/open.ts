/** Opens the store: on a server, or on the embedded PostgreSQL. */

import { sql } from 'drizzle-orm'
import type { Log } from '../../observe/log.ts'
import type { Store } from '../store.ts'
import { PostgresAccounts } from './accounts.ts'
import { PostgresApiKeys } from './administration/api-keys.ts'
import { PostgresAudit } from './administration/audit.ts'
import { PostgresChanges } from './changes.ts'
import { PostgresClients } from './clients.ts'
import { PostgresCredentials } from './credentials.ts'
import { Database, type Server } from './database.ts'
import type { EmbeddedOptions } from './embedded/lease.ts'
import { PostgresCursors } from './history/cursors.ts'
import { PostgresHistories } from './history/histories.ts'
import { PostgresRetained } from './history/retained.ts'
import { Upkeep } from './history/upkeep.ts'
import { PostgresLogins } from './logins.ts'
import { migrate } from './migrate.ts'
import { PostgresMqttSessions } from './mqtt/sessions.ts'
import { PostgresOffences } from './offences.ts'
import { reach } from './reach.ts'
import { PostgresRooms } from './rooms.ts'
import { PostgresTokens } from './tokens.ts'

export interface StoreOptions {
  /** Of a server, such as postgres://user:password@host/database. Absent: the embedded one. */
  readonly url?: string | undefined
  /** Where the embedded one keeps its files, made for this user alone where it is missing. */
  readonly dataDir: string
  readonly log: Log
  /** A gateway runs on it: partitions of messages are made ahead, and what is gone is deleted. */
  readonly upkeep?: boolean
  readonly embedded?: Pick<EmbeddedOptions, 'graceMs' | 'runAs'>
}

/**
 * Opens the store, with its schema brought to this version. Several processes may open one at the
 * same time. Rejects with `unavailable` and the reason. A new embedded database takes 1 to 2 s.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { server, release } = await reach(options)
  const database = new Database(server)
  try {
    await migrate(server)
    return await openMigrated(server, database, options, release)
  } catch (error) {
    await database.close()
    release()
    throw error
  }
}

async function openMigrated(
  server: Server,
  database: Database,
  { log, upkeep: isKeptUp }: StoreOptions,
  release: () => void,
): Promise<Store> {
  const histories = await PostgresHistories.open(server, database)
  const changes = new PostgresChanges(server)
  const upkeep = new Upkeep({ database, changes, log })
  if (isKeptUp) await upkeep.start()
  return {
    accounts: new PostgresAccounts(database),
    rooms: new PostgresRooms(database),
    clients: new PostgresClients(database),
    credentials: new PostgresCredentials(database),
    tokens: new PostgresTokens(database),
    logins: new PostgresLogins(database),
    offences: new PostgresOffences(database),
    histories,
    cursors: new PostgresCursors(database),
    retained: new PostgresRetained(database),
    mqttSessions: new PostgresMqttSessions(database),
    apiKeys: new PostgresApiKeys(database),
    audit: new PostgresAudit(database),
    changes,
    ping: () => database.run(async (queries) => void (await queries.execute(sql`select 1`))),
    now: () =>
      database.run(async (queries) => {
        const [row] = await queries.execute<{ ms: number }>(
          sql`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`,
        )
        return new Date(row!.ms)
      }),
    close: async () => {
      await changes.close()
      await upkeep.close()
      await histories.close()
      await database.close()
      release()
    },
  }
}
