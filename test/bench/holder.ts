/** Holds so many objects of a class, and writes the snapshot of its heap. */
import { getHeapSnapshot } from 'node:v8'

class Held {
  readonly bytes = new ArrayBuffer(1_024)
  readonly #byName = new Map([['one', 1]])
  readonly hears = function hear() {}

  get size(): number {
    return this.#byName.size
  }
}

const held = Array.from({ length: Number(process.argv[2]) }, () => new Held())
Object.assign(globalThis, { held })
getHeapSnapshot().pipe(process.stdout)
