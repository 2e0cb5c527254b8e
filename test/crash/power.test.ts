/**
 * P-3: what a loss of power would leave. Between a message and its receipt PostgreSQL has made the
 * system write the log to the disk, and what a snapshot of the data folder holds has everything
 * that was acknowledged before it.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { ROLE } from '../../gateway/store/postgres/embedded/role.ts'
import { DebianServer } from '../store/debian.ts'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { EmbeddedPostgres } from './load/postgres.ts'
import { readHistory } from './load/reader.ts'
import { report } from './load/report.ts'

const rooms = { board: [DURABLE] }

async function setUp(perSecond: number) {
  const house = await House.build({ rooms })
  onTestFinished(() => house.close())
  // Appends wait for the disk whatever the role's default is.
  const sql = connect({ sockets: openFolders(house.data).sockets }, 1, 0)
  await sql`alter role ${sql(ROLE)} set synchronous_commit = off`
  await sql.end()
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond })
  await crowd.stores()
  return { house, crowd }
}

/** One call that writes to the disk, as strace saw it: when it returned, in ms since 1970. */
const SYNC = /^\d+\s+(\d+\.\d+) (?:fsync|fdatasync)\(.* = 0 <(\d+\.\d+)>$/

test('a write to the disk ends between each message and its receipt', async () => {
  const { house, crowd } = await setUp(200)
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const trace = join(folder, 'trace')
  const processes = new EmbeddedPostgres(house.data).pids.flatMap((pid) => ['-p', `${pid}`])
  const options = ['-f', '-ttt', '-T', '-e', 'trace=fsync,fdatasync', '-o', trace, ...processes]
  const strace = spawn('strace', options, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(strace, 'exit')
  for await (const line of createInterface({ input: strace.stderr })) {
    if (/attached/.test(line)) break
  }
  await crowd.stores()
  const from = performance.now()
  await delay(2_000)
  const to = performance.now()
  strace.kill('SIGINT')
  await ended
  const verdict = await crowd.judge()

  const syncs = readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, start, seconds] = SYNC.exec(line) ?? []
      return start ? [(Number(start) + Number(seconds)) * 1000 - performance.timeOrigin] : []
    })
    .sort((a, b) => a - b)
  const acks = crowd.publishers
    .flatMap((one) => one.acks)
    .filter(({ sentAt, at }) => sentAt > from && at < to)
  // Both clocks are this machine's, and read to the millisecond.
  const unsynced = acks.filter(
    ({ sentAt, at }) => !syncs.some((done) => done >= sentAt - 1 && done <= at + 1),
  )
  const during = syncs.filter((done) => done > from && done < to).length
  report('P-3 writes to the disk', {
    acknowledged: acks.length,
    syncs: during,
    'without one before': unsynced.length,
  })
  expect(verdict.complaints).toEqual([])
  expect(acks.length).toBeGreaterThan(100)
  expect(during).toBeGreaterThan(10)
  expect(unsynced).toEqual([])
})

test('a snapshot taken in the midst of writing has all that was acknowledged before', async () => {
  const { house, crowd } = await setUp(2_000)
  const copy = mkdtempSync(join(tmpdir(), 'porthouse-crash-'))
  onTestFinished(() => rmSync(copy, { recursive: true, force: true, maxRetries: 20 }))
  const shown = crowd.journal.plan('a snapshot under load')
  await delay(1_000)
  const { pids } = new EmbeddedPostgres(house.data)
  if (crowd.isSending) shown()
  // At one moment, as a file system's snapshot is.
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  const takenAt = performance.now()
  await promisify(execFile)('cp', ['-a', join(house.data, 'postgres'), join(copy, 'postgres')])
  for (const pid of pids) process.kill(pid, 'SIGCONT')
  await crowd.stores()
  const verdict = await crowd.judge()

  const other = house.on(copy)
  onTestFinished(() => other.close())
  await other.start()
  const { messages } = await readHistory(other.way, 'acme/board')
  const found = new Set(messages.map(({ publisher, seq }) => `${publisher}:${seq}`))
  const [original] = crowd.journal.kept
  const before = crowd.journal.sent.filter(({ storedAt }) => storedAt < takenAt)
  const missing = before.filter(({ publisher, seq }) => !found.has(`${publisher}:${seq}`))
  report('P-3 snapshot', {
    ...crowd.figures(verdict),
    'acknowledged before': before.length,
    'in the copy': messages.length,
    missing: missing.length,
  })
  expect(verdict.complaints).toEqual([])
  expect(before.length).toBeGreaterThan(100)
  expect(missing).toEqual([])
  expect(messages).toEqual(original!.messages.slice(0, messages.length))
})

test('a server that does not wait for the disk is named as such', async () => {
  const server = await DebianServer.start()
  onTestFinished(() => server.stop())
  const house = await House.build({ rooms, databaseUrl: server.options.url })
  onTestFinished(() => house.close())
  await house.start()
  await house.logs('fsync off')
})
