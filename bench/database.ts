/**
 * The embedded PostgreSQL of a gateway's data folder: up for a whole run, so that no leg waits for
 * its start; pinned to a core and emptied before each leg that writes.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type postgres from 'postgres'
import { openLog } from '../gateway/observe/log.ts'
import { connect } from '../gateway/store/postgres/database.ts'
import { openFolders } from '../gateway/store/postgres/embedded/folders.ts'
import { SUPERUSER } from '../gateway/store/postgres/embedded/role.ts'
import { openStore } from '../gateway/store/postgres/open.ts'
import type { Store } from '../gateway/store/store.ts'
import { pinned } from './process.ts'

/** How long the database waits for another user before it ends, in place of the default 20 s. */
const GRACE_MS = 500
const POLL_MS = 100
/** Of 16 MB; as many as the embedded server keeps for later (min_wal_size). */
const LOG_FILES = 16
const END_LIMIT_MS = 20_000

export interface BenchDatabase extends AsyncDisposable {
  readonly dataDir: string
  readonly store: Store
  /** Of PostgreSQL's first process. */
  readonly pid: number
  readonly version: string
  /** Moves all of its processes, and those to come, to a core. */
  pin(cpu: number): Promise<void>
  /** Nothing was ever sent, and nothing is left to be written. */
  empty(): Promise<void>
  /** Messages that are stored. */
  stored(): Promise<number>
}

/** Makes `folder/data` as a gateway's data folder; the database is up until this is disposed of. */
export async function openDatabase(folder: string): Promise<BenchDatabase> {
  const dataDir = join(folder, 'data')
  const { log } = openLog('silent')
  const store = await openStore({ dataDir, log, embedded: { graceMs: GRACE_MS }, upkeep: true })
  const pidFile = join(dataDir, 'postgres/postmaster.pid')
  const pid = Number.parseInt(await readFile(pidFile, 'utf8'), 10)
  // A checkpoint is not for everybody.
  const user = SUPERUSER
  const sql = connect({ sockets: openFolders(dataDir).sockets }, 1, 0, { user })
  await makeLog(sql)
  const one = async (query: string) => Object.values((await sql.unsafe(query))[0] ?? {})[0]
  return {
    dataDir,
    store,
    pid,
    version: String(await one('show server_version')),
    pin: (cpu) => pin(pid, cpu),
    empty: () => empty(sql),
    stored: async () => Number(await one('select count(*) from messages')),
    async [Symbol.asyncDispose]() {
      await sql.end()
      await store.close()
      await ended(pidFile)
    },
  }
}

async function pin(pid: number, cpu: number): Promise<void> {
  if (!pinned) return
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  for (const each of [String(pid), ...children.trim().split(' ')]) {
    // One that has ended meanwhile needs no core.
    await promisify(execFile)('taskset', ['-c', '-p', String(cpu), each]).catch(() => {})
  }
}

/**
 * A new log file is filled with zeros while all commits wait, for tens of milliseconds. A database
 * that has run for a while uses old ones again, and so does this one.
 */
async function makeLog(sql: postgres.Sql): Promise<void> {
  for (let made = 0; made < LOG_FILES; made++) {
    await sql.unsafe(`select pg_logical_emit_message(true, 'bench', ''), pg_switch_wal()`)
  }
  await sql.unsafe('checkpoint')
}

async function empty(sql: postgres.Sql): Promise<void> {
  await sql.unsafe('truncate messages, histories, dropped_histories, cursors')
  await sql.unsafe('checkpoint')
}

/** Resolves once the database has taken its pid file away, so that the folder can go. */
async function ended(pidFile: string): Promise<void> {
  for (let waited = 0; existsSync(pidFile); waited += POLL_MS) {
    if (waited >= END_LIMIT_MS) throw new Error(`the database did not end: ${pidFile}`)
    await delay(POLL_MS)
  }
}
