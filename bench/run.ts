/**
 * The bench: porthouse and its peers side by side, interleaved. See docs/benchmarks.md.
 *
 *   node bench/run.ts [--workloads w1-100,w3,codec] [--peers porthouse,ws] [--rounds N]
 *
 * Exits with 1 where a leg failed: a message lost, doubled, changed or out of order, a server or
 * the generator that did not run to its end. Goals that are missed are told, and are no failure.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judge } from './goals.ts'
import { type Measurement, runLeg } from './leg.ts'
import { peers } from './peers.ts'
import { GENERATOR_CPU, pinned, runProgram } from './process.ts'
import { codecTable, goalTable, table } from './report.ts'
import { makeRooms } from './rooms.ts'
import { type Summary, summarize } from './statistics.ts'
import { buildGenerator, root } from './tools.ts'
import { workloads } from './workloads.ts'

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

/** Measurements by workload and peer. */
type Results = Record<string, Record<string, Measurement[]>>

/** Interleaved: every peer in turn, workload after workload, round after round. */
async function runRounds(
  plan: Plan,
  folder: string,
): Promise<{ results: Results; failed: number }> {
  const generator = await buildGenerator()
  const legs = workloads.filter(({ id }) => plan.workloads.includes(id))
  const results: Results = {}
  let failed = 0
  for (let round = 1; round <= plan.rounds; round++) {
    for (const workload of legs) {
      for (const peer of plan.peers) {
        const name = `round ${round} of ${plan.rounds}, ${workload.id}, ${peer}`
        try {
          const measurement = await runLeg(generator, workload, peer, folder, seconds)
          results[workload.id] ??= {}
          results[workload.id]![peer] ??= []
          results[workload.id]![peer]!.push(measurement)
          console.error(`${name}: ${measurement.cpu.toFixed(3)} us`)
        } catch (error) {
          failed++
          console.error(`${name}: FAILED: ${(error as Error).message}`)
        }
      }
    }
  }
  return { results, failed }
}

async function runCodec(): Promise<Record<string, Summary>> {
  const args = [join(import.meta.dirname, 'codec.ts')]
  const command = { file: process.execPath, args, cpu: GENERATOR_CPU }
  return JSON.parse(await runProgram(command, CODEC_LIMIT_MS)) as Record<string, Summary>
}

async function measureAll(plan: Plan) {
  const folder = await mkdtemp(join(tmpdir(), 'porthouse-bench-'))
  try {
    await using _ = plan.peers.includes('porthouse') ? await makeRooms(folder) : undefined
    return await runRounds(plan, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc: it runs on Linux alone')
  const chosenPlan = plan()
  if (!pinned) console.error('one core: server and generator share it, so ratios mean less')
  const { results, failed } = await measureAll(chosenPlan)
  const codec = chosenPlan.workloads.includes(CODEC) ? await runCodec() : undefined

  for (const workload of workloads) {
    const rounds = results[workload.id]
    if (rounds) console.log(`${table(workload, rounds)}\n`)
  }
  if (codec) console.log(`${codecTable(codec)}\n`)
  const verdicts = judge((workload, peer) => {
    if (workload === CODEC) return codec?.[peer]?.median
    const rounds = results[workload]?.[peer]
    return rounds && summarize(rounds.map(({ cpu }) => cpu)).median
  })
  if (verdicts.length > 0) console.log(`${goalTable(verdicts)}\n`)

  const out = join(root, 'bench/out')
  await mkdir(out, { recursive: true })
  const record = {
    at: new Date(),
    quick,
    seconds,
    pinned,
    plan: chosenPlan,
    results,
    codec,
    verdicts,
    failed,
  }
  await writeFile(join(out, 'latest.json'), `${JSON.stringify(record, null, 2)}\n`)
  if (failed > 0) console.log(`${failed} legs failed`)
  const met = verdicts.filter(({ met }) => met).length
  // No floor is measured here yet, so no miss can be shown to be a wall.
  console.log(`goals met: ${met} of ${verdicts.length} (0 walls)`)
  process.exitCode = failed > 0 ? 1 : 0
}

await main().catch((error: Error) => {
  console.error(
    `bench: ${error.message}${error.cause ? `\n${(error.cause as Error).message}` : ''}`,
  )
  process.exitCode = 1
})
