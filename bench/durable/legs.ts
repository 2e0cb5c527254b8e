/** The legs of W6: 128 bytes, 50 senders, each with so many publishes outstanding. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  FREE_PORTS,
  GENERATOR_CPU,
  runProgram,
  SERVER_CPU,
  type Server,
  startServer,
} from '../process.ts'
import { root } from '../tools.ts'
import type { BenchDatabase } from './database.ts'
import type { Figures } from './figures.ts'
import { startJetStream, storedIn } from './jetstream.ts'
import type { Form, RawTask } from './raw.ts'

export interface Bench {
  /** A temporary one, which all legs share. */
  readonly folder: string
  /** Path of the program. */
  readonly generator: string
  readonly database: BenchDatabase
  /** Of a room of the bench. */
  readonly roomId: string
  /** Measured, after a second of warming up. */
  readonly seconds: number
}

export interface Leg {
  readonly id: string
  readonly title: string
  /** Rejects where something was lost, doubled, refused or out of order. */
  run(bench: Bench): Promise<Figures>
}

const SENDERS = 50
const LIMIT_MS = 90_000

interface Gateway {
  readonly receipt: 'stored' | 'accepted'
  readonly window: number
  readonly rooms?: number
  /** The core that the database has. */
  readonly core: number
}

function porthouse(id: string, title: string, { core, ...asked }: Gateway): Leg {
  return {
    id,
    title,
    async run(bench) {
      const { database } = bench
      await database.empty()
      await database.pin(core)
      const args = ['run', ...FREE_PORTS, '--data', database.dataDir, '--log', 'warn']
      const command = { file: join(root, 'bin/porthouse'), args, cpu: SERVER_CPU }
      const server = await startServer(command, /ws:\/\/127\.0\.0\.1:(\d+)/)
      const printed = await drive(bench, server, 'porthouse', asked).finally(server.stop)
      // It has ended, so what was accepted is stored.
      return checked(printed, await database.stored())
    },
  }
}

function jetStream(
  id: string,
  title: string,
  { sync, ...asked }: Omit<Gateway, 'core'> & { readonly sync: 'always' | 'default' },
): Leg {
  return {
    id,
    title,
    async run(bench) {
      await rm(join(bench.folder, 'jetstream'), { recursive: true, force: true })
      const server = await startJetStream(bench.folder, sync)
      try {
        const printed = await drive(bench, server, 'nats', asked)
        return checked(printed, await storedIn(server))
      } finally {
        await server.stop()
      }
    },
  }
}

interface Asked {
  readonly receipt: 'stored' | 'accepted'
  readonly window: number
  readonly rooms?: number
}

/** Runs the generator against a server. */
async function drive(
  { generator, seconds, database }: Bench,
  server: Server,
  peer: 'porthouse' | 'nats',
  { receipt, window, rooms = 1 }: Asked,
): Promise<Printed> {
  const isOwn = peer === 'porthouse'
  const args = [
    '-workload=durable',
    `-members=${SENDERS}`,
    `-rooms=${rooms}`,
    `-window=${window}`,
    `-receipt=${receipt}`,
    `-probe=${isOwn && receipt === 'accepted'}`,
    '-size=128',
    `-peer=${peer}`,
    `-port=${server.port}`,
    `-pid=${server.pid}`,
    `-store=${isOwn ? database.pid : 0}`,
    `-span=${seconds}s`,
  ]
  return JSON.parse(await runProgram({ file: generator, args, cpu: GENERATOR_CPU }, LIMIT_MS))
}

/** See generator/main.go. */
interface Printed {
  deliveries: number
  seconds: number
  serverCpu: number
  storeCpu: number
  generatorCpu: number
  p50: number
  p99: number
  probeP99: number
  published: number
}

/** Each message that was acknowledged is stored, once. */
function checked(printed: Printed, stored: number): Figures {
  const { deliveries, published, seconds, p50, p99, probeP99, ...cpu } = printed
  if (deliveries === 0) throw new Error('nothing was acknowledged in the measured time')
  if (stored !== published) throw new Error(`${published} acknowledged, ${stored} stored`)
  return {
    rate: deliveries / seconds,
    p50,
    p99,
    serverCpu: (cpu.serverCpu / deliveries) * 1e6,
    storeCpu: (cpu.storeCpu / deliveries) * 1e6,
    generatorLoad: cpu.generatorCpu / seconds,
    ...(probeP99 > 0 && { storedP99: probeP99 }),
  }
}

function raw(form: Form, batch: number): Leg {
  return {
    id: `${form}-${batch}`,
    title: `bare ${form} of ${batch}`,
    async run({ folder, database, roomId, seconds }) {
      await database.empty()
      await database.pin(SERVER_CPU)
      const { dataDir, pid } = database
      const task: RawTask = { dataDir, database: pid, form, batch, room: roomId, seconds }
      const file = join(folder, 'task.json')
      await writeFile(file, JSON.stringify(task))
      const args = [join(import.meta.dirname, 'raw.ts'), file]
      const command = { file: process.execPath, args, cpu: GENERATOR_CPU }
      return JSON.parse(await runProgram(command, LIMIT_MS)) as Figures
    },
  }
}

const stored = { receipt: 'stored', core: GENERATOR_CPU } as const
const accepted = { receipt: 'accepted', core: GENERATOR_CPU, window: 16 } as const

export const legs: readonly Leg[] = [
  porthouse('stored-16', 'porthouse, stored, 16', { ...stored, window: 16 }),
  porthouse('stored-16-rooms', 'the same, 50 rooms', { ...stored, window: 16, rooms: SENDERS }),
  porthouse('stored-16-core', "the same, database on the gateway's core", {
    ...stored,
    window: 16,
    core: SERVER_CPU,
  }),
  jetStream('nats-sync-16', 'JetStream, sync always, 16', {
    sync: 'always',
    receipt: 'stored',
    window: 16,
  }),
  porthouse('stored-64', 'porthouse, stored, 64', { ...stored, window: 64 }),
  porthouse('stored-64-core', "the same, database on the gateway's core", {
    ...stored,
    window: 64,
    core: SERVER_CPU,
  }),
  jetStream('nats-sync-64', 'JetStream, sync always, 64', {
    sync: 'always',
    receipt: 'stored',
    window: 64,
  }),
  porthouse('accepted-16', 'porthouse, accepted, 16', accepted),
  porthouse('accepted-16-core', "the same, database on the gateway's core", {
    ...accepted,
    core: SERVER_CPU,
  }),
  jetStream('nats-16', 'JetStream, default, 16', {
    sync: 'default',
    receipt: 'accepted',
    window: 16,
  }),
  raw('unnest', 128),
  raw('unnest', 800),
  raw('append', 128),
  raw('append', 800),
]
