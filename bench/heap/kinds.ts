/**
 * The objects of a heap by kind. An object of a class is of that kind, and the class is from the
 * file that defines it. What has no class of its own (a Map, its table, a string) is of a property
 * of the nearest object that has one, two names deep, such as `Session.memberships`.
 */

import { Snapshot } from './snapshot.ts'
import { SourceFiles } from './source-files.ts'

export interface Kind {
  /** A folder of ours, a package, a module of Node, or V8. */
  readonly from: string
  readonly name: string
  count: number
  bytes: number
}

interface Owner {
  readonly from: string
  readonly name: string
  /** How many properties it lies below an object of a class or a function. */
  readonly depth: number
}

const DEPTH = 2

/** Classes of which objects are made: what they are for, only their owner knows. */
const MATERIAL = new Set([
  ...['Object', 'Array', 'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'Promise', 'Generator'],
  ...['Date', 'RegExp', 'Error', 'ArrayBuffer', 'DataView', 'Buffer', 'FastBuffer', 'Uint8Array'],
  ...['Uint16Array', 'Uint32Array', 'Int32Array', 'Float64Array', 'BigUint64Array'],
])

const NOBODY: Owner = { from: 'V8', name: '(roots)', depth: DEPTH }
const CODE: Owner = { from: 'V8', name: '(code)', depth: DEPTH }

/** By kind; keys are `from name`. */
export function kindsOf(json: string): Map<string, Kind> {
  const snapshot = new Snapshot(json)
  const files = new SourceFiles(snapshot)
  const { order, before, by } = snapshot.waysFromRoot()
  const owners: Owner[] = []
  const kinds = new Map<string, Kind>()
  for (const node of order) {
    const above = owners[before[node]!] ?? NOBODY
    const owner = ownClass(snapshot, files, node, above) ?? propertyOf(snapshot, above, by[node]!)
    owners[node] = owner
    const size = snapshot.size(node)
    if (size === 0) continue
    const { from, name } = owner
    const kind = kinds.get(`${from} ${name}`) ?? { from, name, count: 0, bytes: 0 }
    kinds.set(`${from} ${name}`, kind)
    kind.count++
    kind.bytes += size
  }
  return kinds
}

function ownClass(snapshot: Snapshot, files: SourceFiles, node: number, above: Owner) {
  const type = snapshot.type(node)
  const name = snapshot.name(node)
  if (type === 'code') return CODE
  if (type === 'object shape') {
    return { from: above.from, name: `${above.name} (shape)`, depth: DEPTH }
  }
  if (type === 'native' && name.startsWith('Node / ')) {
    return { from: 'node (C++)', name: name.slice('Node / '.length), depth: 0 }
  }
  if (type === 'closure') {
    return { from: files.ofFunction(node) ?? 'V8', name: files.nameOfFunction(node), depth: 0 }
  }
  if (type !== 'object' || MATERIAL.has(name) || name.startsWith('system / ')) return undefined
  return { from: files.ofObject(node) ?? above.from, name, depth: 0 }
}

function propertyOf(snapshot: Snapshot, above: Owner, edge: number): Owner {
  // The tables of an object's own properties and elements are the object itself.
  const property = snapshot.edgeName(edge)
  if (above.depth === DEPTH || snapshot.edgeType(edge) === 'internal' || !property) return above
  return { from: above.from, name: `${above.name}.${property}`, depth: above.depth + 1 }
}
