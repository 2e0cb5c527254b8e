/** One leg: one workload against one freshly started server. */
import { join } from 'node:path'
import { kinds, type Measurement } from './kinds.ts'
import { onNode, peers } from './peers.ts'
import { GENERATOR_CPU, runProgram, type Server } from './process.ts'
import { login } from './rooms.ts'
import type { Workload } from './workloads.ts'

const COLLECT = join(import.meta.dirname, 'peers/collect.ts')
const WARMUP_SECONDS = 1
/** For connecting, settling and stopping; the generator has bounds of its own within it. */
const SPARE_SECONDS = 60

/** Rejects where a message was lost, doubled, changed or out of order. */
export async function runLeg(
  generator: string,
  workload: Workload,
  peer: string,
  folder: string,
  seconds: number,
): Promise<Measurement> {
  const collects = workload.kind === 'idle' && onNode.includes(peer)
  const env: Record<string, string> = collects ? { NODE_OPTIONS: `--import=${COLLECT}` } : {}
  const server = await peers[peer]!(folder, env)
  try {
    const args = [
      ...workload.generator,
      ...spokenWith(server, peer, workload),
      `-pid=${server.pid}`,
      `-collect=${collects}`,
      `-warmup=${WARMUP_SECONDS}s`,
      `-span=${seconds}s`,
    ]
    const limitMs = (WARMUP_SECONDS + seconds + SPARE_SECONDS) * 1000
    const line = await runProgram({ file: generator, args, cpu: GENERATOR_CPU }, limitMs)
    return kinds[workload.kind].read(line)
  } finally {
    await server.stop()
  }
}

/** Whoever speaks MQTT does so on its last port. */
function spokenWith({ port, ports }: Server, peer: string, { protocol }: Workload): string[] {
  if (protocol === 'websocket') return [`-peer=${peer}`, `-port=${port}`]
  const access = [`-user=${login.user}`, `-password=${login.password}`]
  if (protocol === 'mqtt') return ['-peer=mqtt', `-port=${ports.at(-1)}`, ...access]
  return [`-peer=${peer}`, `-port=${port}`, `-mqtt=${ports.at(-1)}`, ...access]
}
