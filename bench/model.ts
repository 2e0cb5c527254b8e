/**
 * The cost of a delivery as docs/scaling.md has it, P/N + w/k + copy, fitted to the last run: least
 * squares of relative errors over the workloads by WebSocket. Prints a table in Markdown.
 *
 *   node bench/model.ts [PEER] [FILE]
 *
 * A publish reaches N members, so each delivery bears 1/N of its P. 1/k is how many calls on a
 * socket a delivery takes, be it a read of what is published or a write of what is delivered: those
 * of the generator are counted, which are the server's, but for some that came together on their
 * way.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { medianIn, type Run } from './record.ts'
import { columns } from './report.ts'
import { root } from './tools.ts'

/** Members that a publish reaches. */
const reach = { 'w1-100': 100, 'w1-1000': 1000, 'w1-100-rate': 100, w2: 1, w3: 1 }

const [peer = 'porthouse', file = join(root, 'bench/out/latest.json')] = process.argv.slice(2)
const run = JSON.parse(readFileSync(file, 'utf8')) as Run
const median = medianIn(run.workloads)

const points = Object.entries(reach)
  .map(([workload, n]) => {
    const [cpu, calls] = [median(workload, peer, 'cpu'), median(workload, peer, 'calls')]
    return { workload, cpu, terms: [1 / n, calls, 1] as const }
  })
  .filter(({ cpu }) => Number.isFinite(cpu))
if (points.length < 3) throw new Error(`at least three of ${Object.keys(reach)} are needed`)

/** Solves the normal equations by elimination. */
function fit(rows: readonly { terms: readonly number[]; cpu: number }[]): number[] {
  const size = rows[0]!.terms.length
  const sum = (i: number, of: (row: (typeof rows)[number]) => number) =>
    rows.reduce((total, row) => total + (row.terms[i]! * of(row)) / row.cpu ** 2, 0)
  const system = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) => sum(i, (row) => row.terms[j]!)),
    sum(i, (row) => row.cpu),
  ])
  for (let i = 0; i < size; i++) {
    const pivot = system[i]!
    for (const row of system) {
      if (row === pivot) continue
      const factor = row[i]! / pivot[i]!
      for (let j = i; j <= size; j++) row[j]! -= factor * pivot[j]!
    }
  }
  return system.map((row, i) => row[size]! / row[i]!)
}

const [publish, call, copy] = fit(points) as [number, number, number]
const us = (value: number) => `${value.toFixed(2)} us`
console.log(`P ${us(publish)}, w ${us(call)}, copy ${us(copy)} (${peer})\n`)
const lines = points.map(({ workload, cpu, terms: [share, calls] }) => {
  const model = publish * share + call * calls + copy
  return [workload, share, calls.toFixed(3), cpu.toFixed(3), model.toFixed(3)].map(String)
})
console.log(columns([['', '1/N', '1/k', 'measured, us', 'model, us'], ...lines]).join('\n'))
