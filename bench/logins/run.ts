/**
 * What a login costs the gateway, by each method, against a bare WebSocket upgrade of `ws`: server
 * CPU a login, interleaved. The goal: by token no more than 1.5 upgrades.
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
import { GENERATOR_CPU, runProgram, type Server } from '../process.ts'
import { summarize } from '../statistics.ts'
import { METHODS, newSshKey, type Secrets, sshPublicKey } from './methods.ts'

const seconds = process.env.QUICK === '1' ? 2 : 4
const ACCOUNT = 'bench'
const LIMIT_MS = 60_000
const KINDS = ['upgrade', ...METHODS] as const

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } })

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

interface Measured {
  /** Microseconds of server CPU a login. */
  readonly cpu: number
  /** Logins a second. */
  readonly rate: number
}

async function measure(kind: string, server: Server, secretsFile: string): Promise<Measured> {
  const generator = join(import.meta.dirname, 'generator.ts')
  const script = 'exec "$0" "$1" "$2" "$3" "$4" "$5" < "$6"'
  const args = [generator, kind, String(server.port), String(server.pid), String(seconds)]
  const command = ['-c', script, process.execPath, ...args, secretsFile]
  const output = await runProgram({ file: 'sh', args: command, cpu: GENERATOR_CPU }, LIMIT_MS)
  return JSON.parse(output) as Measured
}

const folder = await mkdtemp(join(tmpdir(), 'porthouse-logins-'))
try {
  const secretsFile = join(folder, 'secrets.json')
  await writeFile(secretsFile, JSON.stringify(await makeSecrets(folder)), { mode: 0o600 })
  const found = new Map<string, Measured[]>(KINDS.map((kind) => [kind, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const kind of KINDS) {
      const server = await (kind === 'upgrade' ? peers.ws : peers.porthouse)!(folder)
      try {
        found.get(kind)!.push(await measure(kind, server, secretsFile))
      } finally {
        await server.stop()
      }
    }
  }
  const median = (kind: string, key: keyof Measured) =>
    summarize(found.get(kind)!.map((each) => each[key])).median
  const upgrade = median('upgrade', 'cpu')
  for (const kind of KINDS) {
    const cpu = median(kind, 'cpu')
    const rate = Math.round(median(kind, 'rate'))
    const name = kind === 'upgrade' ? 'bare ws upgrade' : `login by ${kind}`
    console.log(
      `${name.padEnd(18)} ${cpu.toFixed(0).padStart(6)} us  ${String(rate).padStart(6)}/s  ` +
        `${(cpu / upgrade).toFixed(2)}x`,
    )
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 })
}
