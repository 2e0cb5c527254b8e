/**
 * Whether WatchSockets over 5,000 sockets, of which 2,000 a second go in or out of a room, makes
 * others wait: p99 of a message's way with and without a watch, in legs that take turns. The goal:
 * at most a tenth more.
 *
 *   node bench/admin/watch.ts [--rounds N]
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '../database.ts'
import { startPorthouse } from '../peers.ts'
import { GENERATOR_CPU, runProgram } from '../process.ts'
import { makeRooms, roomNames } from '../rooms.ts'
import { summarize } from '../statistics.ts'
import type { Task, Times } from './churn.ts'

const SOCKETS = 5_000
const LEG_MS = 2_000
const LIMIT_MS = 900_000
const GOAL = 1.1

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } })

async function measure(folder: string): Promise<Times> {
  const gateway = await startPorthouse(folder)
  try {
    const key = (await readFile(join(folder, 'data/operator.key'), 'utf8')).trim()
    const [crowded, quiet] = roomNames.map((room) => `bench/${room}`) as [string, string]
    const { port, pid } = gateway
    const rounds = Number(values.rounds)
    const rooms = [crowded, quiet] as const
    const task: Task = { port, pid, key, sockets: SOCKETS, rooms, rounds, legMs: LEG_MS }
    const file = join(folder, 'task.json')
    await writeFile(file, JSON.stringify(task), { mode: 0o600 })
    const args = [join(import.meta.dirname, 'churn.ts'), file]
    const command = { file: process.execPath, args, cpu: GENERATOR_CPU }
    return JSON.parse(await runProgram(command, LIMIT_MS)) as Times
  } finally {
    await gateway.stop()
  }
}

function at(part: number, times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? Number.NaN
}

/** Medians of legs: what else the machine does spoils some of them. */
function print({ alone, watched, cpuAlone, cpuWatched, told }: Times): void {
  for (const [name, part] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    const [without, by] = [alone, watched].map((legs) =>
      summarize(legs.map((times) => at(part, times))),
    )
    const { median } = summarize(alone.map((leg, i) => at(part, watched[i]!) / at(part, leg)))
    const verdict = median <= GOAL ? 'met' : 'missed'
    const judged = part === 0.99 ? ` (at most ${GOAL}: ${verdict})` : ''
    const figures = `${without!.median.toFixed(2)} ms alone, ${by!.median.toFixed(2)} ms watched`
    console.log(`${name}: ${figures}: ${median.toFixed(2)}x${judged}`)
  }
  const [idle, busy] = [cpuAlone, cpuWatched].map((legs) => summarize(legs).median * 100)
  console.log(`server: ${idle!.toFixed(0)} % of a core alone, ${busy!.toFixed(0)} % watched`)
  console.log(`${(told / 1024 ** 2).toFixed(1)} MiB told to who watched`)
}

const folder = await mkdtemp(join(tmpdir(), 'porthouse-watch-'))
try {
  await using database = await openDatabase(folder)
  await makeRooms(database.store)
  print(await measure(folder))
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 })
}
