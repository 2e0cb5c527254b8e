/** A heap snapshot of V8 (its `HeapProfiler.takeHeapSnapshot`) as a graph. */

/** What is read of the JSON; node and edge fields come in the order that `meta` says. */
interface Written {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[]
      readonly node_types: readonly [readonly string[], ...unknown[]]
      readonly edge_fields: readonly string[]
      readonly edge_types: readonly [readonly string[], ...unknown[]]
    }
  }
  readonly nodes: readonly number[]
  readonly edges: readonly number[]
  readonly strings: readonly string[]
  /** Of functions, four numbers each: node, script, line, column. */
  readonly locations: readonly number[]
}

const LOCATION_FIELDS = 4

/** Nodes are numbers from 0, the root of all, and so are edges: a node's lie side by side. */
export class Snapshot {
  readonly count: number
  readonly #written: Written
  readonly #nodeFields: number
  readonly #edgeFields: number
  /** By node its first edge; one more at the end. */
  readonly #firstEdge: Uint32Array
  readonly #lines = new Map<number, number>()

  constructor(json: string) {
    this.#written = JSON.parse(json) as Written
    const { nodes, locations, snapshot } = this.#written
    const { node_fields, edge_fields } = snapshot.meta
    expectFields(node_fields, ['type', 'name', 'id', 'self_size', 'edge_count'])
    expectFields(edge_fields, ['type', 'name_or_index', 'to_node'])
    this.#nodeFields = node_fields.length
    this.#edgeFields = edge_fields.length
    this.count = nodes.length / this.#nodeFields
    this.#firstEdge = new Uint32Array(this.count + 1)
    for (let node = 0; node < this.count; node++) {
      this.#firstEdge[node + 1] = this.#firstEdge[node]! + nodes[node * this.#nodeFields + 4]!
    }
    for (let i = 0; i < locations.length; i += LOCATION_FIELDS) {
      this.#lines.set(locations[i]! / this.#nodeFields, locations[i + 2]!)
    }
  }

  /** Such as `object`, `closure`, `string`, `code`, `native`. */
  type(node: number): string {
    const { nodes, snapshot } = this.#written
    return snapshot.meta.node_types[0][nodes[node * this.#nodeFields]!]!
  }

  /** Of an object its class, of a closure its function, of a string what it says. */
  name(node: number): string {
    const { nodes, strings } = this.#written
    return strings[nodes[node * this.#nodeFields + 1]!]!
  }

  /** Bytes, without those of what it refers to. */
  size(node: number): number {
    return this.#written.nodes[node * this.#nodeFields + 3]!
  }

  /** Of a function, from 0. */
  line(node: number): number | undefined {
    return this.#lines.get(node)
  }

  /** From the first edge of a node to, without it, the last. */
  edges(node: number): readonly [number, number] {
    return [this.#firstEdge[node]!, this.#firstEdge[node + 1]!]
  }

  /** Such as `property`, `element`, `internal`, `weak`. */
  edgeType(edge: number): string {
    const { edges, snapshot } = this.#written
    return snapshot.meta.edge_types[0][edges[edge * this.#edgeFields]!]!
  }

  /** Undefined where the edge has a number, as that of an array's element. */
  edgeName(edge: number): string | undefined {
    const type = this.edgeType(edge)
    if (type === 'element' || type === 'hidden') return undefined
    const { edges, strings } = this.#written
    return strings[edges[edge * this.#edgeFields + 1]!]
  }

  target(edge: number): number {
    return this.#written.edges[edge * this.#edgeFields + 2]! / this.#nodeFields
  }

  /** Where an edge of this name leads. */
  follow(node: number, name: string): number | undefined {
    const [first, end] = this.edges(node)
    for (let edge = first; edge < end; edge++) {
      if (this.edgeName(edge) === name) return this.target(edge)
    }
    return undefined
  }

  /**
   * All that the root holds, nearest first, and by node the one before it and the edge between them
   * on the shortest way; -1 for the root and for what has no way.
   */
  waysFromRoot(): Ways {
    const before = new Int32Array(this.count).fill(-1)
    const by = new Int32Array(this.count).fill(-1)
    const order = [0]
    for (const node of order) {
      const [first, end] = this.edges(node)
      for (let edge = first; edge < end; edge++) {
        const target = this.target(edge)
        if (target === 0 || by[target] !== -1 || this.edgeType(edge) === 'weak') continue
        before[target] = node
        by[target] = edge
        order.push(target)
      }
    }
    return { order, before, by }
  }
}

export interface Ways {
  readonly order: readonly number[]
  readonly before: Int32Array
  readonly by: Int32Array
}

function expectFields(found: readonly string[], known: readonly string[]): void {
  if (known.some((name, i) => found[i] !== name)) {
    throw new Error(`a heap snapshot with unknown fields: ${found.join(', ')}`)
  }
}
