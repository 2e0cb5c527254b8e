/** Where the parts of one data folder lie, and who may enter them. */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Not TMPDIR: processes with different ones would not find each other. Paths below it stay near 50
 * bytes, where a Unix socket's may have 103 (macOS) or 107 (Linux).
 */
const TEMPORARY = '/tmp'

export interface Folders {
  /** The data folder, real and absolute. */
  readonly data: string
  /** Where PostgreSQL's cluster is, or a link to it. */
  readonly cluster: string
  readonly lock: string
  readonly log: string
  /** Folder of the lease socket; its owner owns the data folder. */
  readonly run: string
  readonly leaseSocket: string
  /** Folder of PostgreSQL's socket; its owner is whom PostgreSQL runs as. */
  readonly sockets: string
}

/** Makes the data folder where it is missing, for its owner alone (threat S4). */
export function openFolders(dataDir: string): Folders {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const data = realpathSync(dataDir)
  const run = join(
    TEMPORARY,
    `porthouse-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`,
  )
  return {
    data,
    cluster: join(data, 'postgres'),
    lock: join(data, 'postgres.lock'),
    log: join(data, 'postgres.log'),
    run,
    leaseSocket: join(run, 'lease'),
    sockets: `${run}-db`,
  }
}

/** Makes a folder for this user alone where it is missing. */
export function makePrivate(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Throws where somebody else made the folder first, or where others may enter it. */
export function checkPrivate(path: string, owner: number): void {
  const found = lstatSync(path)
  if (!found.isDirectory() || found.uid !== owner || found.mode & 0o077) {
    throw new Error(`${path} must be a folder of uid ${owner} with mode 0700; remove it`)
  }
}

export function ownerOf(path: string): { uid: number; gid: number } {
  const { uid, gid } = statSync(path)
  return { uid, gid }
}
