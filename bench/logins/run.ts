/**
 * What a login costs the gateway, by each method, against a bare WebSocket upgrade of `ws`: server
 * CPU a login, in short legs that take turns. The goal: by token no more than 1.5 upgrades.
 *
 *   node bench/logins/run.ts [--rounds N]
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import { newToken } from '../../gateway/identity/tokens.ts'
import { openLog } from '../../gateway/observe/log.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import { peers } from '../peers.ts'
import {
  FREE_PORTS,
  GENERATOR_CPU,
  runProgram,
  SERVER_CPU,
  type Server,
  startServer,
} from '../process.ts'
import { summarize } from '../statistics.ts'
import { root } from '../tools.ts'
import type { Leg, Task } from './generator.ts'
import { type Method, newSshKey, type Secrets, sshPublicKey } from './methods.ts'

const ACCOUNT = 'bench'
const LEG_MS = 300
const LIMIT_MS = 300_000

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } })

/** Fills the store of a gateway in this folder. */
async function makeSecrets(folder: string): Promise<Secrets> {
  const { log } = openLog('silent')
  const store = await openStore({ dataDir: join(folder, 'data'), log, embedded: {} })
  try {
    await store.accounts.create({ slug: ACCOUNT })
    const token = newToken(randomUUID(), randomBytes(32))
    await store.tokens.create({ ...token, account: ACCOUNT, grants: [] })
    const id = randomUUID()
    const key = newConnectionKey(id, randomBytes(32), randomBytes(16))
    const credential = { account: ACCOUNT, label: ACCOUNT }
    await store.credentials.add({ id, kind: 'connection-key', ...credential, data: key.data })
    await store.clients.create({ account: ACCOUNT, slug: 'device', grants: [] })
    const sshKey = newSshKey()
    const { data } = readPublicKeyLine(sshPublicKey(sshKey))
    const device = { id: randomUUID(), kind: 'ssh-key' as const, client: 'device', ...credential }
    await store.credentials.add({ ...device, data })
    const client = `client:${ACCOUNT}/device`
    return { token: token.secret, key: key.secret, sshKey, client }
  } finally {
    await store.close()
  }
}

/** `forgetful`: it keeps no record for the next login, as where each token comes but once. */
function startGateway(folder: string, forgetful: boolean): Promise<Server> {
  const args = ['run', ...FREE_PORTS, '--data', join(folder, 'data')]
  const env = forgetful ? { PORTHOUSE_LOGINS_RECORDS: '0' } : {}
  const command = { file: join(root, 'bin/porthouse'), args, env, cpu: SERVER_CPU }
  return startServer(command, /ws:\/\/127\.0\.0\.1:(\d+)/)
}

async function measure(folder: string, task: Task): Promise<Leg[][]> {
  const file = join(folder, 'task.json')
  await writeFile(file, JSON.stringify(task), { mode: 0o600 })
  const args = [join(import.meta.dirname, 'generator.ts'), file]
  const command = { file: process.execPath, args, cpu: GENERATOR_CPU }
  return JSON.parse(await runProgram(command, LIMIT_MS)) as Leg[][]
}

function print(names: readonly string[], found: readonly Leg[][]): void {
  const upgrades = found[0]!.map(({ cpu }) => cpu)
  for (const [i, name] of names.entries()) {
    const cpu = summarize(found[i]!.map((leg) => leg.cpu)).median
    const rate = Math.round(summarize(found[i]!.map((leg) => leg.rate)).median)
    // Of legs of the same round, which the same machine ran in the same moment.
    const { median } = summarize(found[i]!.map((leg, round) => leg.cpu / upgrades[round]!))
    const figures = `${cpu.toFixed(0).padStart(6)} us  ${String(rate).padStart(6)}/s`
    console.log(`${name.padEnd(31)} ${figures}  ${median.toFixed(2)}x`)
  }
}

const folder = await mkdtemp(join(tmpdir(), 'porthouse-logins-'))
const servers: Server[] = []
try {
  const secrets = await makeSecrets(folder)
  const bare = await peers.ws!(folder)
  servers.push(bare)
  const gateway = await startGateway(folder, false)
  servers.push(gateway)
  const forgetful = await startGateway(folder, true)
  servers.push(forgetful)
  const lines: [name: string, method: Method, server: Server][] = [
    ['bare upgrade', 'upgrade', bare],
    ['bare upgrade and one message', 'message', bare],
    ['to porthouse, without a login', 'connect', gateway],
    ['by a token read just before', 'token', gateway],
    ['by a token', 'token', forgetful],
    ['by a key read just before', 'key', gateway],
    ['by a key', 'key', forgetful],
    ['by an SSH key', 'ssh-key', forgetful],
  ]
  const targets = lines.map(([, method, { port, pid }]) => ({ method, port, pid }))
  const task = { secrets, targets, rounds: Number(values.rounds), legMs: LEG_MS }
  const names = lines.map(([name]) => name)
  print(names, await measure(folder, task))
} finally {
  for (const server of servers) await server.stop()
  await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 })
}
