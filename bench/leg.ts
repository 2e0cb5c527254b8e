/** One leg: one workload against one freshly started server. */

import { peers } from './peers.ts'
import { GENERATOR_CPU, runProgram } from './process.ts'
import type { Workload } from './workloads.ts'

/** What one leg has shown. */
export interface Measurement {
  /** Server CPU a delivery, user and kernel, in microseconds. */
  readonly cpu: number
  /** Deliveries a second. */
  readonly rate: number
  /** Latency in milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Share of one core that the generator used: near 1 it limits the rate, though not the CPU. */
  readonly generatorLoad: number
}

/** What the generator prints; see generator/main.go. */
interface Printed {
  deliveries: number
  seconds: number
  serverCpu: number
  generatorCpu: number
  p50: number
  p99: number
}

const WARMUP_SECONDS = 1
/** For connecting, settling and stopping; the generator has bounds of its own within it. */
const SPARE_SECONDS = 45

/** Rejects where a message was lost, doubled, changed or out of order. */
export async function runLeg(
  generator: string,
  workload: Workload,
  peer: string,
  folder: string,
  seconds: number,
): Promise<Measurement> {
  const server = await peers[peer]!(folder)
  try {
    const args = [
      ...workload.generator,
      `-peer=${peer}`,
      `-port=${server.port}`,
      `-pid=${server.pid}`,
      `-warmup=${WARMUP_SECONDS}s`,
      `-span=${seconds}s`,
    ]
    const limitMs = (WARMUP_SECONDS + seconds + SPARE_SECONDS) * 1000
    const output = await runProgram({ file: generator, args, cpu: GENERATOR_CPU }, limitMs)
    return measurementOf(JSON.parse(output) as Printed)
  } finally {
    await server.stop()
  }
}

function measurementOf(printed: Printed): Measurement {
  const { deliveries, seconds, serverCpu, generatorCpu, p50, p99 } = printed
  if (deliveries === 0) throw new Error('nothing was delivered in the measured time')
  return {
    cpu: (serverCpu / deliveries) * 1e6,
    rate: deliveries / seconds,
    p50,
    p99,
    generatorLoad: generatorCpu / seconds,
  }
}
