/** What one connection has of the memory, by kind of object: the difference of two heaps. */
import type { Memory } from './inspector.ts'
import type { Kind } from './kinds.ts'

export interface Given {
  readonly protocol: string
  readonly connections: number
  readonly before: Memory
  readonly with: Memory
  /** Of two heaps between which lie `connections`. */
  readonly kinds: readonly [Map<string, Kind>, Map<string, Kind>]
}

/** All figures are of one connection, sizes in bytes. */
export interface Account {
  readonly protocol: string
  readonly connections: number
  readonly memory: Memory
  /** Largest first. */
  readonly sources: readonly Source[]
}

/** Kinds from one place. */
export interface Source {
  readonly from: string
  readonly bytes: number
  /** Largest first. */
  readonly kinds: readonly Share[]
}

export interface Share {
  readonly name: string
  readonly bytes: number
  readonly count: number
}

export function account({ protocol, connections, before, with: after, kinds }: Given): Account {
  const each = (now: number, then: number) => (now - then) / connections
  const memory = Object.fromEntries(
    Object.entries(after).map(([name, bytes]) => [name, each(bytes, before[name as keyof Memory])]),
  ) as unknown as Memory
  const [fewer, more] = kinds
  const bySource = Map.groupBy(more.entries(), ([, { from }]) => from)
  const sources = [...bySource].map(([from, entries]) => {
    const shares = entries.map(([key, { name, bytes, count }]) => {
      const then = fewer.get(key)
      return { name, bytes: each(bytes, then?.bytes ?? 0), count: each(count, then?.count ?? 0) }
    })
    const bytes = shares.reduce((sum, share) => sum + share.bytes, 0)
    return { from, bytes, kinds: shares.toSorted((a, b) => b.bytes - a.bytes) }
  })
  return { protocol, connections, memory, sources: sources.toSorted((a, b) => b.bytes - a.bytes) }
}
