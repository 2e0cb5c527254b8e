/**
 * The cost of a delivery as docs/scaling.md has it, P/N + w/k + copy, fitted to a run: least
 * squares of relative errors over the workloads by WebSocket.
 *
 * A publish reaches N members, so each delivery bears 1/N of its P. 1/k is how many calls on a
 * socket a delivery takes, be it a read of what is published or a write of what is delivered: those
 * of the generator are counted, which are the server's, but for some that came together on their
 * way.
 */
import type { Median } from './judge.ts'

/** Members that a publish reaches. */
const reach = { 'w1-100': 100, 'w1-1000': 1000, 'w1-100-rate': 100, w2: 1, w3: 1 }

/** All in microseconds. */
export interface Model {
  readonly publish: number
  readonly call: number
  readonly copy: number
  readonly points: readonly Point[]
}

export interface Point {
  readonly workload: string
  /** 1/N, 1/k and 1: what the three are multiplied by. */
  readonly terms: readonly [number, number, 1]
  readonly measured: number
  readonly modelled: number
}

/** Undefined where not all of the workloads were measured: three of them fit any three terms. */
export function modelOf(median: Median, peer: string): Model | undefined {
  const rows = Object.entries(reach)
    .map(([workload, n]) => {
      const terms = [1 / n, median(workload, peer, 'calls'), 1] as const
      return { workload, terms, measured: median(workload, peer, 'cpu') }
    })
    .filter(({ measured }) => Number.isFinite(measured))
  if (rows.length < Object.keys(reach).length) return undefined
  const [publish, call, copy] = fit(rows) as [number, number, number]
  const points = rows.map((row) => {
    const [share, calls] = row.terms
    return { ...row, modelled: publish * share + call * calls + copy }
  })
  return { publish, call, copy, points }
}

type Rows = readonly Pick<Point, 'terms' | 'measured'>[]

/** The three, of which none is below 0: one that would be is taken for 0, and the others anew. */
function fit(rows: Rows, terms = [0, 1, 2]): number[] {
  const found = solve(rows, terms)
  const least = found.indexOf(Math.min(...found))
  if (found[least]! < 0) return fit(rows, terms.toSpliced(least, 1))
  return [0, 1, 2].map((term) => found[terms.indexOf(term)] ?? 0)
}

/** Solves the normal equations of these terms by elimination. */
function solve(rows: Rows, terms: readonly number[]): number[] {
  const size = terms.length
  const sum = (i: number, of: (row: Rows[number]) => number) =>
    rows.reduce((total, row) => total + (row.terms[i]! * of(row)) / row.measured ** 2, 0)
  const system = terms.map((i) => [
    ...terms.map((j) => sum(i, (row) => row.terms[j]!)),
    sum(i, (row) => row.measured),
  ])
  for (const [i, pivot] of system.entries()) {
    for (const row of system) {
      if (row === pivot) continue
      const factor = row[i]! / pivot[i]!
      for (let j = i; j <= size; j++) row[j]! -= factor * pivot[j]!
    }
  }
  return system.map((row, i) => row[size]! / row[i]!)
}
