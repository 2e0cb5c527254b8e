/**
 * What a process allocates: bytes on V8's heap, and bytes of ArrayBuffers, which lie beside it.
 * What was collected meanwhile is added again.
 */
import type { Inspector } from '../../bench/heap/inspector.ts'

export interface Allocated {
  readonly heap: number
  /** Undefined where garbage was collected meanwhile: it frees them at a time of its own. */
  readonly buffers: number | undefined
}

interface Now {
  readonly used: number
  readonly buffers: number
}

/** Used bytes before and after each collection. */
type Collection = readonly [before: number, after: number]

const NOW = `{
  used: v8.getHeapStatistics().used_heap_size,
  buffers: process.memoryUsage().arrayBuffers,
}`

/** From which the least is taken as what asking costs. */
const ASKINGS = 20

export class Allocations {
  readonly #inspector: Inspector
  /** What asking itself allocates. */
  #asking = 0

  /**
   * From now on the code runs as it is written: what the optimizer leaves out, it leaves out from a
   * moment on that depends on how fast the machine is.
   */
  static async watch(inspector: Inspector): Promise<Allocations> {
    await inspector.evaluate(`
      globalThis.v8 = process.getBuiltinModule('node:v8')
      v8.setFlagsFromString('--no-opt')
      v8.setFlagsFromString('--no-maglev')`)
    const allocations = new Allocations(inspector)
    const asked: number[] = []
    for (let i = 0; i < ASKINGS; i++) asked.push((await allocations.during(async () => {})).heap)
    allocations.#asking = Math.min(...asked)
    return allocations
  }

  private constructor(inspector: Inspector) {
    this.#inspector = inspector
  }

  async during(run: () => Promise<void>): Promise<Allocated> {
    const before = await this.#inspector.evaluate<Now>(
      `globalThis.collections = new v8.GCProfiler(); collections.start(); (${NOW})`,
    )
    await run()
    const after = await this.#inspector.evaluate<Now>(`(${NOW})`)
    const collections = await this.#inspector.evaluate<Collection[]>(
      `collections.stop().statistics.map(({ beforeGC, afterGC }) =>
        [beforeGC, afterGC].map(({ heapStatistics }) => heapStatistics.usedHeapSize))`,
    )
    const freed = collections.reduce((sum, [had, has]) => sum + had - has, 0)
    return {
      heap: after.used - before.used + freed - this.#asking,
      buffers: collections.length === 0 ? after.buffers - before.buffers : undefined,
    }
  }
}
