/**
 * Calls each target in turn for a moment, over and over, and prints what that cost the servers as
 * JSON: so short a time apart that what else the machine does weighs on all of them alike.
 *
 *   node bench/admin/generator.ts TASK.json
 */
import { readFileSync } from 'node:fs'
import { type Call, Caller } from './caller.ts'
import { cpuOf } from './cpu.ts'

export interface Target extends Call {
  /** Of the server. */
  readonly pid: number
}

export interface Task {
  readonly targets: readonly Target[]
  readonly rounds: number
  /** Of one target in one round. */
  readonly legMs: number
}

export interface Leg {
  /** Microseconds of server CPU a call: user and kernel, all threads. */
  readonly cpu: number
  /** Calls a second. */
  readonly rate: number
}

const CONCURRENCY = 16
/** Of each target, so that its code is compiled when it is measured. */
const WARMUP_MS = 3_000

async function leg(target: Target, ms: number): Promise<Leg> {
  const { pid } = target
  const callers = Array.from({ length: CONCURRENCY }, () => new Caller(target))
  // What a connection costs is not a call's.
  await Promise.all(callers.map((caller) => caller.call()))
  const before = cpuOf(pid)
  const start = performance.now()
  let calls = 0
  const goOn = async (caller: Caller) => {
    while (performance.now() - start < ms) {
      await caller.call()
      calls++
    }
  }
  await Promise.all(callers.map(goOn))
  const took = performance.now() - start
  for (const caller of callers) caller.close()
  return { cpu: (cpuOf(pid) - before) / calls, rate: (calls / took) * 1000 }
}

const { targets, rounds, legMs }: Task = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
const runs = targets.map((target) => {
  return { legs: [] as Leg[], run: (ms: number) => leg(target, ms) }
})
for (const { run } of runs) await run(WARMUP_MS)
for (let round = 0; round < rounds; round++) {
  for (const { run, legs } of runs) legs.push(await run(legMs))
}
console.log(JSON.stringify(runs.map(({ legs }) => legs)))
