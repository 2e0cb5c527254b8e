/**
 * W6: durable publishes a second, beside JetStream and beside bare inserts of the same batches, all
 * interleaved in one run. See docs/benchmarks.md.
 *
 *   node bench/durable/run.ts [--legs stored-16,nats-sync-16] [--rounds N] [--seconds N]
 *
 * Exits with 1 where a leg failed: a message that was acknowledged and not stored, or stored twice,
 * refused, or acknowledged out of order.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Keep } from '@porthouse/proto/room/v1/history'
import { buildGenerator, root } from '../tools.ts'
import { makeRoom, openDatabase } from './database.ts'
import type { Figures } from './figures.ts'
import { judge } from './goals.ts'
import { type Bench, type Leg, legs } from './legs.ts'
import { goalLines, table } from './report.ts'

const ROOMS = 50

interface Findings {
  readonly rounds: Record<string, Figures[]>
  failed: number
}

function plan(): { chosen: readonly Leg[]; rounds: number; seconds: number } {
  const { values } = parseArgs({
    options: {
      legs: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
    },
  })
  const names = values.legs?.split(',') ?? legs.map(({ id }) => id)
  const wrong = names.find((name) => !legs.some(({ id }) => id === name))
  if (wrong !== undefined) throw new Error(`no leg ${wrong}: ${legs.map(({ id }) => id).join()}`)
  const chosen = legs.filter(({ id }) => names.includes(id))
  return { chosen, rounds: Number(values.rounds), seconds: Number(values.seconds) }
}

/** Interleaved; a leg that fails does not stop the others. */
async function runAll(chosen: readonly Leg[], rounds: number, bench: Bench): Promise<Findings> {
  const findings: Findings = { rounds: {}, failed: 0 }
  for (let round = 1; round <= rounds; round++) {
    for (const leg of chosen) {
      try {
        const figures = await leg.run(bench)
        const found = findings.rounds[leg.id] ?? []
        findings.rounds[leg.id] = [...found, figures]
        console.error(`round ${round}, ${leg.id}: ${Math.round(figures.rate)}/s`)
      } catch (error) {
        findings.failed++
        console.error(`round ${round}, ${leg.id}: FAILED: ${(error as Error).message}`)
      }
    }
  }
  return findings
}

const { chosen, rounds, seconds } = plan()
const folder = await mkdtemp(join(tmpdir(), 'porthouse-durable-'))
try {
  const generator = await buildGenerator()
  await using database = await openDatabase(folder)
  const history = { case: 'history' as const, value: { keep: Keep.DURABLE } }
  for (let n = 0; n < ROOMS; n++) await makeRoom(database.store, `w6-${n}`, history)
  const { id: roomId } = await makeRoom(database.store, 'bare', history)
  const bench = { folder, generator, database, roomId, seconds }
  const findings = await runAll(chosen, rounds, bench)
  const judgements = judge(
    chosen.map(({ id }) => id),
    findings.rounds,
  )
  console.log(table(chosen, findings.rounds))
  console.log(goalLines(judgements))
  await mkdir(join(root, 'bench/out'), { recursive: true })
  const record = { at: new Date(), seconds, ...findings, judgements }
  await writeFile(join(root, 'bench/out/durable.json'), `${JSON.stringify(record, null, 2)}\n`)
  if (findings.failed > 0) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 })
}
