/**
 * P-11: the gateway's clock jumps, by an hour in both directions and by ten years, while that of
 * its database stays. Nobody is dropped for it, and positions and ids keep their order.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Frame } from '@porthouse/proto/v1/frame'
import { expect, onTestFinished, test } from 'vitest'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { Line, type Way } from './load/line.ts'
import { report } from './load/report.ts'

const JUMPS = ['+3600', '-3600', '+315360000', '+0']

/** Debian's libfaketime, of whichever architecture. */
function library(): string {
  for (const folder of readdirSync('/usr/lib')) {
    const path = join('/usr/lib', folder, 'faketime')
    try {
      if (readdirSync(path).includes('libfaketime.so.1')) return join(path, 'libfaketime.so.1')
    } catch {
      // No such folder.
    }
  }
  throw new Error('apt-get install -y faketime')
}

/** What the gateway takes the time for, in ms since 1970. */
async function clockOf(way: Way): Promise<number> {
  const told = Promise.withResolvers<number>()
  const take = ({ body }: Frame) => {
    if (body.case === 'welcome') told.resolve(Number(body.value.timeMs))
  }
  const line = new Line(way, { enter: () => [], take })
  return told.promise.finally(() => line.close())
}

test('a clock that jumps', { timeout: 90_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'time')
  writeFileSync(file, '+0')
  const env = {
    LD_PRELOAD: library(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  // Its PostgreSQL was started without that, by us.
  const house = await House.build({ rooms: { board: [DURABLE] }, env, graceMs: 60_000 })
  onTestFinished(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond: 500 })
  const shown = JUMPS.map((jump) => crowd.journal.plan(`a jump to ${jump} s`))
  for (const [i, jump] of JUMPS.entries()) {
    writeFileSync(file, jump)
    const behind = (await clockOf(house.way)) - Date.now() - Number(jump) * 1000
    if (Math.abs(behind) < 10_000) shown[i]!()
    await crowd.stores()
    await delay(500)
    await crowd.stores()
  }
  const verdict = await crowd.judge()
  const lines = [...crowd.publishers, ...crowd.subscribers].map(({ line }) => line)
  report('P-11 clock jumps', {
    jumps: JUMPS.join(' '),
    ...crowd.figures(verdict),
    dropped: lines.reduce((sum, { connections }) => sum + connections - 1, 0),
  })
  expect(verdict.complaints).toEqual([])
  for (const { connections } of lines) expect(connections).toBe(1)
  const [kept] = crowd.journal.kept
  const ids = kept!.messages.map(({ id }) => id)
  expect(ids).toEqual(ids.toSorted())
  expect(new Set(ids).size).toBe(ids.length)
})
