/**
 * The embedded PostgreSQL under the durable legs: pinned to a core, emptied before each of them.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type BlockSchema, ConfigSchema } from '@porthouse/proto/room/v1/config'
import type postgres from 'postgres'
import { openLog } from '../../gateway/observe/log.ts'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { SUPERUSER } from '../../gateway/store/postgres/embedded/role.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { RoomRecord, Store } from '../../gateway/store/store.ts'
import { pinned } from '../process.ts'
import { ended, GRACE_MS } from '../rooms.ts'

export const ACCOUNT = 'bench'

export interface BenchDatabase extends AsyncDisposable {
  readonly dataDir: string
  readonly store: Store
  /** Of PostgreSQL's first process. */
  readonly pid: number
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
  await store.accounts.create({ slug: ACCOUNT })
  const pidFile = join(dataDir, 'postgres/postmaster.pid')
  const pid = Number.parseInt(await readFile(pidFile, 'utf8'), 10)
  // A checkpoint is not for everybody.
  const user = SUPERUSER
  const sql = connect({ sockets: openFolders(dataDir).sockets }, 1, 0, { user })
  return {
    dataDir,
    store,
    pid,
    pin: (cpu) => pin(pid, cpu),
    empty: () => empty(sql),
    async stored() {
      const [row] = await sql.unsafe<{ stored: string }[]>(
        'select count(*) as stored from messages',
      )
      return Number(row?.stored)
    },
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

async function empty(sql: postgres.Sql): Promise<void> {
  await sql.unsafe('truncate messages, histories, dropped_histories, cursors')
  await sql.unsafe('checkpoint')
}

type Kind = NonNullable<MessageInitShape<typeof BlockSchema>['kind']>

/** A room for everybody, with these blocks beside. */
export function makeRoom(store: Store, slug: string, ...further: Kind[]): Promise<RoomRecord> {
  const open: Kind = { case: 'access', value: {} }
  const config = create(ConfigSchema, { blocks: [open, ...further].map((kind) => ({ kind })) })
  return store.rooms.create({ account: ACCOUNT, slug, config, author: ACCOUNT })
}
