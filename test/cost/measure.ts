/** What one delivery of a load costs, over some of its turns. */
import type { Allocated, Allocations } from './allocations.ts'
import type { MeasuredGateway } from './gateway.ts'
import type { Load } from './loads.ts'
import { syscallsDuring } from './syscalls.ts'

export interface Costs {
  /** System calls of the thread that does all. */
  readonly syscalls: number
  /** Those of them that write. */
  readonly writes: number
  /** Bytes allocated on V8's heap. */
  readonly heap: number
  /** Bytes of ArrayBuffers, beside it. */
  readonly buffers: number
  /** Bytes that its peers get. */
  readonly wire: number
}

const WARM_UP_TURNS = 20
const TRACED_TURNS_MIN = 20
/** Of a sample, at least: few, so that hardly any meets what is done once a second. */
const SAMPLE_DELIVERIES = 600
/** Samples in which no garbage was collected, and of all. */
const CLEAN_SAMPLES = 10
const SAMPLES_MAX = 40

export async function measure(
  { pid }: MeasuredGateway,
  allocations: Allocations,
  load: Load,
): Promise<Costs> {
  await turns(load, WARM_UP_TURNS)
  const perSample = Math.ceil(SAMPLE_DELIVERIES / load.deliveries)
  const samples = await sampled(() => allocations.during(() => turns(load, perSample)))
  const sampleSize = perSample * load.deliveries
  const clean = samples.flatMap(({ buffers }) => buffers ?? [])
  const before = received(load)
  const tracedTurns = Math.max(TRACED_TURNS_MIN, perSample)
  const { all, writes } = await syscallsDuring(pid, () => turns(load, tracedTurns))
  const traced = tracedTurns * load.deliveries
  return {
    syscalls: all / traced,
    writes: writes / traced,
    // What is done by the clock, such as a look at every session, only adds to it.
    heap: Math.min(...samples.map(({ heap }) => heap)) / sampleSize,
    // They come from pools now and then, so no sample alone says it.
    buffers: clean.reduce((sum, each) => sum + each, 0) / clean.length / sampleSize,
    wire: (received(load) - before) / traced,
  }
}

export async function turns(load: Load, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await load.turn()
}

async function sampled(take: () => Promise<Allocated>): Promise<Allocated[]> {
  const samples: Allocated[] = []
  for (let clean = 0; clean < CLEAN_SAMPLES && samples.length < SAMPLES_MAX; ) {
    const sample = await take()
    samples.push(sample)
    if (sample.buffers !== undefined) clean++
  }
  return samples
}

function received({ peers }: Load): number {
  return peers.reduce((sum, { bytes }) => sum + bytes, 0)
}
