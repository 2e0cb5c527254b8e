/** One leg: one workload against one peer, freshly started. */
import { join } from 'node:path'
import type { BenchDatabase } from './database.ts'
import type { Form, Inserts } from './durable/insert.ts'
import { kinds, type Measurement, type Result } from './kinds.ts'
import { onNode, peers } from './peers.ts'
import { GENERATOR_CPU, runProgram, SERVER_CPU, type Server } from './process.ts'
import { login } from './rooms.ts'
import type { Workload } from './workloads.ts'

const COLLECT = join(import.meta.dirname, 'peers/collect.ts')
const WARMUP_SECONDS = 1
/** For connecting, settling and stopping; the generator has bounds of its own within it. */
const SPARE_SECONDS = 60

/** What all legs share. */
export interface Bench {
  /** A temporary one. */
  readonly folder: string
  /** Path of the program. */
  readonly generator: string
  readonly database: BenchDatabase
  /** Of a durable room that bare inserts go to. */
  readonly bareRoom: string
  /** Measured, after a second of warming up. */
  readonly seconds: number
}

/** Rejects where a message was lost, doubled, changed, refused or out of order. */
export async function runLeg(b: Bench, workload: Workload, peer: string): Promise<Measurement> {
  if (workload.kind === 'durable') await b.database.empty()
  const program = await programOf(b, workload, peer)
  const line = program ? await run(b, process.execPath, program) : await drive(b, workload, peer)
  return kinds[workload.kind].read(line)
}

/** The arguments of a peer that is no server, but a program that measures itself. */
async function programOf(
  { database, bareRoom, seconds }: Bench,
  { kind }: Workload,
  peer: string,
): Promise<string[] | undefined> {
  if (kind === 'codec') return [join(import.meta.dirname, 'codec.ts'), peer]
  const [, form, batch] = /^(append|unnest)-(\d+)$/.exec(peer) ?? []
  if (form === undefined) return undefined
  await database.pin(SERVER_CPU)
  const of = { dataDir: database.dataDir, database: database.pid, room: bareRoom }
  const task: Inserts = { ...of, form: form as Form, batch: Number(batch), seconds }
  return [join(import.meta.dirname, 'durable/insert.ts'), JSON.stringify(task)]
}

function run({ seconds }: Bench, file: string, args: readonly string[]): Promise<string> {
  const limitMs = (WARMUP_SECONDS + seconds + SPARE_SECONDS) * 1000
  return runProgram({ file, args, cpu: GENERATOR_CPU }, limitMs)
}

/** Starts the server and runs the generator against it. */
async function drive(b: Bench, workload: Workload, peer: string): Promise<string> {
  // What the gateway writes to disk is written beside the generator.
  await b.database.pin(GENERATOR_CPU)
  const collects = workload.kind === 'idle' && onNode.includes(peer)
  const env: Record<string, string> = collects ? { NODE_OPTIONS: `--import=${COLLECT}` } : {}
  const server = await peers[peer]!(b.folder, env)
  let stored: number | undefined
  let line: string
  try {
    line = await run(b, b.generator, [
      ...workload.generator,
      ...spokenWith(server, peer, workload),
      ...ofDurable(b, workload, peer),
      `-pid=${server.pid}`,
      `-collect=${collects}`,
      `-warmup=${WARMUP_SECONDS}s`,
      `-span=${b.seconds}s`,
    ])
    stored = await server.stored?.()
  } finally {
    await server.stop()
  }
  // Porthouse has ended, so what was accepted is stored.
  if (workload.kind === 'durable') mustAgree(line, stored ?? (await b.database.stored()))
  return line
}

/** Codecs of the generator, for peers that are not their namesakes. */
const codecs: Readonly<Record<string, string>> = {
  floor: 'ws',
  jetstream: 'nats',
  'jetstream-sync': 'nats',
}

/** Whoever speaks MQTT does so on its last port. */
function spokenWith({ port, ports }: Server, peer: string, { protocol }: Workload): string[] {
  const [codec, last] = [codecs[peer] ?? peer, ports.at(-1)]
  if (protocol === 'websocket') return [`-peer=${codec}`, `-port=${port}`]
  const access = [`-user=${login.user}`, `-password=${login.password}`]
  if (protocol === 'mqtt') return ['-peer=mqtt', `-port=${last}`, ...access]
  return [`-peer=${codec}`, `-port=${port}`, `-mqtt=${last}`, ...access]
}

/** The database's time counts with porthouse's; what is accepted there is asked after as well. */
function ofDurable({ database }: Bench, { kind, generator }: Workload, peer: string): string[] {
  if (kind !== 'durable' || peer !== 'porthouse') return []
  return [`-store=${database.pid}`, `-probe=${generator.includes('-receipt=accepted')}`]
}

/** Each message that was acknowledged is stored, once. */
function mustAgree(line: string, stored: number): void {
  const { published } = JSON.parse(line) as Result
  if (stored !== published) throw new Error(`${published} acknowledged, ${stored} stored`)
}
