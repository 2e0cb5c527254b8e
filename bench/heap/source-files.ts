/** Where the classes and functions of a heap are written: the scripts that a snapshot names. */
import { root } from '../tools.ts'
import type { Snapshot } from './snapshot.ts'

/** So many folders of a path say enough. */
const DEPTH = 3

export class SourceFiles {
  readonly #snapshot: Snapshot
  readonly #byFunction = new Map<number, string | undefined>()
  readonly #byPrototype = new Map<number, string | undefined>()

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  /** Undefined of what V8 itself has. */
  ofFunction(closure: number): string | undefined {
    const shared = this.#snapshot.follow(closure, 'shared')
    if (shared === undefined) return undefined
    if (!this.#byFunction.has(shared)) this.#byFunction.set(shared, this.#placeOf(shared))
    return this.#byFunction.get(shared)
  }

  /** `name()`, or for one without a name `file:line`, from 1. */
  nameOfFunction(closure: number): string {
    const name = this.#snapshot.name(closure)
    const line = this.#snapshot.line(closure)
    const shared = this.#snapshot.follow(closure, 'shared')
    const script = shared === undefined ? undefined : this.#snapshot.follow(shared, 'script')
    if (name !== '' || line === undefined || script === undefined) return `${name}()`
    return `${this.#snapshot.name(script).replace(/.*\//, '')}:${line + 1}`
  }

  /** Of its class. */
  ofObject(object: number): string | undefined {
    const prototype = this.#snapshot.follow(object, '__proto__')
    if (prototype === undefined) return undefined
    if (!this.#byPrototype.has(prototype)) {
      const maker = this.#snapshot.follow(prototype, 'constructor')
      const place = maker === undefined ? undefined : this.ofFunction(maker)
      this.#byPrototype.set(prototype, place)
    }
    return this.#byPrototype.get(prototype)
  }

  #placeOf(shared: number): string | undefined {
    const script = this.#snapshot.follow(shared, 'script')
    if (script !== undefined) return shortened(this.#snapshot.name(script))
    const isNodes = this.#snapshot.follow(shared, 'untrusted_function_data') !== undefined
    return isNodes ? 'node (C++)' : undefined
  }
}

function shortened(url: string): string {
  const path = url.replace(/^file:\/\//, '')
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)
  if (inPackage) return inPackage[1]!
  const own = path.startsWith(`${root}/`)
    ? path.slice(root.length + 1).replace(/\/[^/]*$/, '')
    : path
  return own.split('/').slice(0, DEPTH).join('/')
}
