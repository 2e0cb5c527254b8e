/** What the embedded PostgreSQL lives through: kills of its parts, copies, full disks, versions. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { backUp } from '../../gateway/store/postgres/backup/backup.ts'
import { restore } from '../../gateway/store/postgres/backup/restore.ts'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { spawnAs, tryNamespace } from '../../gateway/store/postgres/embedded/identity.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { gone, newFolder, postmasterOf, silent, stopped } from './process.ts'

const DEBIAN = '/usr/lib/postgresql/15/bin'
const embedded = { graceMs: 200 }
const isRoot = process.getuid?.() === 0

const opened: { store: Store; dataDir: string }[] = []

async function open(dataDir: string, log = silent): Promise<Store> {
  const store = await openStore({ dataDir, log, embedded })
  opened.push({ store, dataDir })
  return store
}

/** Closes what the test has opened, and waits for the end of what served it. */
async function closeAll(): Promise<void> {
  const all = opened.splice(0)
  await Promise.all(all.map(({ store }) => store.close()))
  await Promise.all(all.map(({ dataDir }) => stopped(dataDir)))
}

afterEach(closeAll)

/** A data folder that is gone after the test; the hook runs after closeAll. */
function dataFolder(): string {
  const folder = newFolder()
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data')
}

function answers(store: Store): Promise<void> {
  return vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 20 })
}

/** Resolves when another first process has taken over from that one, and the store answers. */
async function restarted(dataDir: string, pid: number, store: Store): Promise<void> {
  await gone(pid)
  const isAnother = () => expect(postmasterOf(dataDir)).not.toBe(pid)
  await vi.waitFor(isAnother, { timeout: 20_000, interval: 20 })
  await answers(store)
}

describe('a kill -9', () => {
  test('of its first process, with another that stays, is mended and told once', async () => {
    const dataDir = dataFolder()
    const told: { level: string; reason?: string }[] = []
    const write = (line: string) => void told.push(JSON.parse(line))
    const formatters = { level: (level: string) => ({ level }) }
    const store = await open(dataDir, pino({ formatters }, { write }))
    const account = await store.accounts.create({ slug: 'acme' })
    const stays = await backendOf(dataDir)
    process.kill(stays, 'SIGSTOP')
    const pid = postmasterOf(dataDir)
    process.kill(pid, 'SIGKILL')
    await restarted(dataDir, pid, store)
    await gone(stays)
    expect(await store.accounts.find('acme')).toEqual(account)
    await vi.waitFor(() => expect(told).toHaveLength(2))
    expect(told[0]).toMatchObject({ level: 'warn', reason: expect.stringContaining('SIGKILL') })
    expect(told[1]).toMatchObject({ level: 'info', msg: 'the embedded PostgreSQL runs again' })
  })

  test('of one that serves a client is mended by PostgreSQL itself', async () => {
    const dataDir = dataFolder()
    const store = await open(dataDir)
    const account = await store.accounts.create({ slug: 'acme' })
    const [pid, backend] = [postmasterOf(dataDir), await backendOf(dataDir)]
    process.kill(backend, 'SIGKILL')
    await gone(backend)
    await answers(store)
    expect(postmasterOf(dataDir)).toBe(pid)
    // Another connection of the pool may still be about to notice that its backend has ended.
    await expect.poll(() => store.accounts.find('acme')).toEqual(account)
  })

  test('again and again, as soon as it runs, loses nothing that was told as kept', async () => {
    const dataDir = dataFolder()
    const store = await open(dataDir)
    const kept: string[] = []
    for (let round = 0; round < 6; round++) {
      const { slug } = await store.accounts.create({ slug: `a-${round}` })
      kept.push(slug)
      const pid = postmasterOf(dataDir)
      process.kill(pid, 'SIGKILL')
      await restarted(dataDir, pid, store)
    }
    expect((await store.accounts.list()).map(({ slug }) => slug)).toEqual(kept)
  })
})

describe('a copy of the data folder', () => {
  test('taken while it is written starts beside it, with all that was kept before', async () => {
    const dataDir = dataFolder()
    const store = await open(dataDir)
    const pid = postmasterOf(dataDir)
    const kept: string[] = []
    let copied = false
    const writer = (async () => {
      for (let n = 0; !copied; n++) {
        const { slug } = await store.accounts.create({ slug: `a-${n}` })
        kept.push(slug)
      }
    })()
    await vi.waitFor(() => expect(kept.length).toBeGreaterThan(50))
    for (const copy of ['one', 'two', 'three'].map((name) => `${dataDir}-${name}`)) {
      const before = [...kept]
      await run('cp', ['-r', dataDir, copy])
      const other = await open(copy)
      expect(postmasterOf(copy)).not.toBe(pid)
      const found = new Set((await other.accounts.list()).map(({ slug }) => slug))
      expect(before.filter((slug) => !found.has(slug))).toEqual([])
    }
    copied = true
    await writer
    expect(postmasterOf(dataDir)).toBe(pid)
    expect(await store.accounts.list()).toHaveLength(kept.length)
  })

  test.runIf(isRoot)('that links to the same database is refused while that one runs', async () => {
    const dataDir = dataFolder()
    const options = { dataDir, log: silent, embedded: { ...embedded, runAs: 'user' as const } }
    const store = await openStore(options)
    opened.push({ store, dataDir })
    const home = execFileSync('readlink', [join(dataDir, 'postgres')], { encoding: 'utf8' })
    onTestFinished(() => rmSync(join(home.trim(), '..'), { recursive: true }))
    const pid = postmasterOf(dataDir)
    const copy = `${dataDir}-copy`
    execFileSync('cp', ['-r', dataDir, copy])
    await expect(open(copy)).rejects.toMatchObject({
      failure: 'unavailable',
      message: expect.stringContaining('another data folder'),
    })
    await stopped(copy)
    expect(postmasterOf(dataDir)).toBe(pid)
    await store.ping()
  })
})

describe.runIf(isRoot)('a disk that is full', () => {
  const full = {
    failure: 'unavailable',
    message: expect.stringContaining('No space left on device'),
  }

  test('when the database is to be made is told', async () => {
    const dataDir = join(smallDisk('16m'), 'data')
    await expect(open(dataDir)).rejects.toMatchObject(full)
    await stopped(dataDir)
  })

  test('when it is to start is told, and once there is space it starts', async () => {
    const disk = smallDisk('160m')
    const dataDir = join(disk, 'data')
    const account = await (await open(dataDir)).accounts.create({ slug: 'acme' })
    await closeAll()
    const filler = join(disk, 'filler')
    execFileSync('sh', ['-c', 'cat /dev/zero > "$1" || :', 'sh', filler], { stdio: 'ignore' })
    await expect(open(dataDir)).rejects.toMatchObject(full)
    await stopped(dataDir)
    rmSync(filler)
    expect(await (await open(dataDir)).accounts.find('acme')).toEqual(account)
  })
})

describe('data of another major version', () => {
  test('is served by its own programs, and goes to the new ones by a backup', async () => {
    const dataDir = dataFolder()
    await initialise(dataDir)
    const store = await open(dataDir)
    expect(await versionOf(dataDir)).toBe(15)
    const account = await store.accounts.create({ slug: 'acme' })
    const file = `${dataDir}.backup`
    const options = { dataDir, log: silent, embedded }
    await backUp(options, {}, createWriteStream(file))
    await closeAll()
    rmSync(dataDir, { recursive: true })
    await restore(options, {}, file)
    await stopped(dataDir)
    expect(await (await open(dataDir)).accounts.list()).toEqual([account])
    expect(await versionOf(dataDir)).toBeGreaterThan(15)
  })

  test('is refused without them, with the way to go', async () => {
    const dataDir = dataFolder()
    mkdirSync(join(dataDir, 'postgres'), { recursive: true })
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '12\n')
    const message = /data is of PostgreSQL 12, .*porthouse backup FILE.*porthouse restore FILE/
    await expect(open(dataDir)).rejects.toMatchObject({
      failure: 'unavailable',
      message: expect.stringMatching(message),
    })
    await stopped(dataDir)
  })
})

/** A process that serves a client of its own. */
async function backendOf(dataDir: string): Promise<number> {
  const sql = connect({ sockets: openFolders(dataDir).sockets }, 1, 0)
  onTestFinished(() => sql.end({ timeout: 0 }))
  const [row] = await sql`select pg_backend_pid() as pid`
  return row!.pid
}

async function versionOf(dataDir: string): Promise<number> {
  const sql = connect({ sockets: openFolders(dataDir).sockets }, 1, 0)
  const [row] = await sql`show server_version_num`
  await sql.end()
  return Math.floor(Number(row!.server_version_num) / 10_000)
}

/** A cluster as an older porthouse has made it. */
async function initialise(dataDir: string): Promise<void> {
  mkdirSync(dataDir, { mode: 0o700 })
  const identity = isRoot
    ? await tryNamespace(`${DEBIAN}/postgres`, dataDir)
    : { kind: 'own' as const }
  const cluster = `--pgdata=${join(dataDir, 'postgres')}`
  const options = [cluster, '--username=porthouse', '--auth=trust', '--encoding=UTF8', '--locale=C']
  const initdb = spawnAs(identity!, `${DEBIAN}/initdb`, options, { stdio: 'ignore' })
  const [code] = await once(initdb, 'close')
  expect(code).toBe(0)
}

/** A file system of that size, in memory. */
function smallDisk(size: string): string {
  const folder = newFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder])
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

/** Runs a program beside this process, which goes on. */
async function run(program: string, args: string[]): Promise<void> {
  const child = spawnAs({ kind: 'own' }, program, args, { stdio: 'ignore' })
  const [code] = await once(child, 'close')
  expect(code).toBe(0)
}
