/**
 * P-10: the disk is full. What cannot be kept is refused, and when there is space again all goes
 * on, with the same gateway.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { report } from './load/report.ts'

const MIB = 1024 * 1024
const DISK = 128 * MIB
/** Of the disk, for nothing, until space is to be freed. */
const BALLAST = 48 * MIB

/** A file system of that size, gone after the test. */
function smallDisk(): string {
  const path = mkdtempSync(join(tmpdir(), 'porthouse-crash-'))
  if (process.getuid?.() !== 0)
    throw new Error('mounting a tmpfs needs root; run this test as root')
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=700`, 'porthouse-crash', path])
  onTestFinished(() => {
    execFileSync('umount', ['-l', path])
    rmSync(path, { recursive: true })
  })
  return path
}

test('a full disk', { timeout: 120_000 }, async () => {
  const disk = smallDisk()
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, Buffer.alloc(BALLAST))
  const data = join(disk, 'data')
  mkdirSync(data)
  const house = await House.build({ rooms: { board: [DURABLE] }, data })
  onTestFinished(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond: 500, bytes: 16_384 })
  const shown = crowd.journal.plan('a full disk')
  const codes = () => new Set(crowd.publishers.flatMap((one) => one.refusals.map((r) => r.code)))
  await vi.waitFor(() => expect(codes().size).toBeGreaterThan(0), { timeout: 60_000 })
  const fullAt = performance.now()
  // Refused for as long as there is no space.
  const refusals = () => crowd.publishers.reduce((sum, one) => sum + one.refusals.length, 0)
  const then = refusals()
  await vi.waitFor(() => expect(refusals()).toBeGreaterThan(then + 500), { timeout: 30_000 })
  if (
    /No space left|could not extend|53100/.test(readFileSync(join(data, 'postgres.log'), 'utf8'))
  ) {
    shown()
  }
  const freedAt = performance.now()
  rmSync(ballast)
  const heardAt = await crowd.hearsAfter(freedAt)
  // The disk is small: enough was seen.
  const verdict = await crowd.judge()
  report('P-10 disk full', {
    ...crowd.figures(verdict),
    codes: [...codes()].join(' '),
    'full for ms': freedAt - fullAt,
    'recovered ms': heardAt - freedAt,
  })
  expect(verdict.complaints).toEqual([])
  for (const code of codes()) expect(['STORE_FULL', 'UNAVAILABLE', 'UNCERTAIN']).toContain(code)
  expect(house.isRunning).toBe(true)
})
