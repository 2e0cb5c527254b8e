/**
 * A thousand clients who come back at once, each with a thousand messages unread, while another
 * room is live: how late its messages are meanwhile, and when all have caught up.
 *
 *   node bench/durable/catch-up.ts [--clients N] [--unread N] [--rooms 1,20] [--rounds N]
 *
 * Exits with 1 where a client missed a message, or had one twice.
 */
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { newToken } from '../../gateway/identity/tokens.ts'
import type { NewMessage } from '../../gateway/store/history.ts'
import { type BenchDatabase, openDatabase } from '../database.ts'
import {
  FREE_PORTS,
  GENERATOR_CPU,
  runProgram,
  SERVER_CPU,
  type Server,
  startServer,
} from '../process.ts'
import { columns } from '../report.ts'
import { ACCOUNT, history, makeRoom } from '../rooms.ts'
import { summarize } from '../statistics.ts'
import { buildGenerator, root } from '../tools.ts'

const READ_ALREADY = 500
const BATCH = 500
const LIVE = { members: 100, rate: 300 }
const BEFORE_MS = 5_000
/** Those who come back give way to whoever measures, whose core they share. */
const NICE = 19
const LIMIT_MS = 180_000

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    unread: { type: 'string', default: '1000' },
    rooms: { type: 'string', default: '1,20' },
    rounds: { type: 'string', default: '3' },
  },
})
const clients = Number(values.clients)
const unread = Number(values.unread)
const spreads = values.rooms.split(',').map(Number)

/** What one round has shown, in milliseconds. */
interface Round {
  readonly before: Lap
  readonly during: Lap
  readonly crowd: { readonly seconds: number; readonly messages: number; readonly p50: number }
}

interface Lap {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Rooms with what is to be read, and who shall read it. Returns their tokens. */
async function furnish({ store }: BenchDatabase): Promise<string[]> {
  await store.accounts.create({ slug: ACCOUNT })
  await makeRoom(store, 'w1')
  const tokens = Array.from({ length: clients }, () => newToken(randomUUID(), randomBytes(32)))
  for (const token of tokens) await store.tokens.create({ ...token, account: ACCOUNT, grants: [] })
  for (let n = 0; n < Math.max(...spreads); n++) {
    const { id: roomId } = await makeRoom(store, `away-${n}`, history)
    const { generation } = await store.histories.claim(roomId)
    for (let last = 0; last < READ_ALREADY + unread; last += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, i) => message(last + i + 1))
      await store.histories.append([{ roomId, generation, messages }])
    }
    const moves = tokens.map(({ id }) => ({ roomId, holder: id, sequence: READ_ALREADY }))
    await store.cursors.move(moves)
  }
  return tokens.map(({ secret }) => secret)
}

/** Of 128 bytes. */
function message(sequence: number): NewMessage {
  const payload = Buffer.from(String(sequence).padStart(128, '.'))
  const body = Buffer.concat([Buffer.from([0x1a, 0x80, 0x01]), payload])
  const from = 'socket:abcdefghijklmnop'
  return { sequence, id: randomBytes(16), timeMs: Date.now(), from, channel: '', body }
}

/** Somebody who measures a live room from now on, lap after lap. */
function measureLive(generator: string, { port, pid }: Server) {
  const args = ['-workload=fanout', '-peer=porthouse', '-size=128', '-laps']
  const room = [`-members=${LIVE.members}`, `-rate=${LIVE.rate}`]
  const server = [`-port=${port}`, `-pid=${pid}`]
  const command = ['-c', String(GENERATOR_CPU), generator, ...args, ...room, ...server]
  const child = spawn('taskset', command, { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    /** Ends a lap. */
    async lap(): Promise<Lap> {
      child.stdin.write('.')
      const { value, done } = await lines.next()
      if (done) throw new Error('who measures the live room has ended')
      return JSON.parse(value)
    },
    async stop() {
      child.stdin.end()
      await closed
    },
  }
}

async function measure(generator: string, folder: string, rooms: number): Promise<Round> {
  const args = ['run', ...FREE_PORTS, '--data', join(folder, 'data'), '--log', 'warn']
  const gateway = { file: join(root, 'bin/porthouse'), args, cpu: SERVER_CPU }
  const server = await startServer(gateway, /ws:\/\/127\.0\.0\.1:(\d+)/)
  const live = measureLive(generator, server)
  try {
    // Its members come in, and its code is compiled.
    await delay(BEFORE_MS)
    await live.lap()
    await delay(BEFORE_MS)
    const before = await live.lap()
    const crowd = ['-workload=return', `-members=${clients}`, `-rooms=${rooms}`, '-peer=porthouse']
    const further = [`-tokens=${join(folder, 'tokens')}`, `-port=${server.port}`]
    const nice = ['-n', String(NICE), generator, ...crowd, ...further]
    const command = { file: 'nice', args: nice, cpu: GENERATOR_CPU }
    const came = JSON.parse(await runProgram(command, LIMIT_MS))
    const during = await live.lap()
    if (came.messages !== clients * unread) throw new Error(`${came.messages} messages came`)
    return { before, during, crowd: came }
  } finally {
    await live.stop()
    await server.stop()
  }
}

function line(rooms: number, rounds: readonly Round[]): string[] {
  const median = (of: (round: Round) => number) => summarize(rounds.map(of)).median
  const fixed = (of: (round: Round) => number, digits = 2) => median(of).toFixed(digits)
  return [
    rooms === 1 ? 'one room' : `${rooms} rooms`,
    `${fixed(({ crowd }) => crowd.seconds)} s`,
    `${fixed(({ crowd }) => crowd.p50 / 1000)} s`,
    fixed(({ before }) => before.p99),
    fixed(({ during }) => during.p99),
    `${fixed(({ before, during }) => during.p99 / before.p99)}x`,
    fixed(({ before }) => before.max, 0),
    fixed(({ during }) => during.max, 0),
  ]
}

const folder = await mkdtemp(join(tmpdir(), 'porthouse-catch-up-'))
try {
  const generator = await buildGenerator()
  await using database = await openDatabase(folder)
  await writeFile(join(folder, 'tokens'), (await furnish(database)).join('\n'), { mode: 0o600 })
  await database.pin(GENERATOR_CPU)
  const found = spreads.map((rooms) => ({ rooms, rounds: [] as Round[] }))
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const { rooms, rounds } of found) {
      const figures = await measure(generator, folder, rooms)
      rounds.push(figures)
      console.error(`round ${round}, ${rooms} rooms: ${JSON.stringify(figures)}`)
    }
  }
  const head = ['', 'all', 'half', 'p99 ms before', 'meanwhile', '', 'max before', 'meanwhile']
  const lines = found.map(({ rooms, rounds }) => line(rooms, rounds))
  console.log(`${clients} clients come back, ${unread} messages unread each`)
  console.log(columns([head, ...lines]).join('\n'))
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 })
}
