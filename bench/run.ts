/**
 * The bench: porthouse and its peers side by side, interleaved. See docs/performance.md.
 *
 *   node bench/run.ts [--workloads w1-100,mqtt-w3,codec] [--peers porthouse,ws] [--rounds N]
 *
 * Exits with 1 where a leg failed: a message lost, doubled, changed or out of order, a server or
 * the generator that did not run to its end. Goals that are missed are told, and are no failure.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from './database.ts'
import { judge } from './judge.ts'
import { type Column, kinds, type Measurement } from './kinds.ts'
import { type Bench, runLeg } from './leg.ts'
import { machine, versions } from './machine.ts'
import { page } from './page.ts'
import { type Leg, type Plan, readPlan } from './plan.ts'
import { pinned } from './process.ts'
import { type Measured, medianIn, type Run } from './record.ts'
import { tables } from './report.ts'
import { makeRooms } from './rooms.ts'
import { buildGenerator, root } from './tools.ts'
import type { Workload } from './workloads.ts'

interface Findings {
  readonly workloads: readonly Measured[]
  readonly failed: readonly string[]
}

/** Runs all legs; one that fails is told, and does not stop the others. */
async function runLegs({ legs }: Plan, bench: Bench): Promise<Findings> {
  const found: { leg: Leg; measurement: Measurement }[] = []
  const failed: string[] = []
  for (const leg of legs) {
    const name = `round ${leg.round}, ${leg.workload.id}, ${leg.peer}`
    const began = performance.now()
    try {
      const measurement = await runLeg(bench, leg.workload, leg.peer)
      found.push({ leg, measurement })
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      console.error(`${name}: ${told(leg.workload, measurement)} (${seconds} s)`)
    } catch (error) {
      failed.push(`${name}: ${(error as Error).message}`)
      console.error(`${name}: FAILED: ${(error as Error).message}`)
    }
  }
  return { workloads: gathered(found), failed }
}

/** By workload and peer, in the order of the first round. */
function gathered(found: readonly { leg: Leg; measurement: Measurement }[]): Measured[] {
  const byId = Object.groupBy(found, ({ leg }) => leg.workload.id)
  return Object.values(byId).map((legs) => {
    const { id, title, kind } = legs![0]!.leg.workload
    const byPeer = Object.entries(Object.groupBy(legs!, ({ leg }) => leg.peer))
    const peers = byPeer.map(([peer, of]) => [peer, of!.map(({ measurement }) => measurement)])
    return { id, title, kind, peers: Object.fromEntries(peers) }
  })
}

function told({ kind }: Workload, measurement: Measurement): string {
  const [{ head, figure, digits }] = kinds[kind].columns as [Column]
  return `${measurement[figure]?.toFixed(digits)} ${head}`
}

async function measureAll(plan: Plan): Promise<Run> {
  const began = performance.now()
  const { quick, seconds, rounds } = plan
  const generator = await buildGenerator()
  const folder = await mkdtemp(join(tmpdir(), 'porthouse-bench-'))
  try {
    await using database = await openDatabase(folder)
    const bareRoom = await makeRooms(database.store)
    const about = { machine: machine(), versions: await versions(database.version) }
    const bench = { folder, generator, database, bareRoom, seconds }
    const found = await runLegs(plan, bench)
    const verdicts = plan.goals.map((goal) => judge(goal, medianIn(found.workloads)))
    const minutes = (performance.now() - began) / 60_000
    const at = new Date().toISOString()
    return { at, minutes, quick, seconds, rounds, ...about, ...found, verdicts }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 })
  }
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc: it runs on Linux alone')
  const plan = readPlan(process.env.QUICK === '1', process.argv.slice(2))
  if (!pinned) console.error('one core: server and generator share it, so ratios mean less')
  const run = await measureAll(plan)
  const out = join(root, 'bench/out')
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'latest.json'), `${JSON.stringify(run, null, 2)}\n`)
  await writeFile(join(out, 'report.html'), page(run))
  console.log(tables(run))
  if (run.failed.length > 0) process.exitCode = 1
}

await main().catch(({ message, cause }: Error) => {
  console.error(`bench: ${message}${cause ? `\n${(cause as Error).message}` : ''}`)
  process.exitCode = 1
})
