/**
 * The bench: porthouse and its peers side by side, interleaved. See docs/benchmarks.md.
 *
 *   node bench/run.ts [--workloads w1-100,mqtt-w3,codec] [--peers porthouse,ws] [--rounds N]
 *
 * Exits with 1 where a leg failed: a message lost, doubled, changed or out of order, a server or
 * the generator that did not run to its end. Goals that are missed are told, and are no failure.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { goals, judge, type Verdict } from './goals.ts'
import { type Column, kinds, type Measurement } from './kinds.ts'
import { runLeg } from './leg.ts'
import { peers } from './peers.ts'
import { GENERATOR_CPU, pinned, runProgram } from './process.ts'
import { codecTable, goalTable, table } from './report.ts'
import { makeRooms } from './rooms.ts'
import { type Summary, summarize } from './statistics.ts'
import { buildGenerator, root } from './tools.ts'
import { type Workload, workloads } from './workloads.ts'

const quick = process.env.QUICK === '1'
const seconds = quick ? 3 : 5
const CODEC = 'codec'
const CODEC_LIMIT_MS = 60_000

interface Plan {
  readonly workloads: readonly string[]
  readonly peers: readonly string[]
  readonly rounds: number
}

function plan(): Plan {
  const { values } = parseArgs({
    options: {
      workloads: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string', default: '3' },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1')
  return {
    workloads: chosen('--workloads', values.workloads, [...workloads.map(({ id }) => id), CODEC]),
    peers: chosen('--peers', values.peers, Object.keys(peers)),
    rounds,
  }
}

function chosen(flag: string, list: string | undefined, known: readonly string[]): string[] {
  const names = list?.split(',') ?? [...known]
  const wrong = names.find((name) => !known.includes(name))
  if (wrong !== undefined) throw new Error(`${flag}: no ${wrong}; there are ${known.join(', ')}`)
  return known.filter((name) => names.includes(name))
}

/** Peers that a workload is run against. */
function peersOf(plan: Plan, { peers, beside = [] }: Workload): string[] {
  return plan.peers.filter((peer) => peers.includes(peer) && !(quick && beside.includes(peer)))
}

/** What a run has found. */
interface Findings {
  /** By workload and peer. */
  readonly results: Record<string, Record<string, Measurement[]>>
  codec?: Record<string, Summary>
  /** Legs that failed. */
  failed: number
}

/** Interleaved: every peer in turn, workload after workload, round after round. */
async function runRounds(plan: Plan, folder: string, findings: Findings): Promise<void> {
  const generator = await buildGenerator()
  const legs = workloads.filter(({ id }) => plan.workloads.includes(id))
  for (let round = 1; round <= plan.rounds; round++) {
    for (const workload of legs) {
      for (const peer of peersOf(plan, workload)) {
        await attempt(`round ${round}, ${workload.id}, ${peer}`, findings, async () => {
          const measurement = await runLeg(generator, workload, peer, folder, seconds)
          findings.results[workload.id]![peer]!.push(measurement)
          return told(workload, measurement)
        })
      }
    }
  }
}

function told({ kind }: Workload, measurement: Measurement): string {
  const [{ head, figure, digits }] = kinds[kind].columns as [Column]
  return `${measurement[figure]?.toFixed(digits)} ${head}`
}

/** Tells how a leg went; one that fails does not stop the others. */
async function attempt(name: string, findings: Findings, leg: () => Promise<string>) {
  try {
    console.error(`${name}: ${await leg()}`)
  } catch (error) {
    findings.failed++
    console.error(`${name}: FAILED: ${(error as Error).message}`)
  }
}

async function measureAll(plan: Plan): Promise<Findings> {
  const byPeer = () => Object.fromEntries(plan.peers.map((peer) => [peer, []]))
  const legs = plan.workloads.filter((workload) => workload !== CODEC)
  const findings: Findings = {
    results: Object.fromEntries(legs.map((workload) => [workload, byPeer()])),
    failed: 0,
  }
  const folder = await mkdtemp(join(tmpdir(), 'porthouse-bench-'))
  try {
    await using _ = plan.peers.includes('porthouse') ? await makeRooms(folder) : undefined
    await runRounds(plan, folder, findings)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  }
  if (!plan.workloads.includes(CODEC)) return findings
  await attempt(CODEC, findings, async () => {
    const args = [join(import.meta.dirname, 'codec.ts')]
    const command = { file: process.execPath, args, cpu: GENERATOR_CPU }
    findings.codec = JSON.parse(await runProgram(command, CODEC_LIMIT_MS))
    return 'measured'
  })
  return findings
}

function judgeAll(plan: Plan, { results, codec }: Findings): Verdict[] {
  const planned = goals.filter(
    (goal) =>
      goal.workloads.every((workload) => plan.workloads.includes(workload)) &&
      (goal.workloads[0] === CODEC ||
        ['porthouse', ...goal.peers].every((peer) => plan.peers.includes(peer))),
  )
  return judge(planned, (workload, peer, figure) => {
    if (workload === CODEC) return codec?.[peer]?.median ?? Number.NaN
    const values = results[workload]?.[peer]?.map((each) => each[figure] ?? Number.NaN) ?? []
    return values.length > 0 ? summarize(values).median : Number.NaN
  })
}

function print({ results, codec, failed }: Findings, verdicts: readonly Verdict[]): void {
  for (const workload of workloads) {
    const rounds = results[workload.id]
    if (rounds && Object.values(rounds).some((found) => found.length > 0))
      console.log(`${table(workload, rounds)}\n`)
  }
  if (codec) console.log(`${codecTable(codec)}\n`)
  if (verdicts.length > 0) console.log(`${goalTable(verdicts)}\n`)
  if (failed > 0) console.log(`legs that failed: ${failed}`)
  const met = verdicts.filter(({ met }) => met).length
  // No floor is measured here yet, so no miss can be shown to be a wall.
  console.log(`goals met: ${met} of ${verdicts.length} (0 walls)`)
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc: it runs on Linux alone')
  const chosenPlan = plan()
  if (!pinned) console.error('one core: server and generator share it, so ratios mean less')
  const findings = await measureAll(chosenPlan)
  const verdicts = judgeAll(chosenPlan, findings)
  const out = join(root, 'bench/out')
  await mkdir(out, { recursive: true })
  const record = { at: new Date(), seconds, pinned, plan: chosenPlan, ...findings, verdicts }
  await writeFile(join(out, 'latest.json'), `${JSON.stringify(record, null, 2)}\n`)
  print(findings, verdicts)
  if (findings.failed > 0) process.exitCode = 1
}

await main().catch(({ message, cause }: Error) => {
  console.error(`bench: ${message}${cause ? `\n${(cause as Error).message}` : ''}`)
  process.exitCode = 1
})
