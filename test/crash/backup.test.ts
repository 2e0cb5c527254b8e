/**
 * P-18: a backup taken under load and restored elsewhere has, of each publisher, a prefix of what
 * was acknowledged to it, and all that was acknowledged before the backup began.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { porthouse } from '../cli/process.ts'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { readHistory } from './load/reader.ts'
import { report } from './load/report.ts'

async function command(data: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await porthouse(args, { env: { PORTHOUSE_DATA: data } })
  if (code !== 0) throw new Error(`${args[0]} exits with ${code}: ${stderr}`)
}

test('a backup under load is a prefix of what was acknowledged', { timeout: 90_000 }, async () => {
  const house = await House.build({ rooms: { board: [DURABLE], yard: [DURABLE] } })
  onTestFinished(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board', 'yard'], perSecond: 1_000 })
  const shown = crowd.journal.plan('a backup under load')
  await crowd.stores()
  await delay(1_000)
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }))
  const file = join(folder, 'backup')
  const from = performance.now()
  await command(house.data, 'backup', file)
  const to = performance.now()
  if (crowd.isSending) shown()
  const verdict = await crowd.judge()

  const data = join(folder, 'data')
  await command(data, 'restore', file)
  const restored = house.on(data)
  onTestFinished(() => restored.close())
  await restored.start()
  let missing = 0
  let found = 0
  for (const { room, messages } of crowd.journal.kept) {
    const copy = await readHistory(restored.way, room)
    const names = copy.messages.map(({ publisher, seq }) => `${publisher}:${seq}`)
    const all = messages.map(({ publisher, seq }) => `${publisher}:${seq}`)
    expect(names).toEqual(all.slice(0, names.length))
    // Positions told since the backup mean nothing in the copy.
    expect(copy.messages[0]!.epoch).toBeGreaterThan(messages[0]!.epoch)
    const before = crowd.journal.sent.filter((one) => one.room === room && one.storedAt < from)
    const here = new Set(names)
    missing += before.filter(({ publisher, seq }) => !here.has(`${publisher}:${seq}`)).length
    found += names.length
  }
  report('P-18 backup under load', {
    ...crowd.figures(verdict),
    'backup ms': to - from,
    restored: found,
    missing,
  })
  expect(verdict.complaints).toEqual([])
  expect(missing).toBe(0)
})
