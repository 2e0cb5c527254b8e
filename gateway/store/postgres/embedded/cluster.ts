/**
 * The database cluster, in PostgreSQL's sense: a data directory, with the programs and the user it
 * runs with.
 */
import { once } from 'node:events'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Binaries, findBinaries, inFolder } from './binaries.ts'
import { copyTree } from './copy.ts'
import { type Folders, ownerOf } from './folders.ts'
import { type Identity, serviceUser, spawnAs, tryNamespace, type UserIdentity } from './identity.ts'
import { type Journal, reasonIn } from './journal.ts'
import { SUPERUSER } from './role.ts'

/** For clusters and programs of a user who cannot enter root's folders. */
const SHARED = '/var/lib/porthouse'

/** How root lets PostgreSQL run, where it should not try the first and then the second. */
export type RunAs = 'namespace' | 'user'

export interface Cluster {
  /** The data directory, as PostgreSQL is told. */
  readonly path: string
  readonly binaries: Binaries
  readonly identity: Identity
}

/**
 * Finds or makes the cluster of a data folder. Rejects with the reason, in words for an operator.
 */
export async function openCluster(
  folders: Folders,
  journal: Journal,
  runAs?: RunAs,
): Promise<Cluster> {
  const major = await majorOf(folders.cluster)
  const binaries = await findBinaries(folders.data, { major })
  const cluster = await place(folders, binaries, runAs)
  if (major === undefined) await initialise(cluster, journal)
  return cluster
}

async function place(folders: Folders, binaries: Binaries, runAs?: RunAs): Promise<Cluster> {
  const path = folders.cluster
  if (process.getuid?.() !== 0) return { path, binaries, identity: { kind: 'own' } }
  const found = await lstat(path).catch(() => undefined)
  if (found?.isSymbolicLink()) return placeShared(await readlink(path), binaries)
  const identity =
    runAs === 'user' ? undefined : await tryNamespace(binaries.postgres, folders.data)
  if (identity) return { path, binaries, identity }
  if (found || runAs === 'namespace') {
    throw new Error(`PostgreSQL refuses root, and this machine refuses user namespaces for ${path}`)
  }
  const home = await makeHome(await serviceUser())
  const target = join(home, 'postgres')
  await symlink(target, path).catch(async (error) => {
    await rmdir(home)
    throw error
  })
  return placeShared(target, binaries)
}

/** A new folder outside root's own, for the cluster of that user. */
async function makeHome({ uid, gid }: UserIdentity): Promise<string> {
  if (await mkdir(SHARED, { recursive: true })) await chmod(SHARED, 0o711)
  const home = await mkdtemp(join(SHARED, 'cluster-'))
  await chown(home, uid, gid)
  return home
}

/** A cluster outside the data folder runs as whom its own folder belongs to. */
async function placeShared(path: string, found: Binaries): Promise<Cluster> {
  const identity: Identity = { kind: 'user', ...ownerOf(dirname(path)) }
  if (!found.folder) return { path, binaries: found, identity }
  const copy = join(SHARED, `postgresql-${found.version}`)
  await copyTree(found.folder, copy, openToAll)
  const binaries = await inFolder(`${copy}/bin/`)
  if (!binaries) throw new Error(`the programs in ${copy} do not run; remove it`)
  return { path, binaries, identity }
}

/** Lets everybody read and run what is in a folder. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isSymbolicLink()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644)
  }
}

/**
 * Makes the data directory. It appears whole, so that one whose making was cut short is never used.
 */
async function initialise({ path, binaries, identity }: Cluster, journal: Journal): Promise<void> {
  const draft = `${path}.init`
  await rm(draft, { recursive: true, force: true })
  const options = [
    `--pgdata=${draft}`,
    `--username=${SUPERUSER}`,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
  ]
  // Unicode's upper and lower case without the machine's locales, whose changes break indexes.
  if (binaries.major >= 17) options.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  const initdb = spawnAs(identity, binaries.initdb, options, {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  initdb.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = await once(initdb, 'close')
  if (code !== 0) {
    journal.write(output)
    await rm(draft, { recursive: true, force: true })
    throw new Error(`initdb failed: ${reasonIn(output) ?? `exit code ${code}`}`)
  }
  await rename(draft, path)
}

/** Of PostgreSQL, which made the data; undefined where none is there. */
async function majorOf(path: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(join(path, 'PG_VERSION'), 'utf8'), 10)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
