/**
 * What a call of the admin API costs the gateway, against a bare service of connect-node with the
 * same methods: server CPU a call, in short legs that take turns. The goal: at least 0.7 of the
 * calls that the bare one answers in the same CPU.
 *
 *   node bench/admin/run.ts [--rounds N]
 *
 * Exits with 1 where a call failed. A goal that is missed is told, and is no failure.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '../database.ts'
import { startPorthouse } from '../peers.ts'
import { GENERATOR_CPU, runProgram, SERVER_CPU, type Server, startServer } from '../process.ts'
import { makeRooms } from '../rooms.ts'
import { summarize } from '../statistics.ts'
import { type Call, Caller } from './caller.ts'
import type { Leg, Task } from './generator.ts'

const LEG_MS = 300
const LIMIT_MS = 600_000
const GOAL = 0.7

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } })

const SERVICES = 'porthouse.admin.v1'
const CALLS = [
  { name: 'GetServer', method: `${SERVICES}.ServerService/GetServer`, body: '{}' },
  { name: 'GetStats', method: `${SERVICES}.StatsService/GetStats`, body: '{"name":"-"}' },
  {
    name: 'GetAccount (asks the store)',
    method: `${SERVICES}.AccountService/GetAccount`,
    body: '{"name":"accounts/bench"}',
  },
]

/** `told`: what porthouse answers to each call. */
async function startBare(folder: string, told: readonly string[]): Promise<Server> {
  const answers = join(folder, 'answers.json')
  await writeFile(answers, JSON.stringify(told))
  const args = [join(import.meta.dirname, 'bare.ts'), join(folder, 'data'), answers]
  return startServer({ file: process.execPath, args, cpu: SERVER_CPU }, /"port":(\d+)/)
}

async function answerOf(call: Call): Promise<string> {
  const caller = new Caller(call)
  try {
    return await caller.call()
  } finally {
    caller.close()
  }
}

async function measure(folder: string, task: Task): Promise<Leg[][]> {
  const file = join(folder, 'task.json')
  await writeFile(file, JSON.stringify(task), { mode: 0o600 })
  const args = [join(import.meta.dirname, 'generator.ts'), file]
  const command = { file: process.execPath, args, cpu: GENERATOR_CPU }
  return JSON.parse(await runProgram(command, LIMIT_MS)) as Leg[][]
}

/** `found`: of each call the legs of the bare service, then those of porthouse. */
function print(found: readonly Leg[][]): void {
  for (const [i, { name }] of CALLS.entries()) {
    const [bare, own] = [found[2 * i]!, found[2 * i + 1]!]
    const cpu = (legs: readonly Leg[]) => summarize(legs.map((leg) => leg.cpu)).median.toFixed(0)
    // Of legs of the same round, which the same machine ran in the same moment.
    const { median } = summarize(bare.map((leg, round) => leg.cpu / own[round]!.cpu))
    const figures = `bare ${cpu(bare)} us, porthouse ${cpu(own)} us a call`
    const verdict = median >= GOAL ? 'met' : 'missed'
    console.log(
      `${name.padEnd(28)} ${figures}: ${median.toFixed(2)}x (at least ${GOAL}: ${verdict})`,
    )
  }
}

async function measureAll(folder: string): Promise<void> {
  const servers: Server[] = []
  try {
    const gateway = await startPorthouse(folder)
    servers.push(gateway)
    const key = (await readFile(join(folder, 'data/operator.key'), 'utf8')).trim()
    const own = CALLS.map(({ method, body }) => ({ ...gateway, method, body, key }))
    const bare = await startBare(folder, await Promise.all(own.map(answerOf)))
    servers.push(bare)
    const targets = own.flatMap((call) => [{ ...call, ...bare, key: undefined }, call])
    print(await measure(folder, { targets, rounds: Number(values.rounds), legMs: LEG_MS }))
  } finally {
    for (const server of servers) await server.stop()
  }
}

const folder = await mkdtemp(join(tmpdir(), 'porthouse-admin-'))
try {
  await using database = await openDatabase(folder)
  await makeRooms(database.store)
  await measureAll(folder)
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 })
}
