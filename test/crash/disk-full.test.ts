/**
 * P-10: the disk is full. What cannot be kept is refused, and when there is space again all goes
 * on, with the same gateway.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { newFolder } from '../store/process.ts'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { report } from './load/report.ts'

const MIB = 1024 * 1024
/** A new cluster takes 24 of them, and each file of its log 16. */
const DISK = 128 * MIB

/** A file system of that size, gone after the test. */
function smallDisk(): string {
  const path = newFolder()
  if (process.getuid?.() !== 0) throw new Error('mounting a tmpfs needs root; run this as root')
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'porthouse-crash', path])
  onTestFinished(() => {
    execFileSync('umount', ['-l', path])
    rmSync(path, { recursive: true })
  })
  return path
}

/** Moves PostgreSQL's log to where there is space; PostgreSQL must not run. */
function moveLog(data: string): void {
  const elsewhere = newFolder()
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true, maxRetries: 20 }))
  const log = join(data, 'postgres/pg_wal')
  execFileSync('cp', ['-a', log, elsewhere])
  rmSync(log, { recursive: true })
  symlinkSync(join(elsewhere, 'pg_wal'), log)
}

/** Until PostgreSQL, which nobody uses, has ended. */
async function stopped(data: string): Promise<void> {
  const { run } = openFolders(data)
  await vi.waitFor(() => expect(existsSync(run)).toBe(false), { timeout: 20_000, interval: 20 })
}

test.each([
  ['on which everything is', 40 * MIB, () => {}],
  ['on which the log is not', 88 * MIB, moveLog],
])('a full disk, %s', { timeout: 120_000 }, async (name, bytes, prepare) => {
  const disk = smallDisk()
  // For nothing, until space is to be freed.
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, Buffer.alloc(bytes))
  const data = join(disk, 'data')
  mkdirSync(data)
  const house = await House.build({ rooms: { board: [DURABLE] }, data, graceMs: 200 })
  onTestFinished(() => house.close())
  await stopped(data)
  prepare(data)
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond: 100, bytes: 65_536 })
  const shown = crowd.journal.plan('a full disk')
  const codes = () => new Set(crowd.publishers.flatMap((one) => one.refusals.map((r) => r.code)))
  await vi.waitFor(() => expect(codes().size).toBeGreaterThan(0), { timeout: 60_000 })
  const fullAt = performance.now()
  // Refused for as long as there is no space.
  const refusals = () => crowd.publishers.reduce((sum, one) => sum + one.refusals.length, 0)
  const then = refusals()
  await vi.waitFor(() => expect(refusals()).toBeGreaterThan(then + 100), { timeout: 30_000 })
  if (
    /No space left|could not extend|53100/.test(readFileSync(join(data, 'postgres.log'), 'utf8'))
  ) {
    shown()
  }
  const freedAt = performance.now()
  rmSync(ballast)
  const heardAt = await crowd.hearsAfter(freedAt)
  const verdict = await crowd.judge()
  report(`P-10 disk full, ${name}`, {
    ...crowd.figures(verdict),
    codes: [...codes()].join(' '),
    'full for ms': freedAt - fullAt,
    'recovered ms': heardAt - freedAt,
  })
  expect(verdict.complaints).toEqual([])
  for (const code of codes()) expect(['STORE_FULL', 'UNAVAILABLE', 'UNCERTAIN']).toContain(code)
  // Where it has no space for its log, PostgreSQL ends, and is started until it has.
  if (prepare === moveLog) expect(codes()).toContain('STORE_FULL')
  expect(house.isRunning).toBe(true)
})
