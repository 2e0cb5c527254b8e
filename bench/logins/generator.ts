/**
 * Logs in over and over, by each method in turn for a moment, and prints what that cost the servers
 * as JSON: so short a time apart that what else the machine does weighs on all of them alike. Each
 * login is a connection of its own, dropped after its verdict.
 *
 *   node bench/logins/generator.ts TASK.json
 */
import { readdirSync, readFileSync } from 'node:fs'
import { isBare, type Login, loginBy, type Method, type Secrets } from './methods.ts'
import { LoginSocket } from './socket.ts'

export interface Target {
  readonly method: Method
  readonly port: number
  /** Of the server. */
  readonly pid: number
}

export interface Task {
  readonly secrets: Secrets
  readonly targets: readonly Target[]
  readonly rounds: number
  /** Of one method in one round. */
  readonly legMs: number
}

export interface Leg {
  /** Microseconds of server CPU a login: user and kernel, all threads. */
  readonly cpu: number
  /** Logins a second. */
  readonly rate: number
}

const CONCURRENCY = 16
/** Of each method, so that its code is compiled when it is measured. */
const WARMUP_MS = 3_000
/** What is under way when a leg begins has to be over. */
const SETTLE_MS = 20

/** In microseconds so far. */
function cpuOf(pid: number): number {
  const tasks = `/proc/${pid}/task`
  const spent = readdirSync(tasks).map((thread) => {
    return Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000
  })
  return spent.reduce((sum, each) => sum + each, 0)
}

async function leg({ port, pid, method }: Target, login: Login, ms: number): Promise<Leg> {
  const [path, subprotocol] = isBare(method) ? ['/?acknowledge'] : ['/v1/ws', 'porthouse.v1']
  const gateway = `http://127.0.0.1:${port}`
  const before = cpuOf(pid)
  const start = performance.now()
  let logins = 0
  const client = async () => {
    while (performance.now() - start < ms) {
      const socket = await LoginSocket.open(port, path, subprotocol)
      await login(socket, gateway)
      socket.drop()
      logins++
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, client))
  const took = performance.now() - start
  // The servers still have to see the last connections end.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  return { cpu: (cpuOf(pid) - before) / logins, rate: (logins / took) * 1000 }
}

const { secrets, targets, rounds, legMs }: Task = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
const runs = targets.map((target) => {
  const login = loginBy(target.method, secrets)
  return { legs: [] as Leg[], run: (ms: number) => leg(target, login, ms) }
})
for (const { run } of runs) await run(WARMUP_MS)
for (let round = 0; round < rounds; round++) {
  for (const { run, legs } of runs) legs.push(await run(legMs))
}
console.log(JSON.stringify(runs.map(({ legs }) => legs)))
