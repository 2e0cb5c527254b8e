/** `porthouse backup` and `porthouse restore`: files, and what is said of them. */
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { lstat, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { openLog } from '../observe/log.ts'
import type { Held } from '../store/postgres/backup/backup.ts'
import type { StoreOptions as Opening } from '../store/postgres/open.ts'
import { EXIT, Failure, missing } from './failure.ts'
import { print, printJson, warn } from './output.ts'
import { readSettings } from './settings.ts'
import { type StoreOptions, storeFailure } from './with-store.ts'

const STANDARD = '-'

export interface BackupOptions extends StoreOptions {
  readonly withoutSecrets?: boolean
}

export interface RestoreOptions extends StoreOptions {
  readonly replace?: boolean
}

export async function backup(file: string, options: BackupOptions): Promise<void> {
  const opening = openingOf(options)
  if (!opening.url) await checkThere(opening.dataDir)
  const { backUp } = await import('../store/postgres/backup/backup.ts')
  const { withoutSecrets = false } = options
  if (file === STANDARD) {
    const held = await told(backUp(opening, { withoutSecrets }, process.stdout))
    return warn(summary(held, 'stdout has'))
  }
  const { held, bytes } = await writeWhole(file, (to) => backUp(opening, { withoutSecrets }, to))
  if (options.json) return printJson({ file, bytes, ...held })
  print(`${summary(held, `${file} has`)}, in ${bytes} bytes`)
}

export async function restore(file: string, options: RestoreOptions): Promise<void> {
  const { replace = false } = options
  const opening = openingOf(options)
  const { restore: bringBack } = await import('../store/postgres/backup/restore.ts')
  const held = await withFile(file, (path) => told(bringBack(opening, { replace }, path)))
  if (options.json) return printJson(held)
  print(summary(held, 'the store has again'))
  if (!held.secrets)
    print('it was taken without secrets: tokens and credentials are to be made anew')
}

function openingOf({ config: file, data }: StoreOptions): Opening {
  const { config } = readSettings({ ...(file && { config: file }), ...(data && { data }) })
  return { url: config.databaseUrl, dataDir: config.data, log: openLog('silent').log }
}

/** A backup makes no store where there is none. */
async function checkThere(dataDir: string): Promise<void> {
  const entries = await readdir(dataDir).catch((): string[] => [])
  if (!entries.includes('postgres')) {
    throw missing(`store in ${resolve(dataDir)}`, 'name its folder with --data DIR')
  }
}

/** A file that appears whole, on disk and for its owner alone, or not at all (threat S4). */
async function writeWhole(
  file: string,
  write: (to: Writable) => Promise<Held>,
): Promise<{ held: Held; bytes: number }> {
  const before = await lstat(file).catch(() => undefined)
  if (before && !before.isFile()) throw new Failure('EEXIST', `${file} is there, and is no file`)
  const draft = `${file}.${randomBytes(4).toString('hex')}.partial`
  const handle = await open(draft, 'wx', 0o600).catch((error) => {
    throw fileFailure(error)
  })
  const to = handle.createWriteStream({ flush: true })
  try {
    const held = await told(write(to))
    await rename(draft, file)
    await syncFolder(dirname(resolve(file)))
    return { held, bytes: (await stat(file)).size }
  } catch (error) {
    to.destroy()
    await rm(draft, { force: true })
    throw fileFailure(error)
  }
}

/** So that the name survives a loss of power as the bytes do. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** The path of a file that can be read twice: stdin's bytes are kept for as long as that takes. */
async function withFile<T>(file: string, use: (path: string) => Promise<T>): Promise<T> {
  if (file !== STANDARD) return use(file).catch((error) => Promise.reject(fileFailure(error)))
  const folder = await mkdtemp(join(tmpdir(), 'porthouse-restore-'))
  try {
    const copy = join(folder, 'backup')
    await pipeline(process.stdin, createWriteStream(copy, { flags: 'wx', mode: 0o600 }))
    return await use(copy)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function told(work: Promise<Held>): Promise<Held> {
  try {
    return await work
  } catch (error) {
    throw storeFailure(error)
  }
}

/** What the operating system says of a file, with its name. */
function fileFailure(error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException
  return code && syscall ? new Failure(code, message, EXIT.failed, error) : error
}

function summary({ made, rows }: Held, who: string): string {
  const count = (table: string, what: string) => `${rows[table] ?? 0} ${what}`
  const parts = [
    count('accounts', 'accounts'),
    count('rooms', 'rooms'),
    count('messages', 'messages'),
  ]
  return `${who} ${parts.join(', ')}, as of ${made}`
}
