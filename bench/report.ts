/** The tables that the bench prints. */
import type { Bound, Verdict } from './goals.ts'
import { type Column, kinds, type Measurement } from './kinds.ts'
import { type Summary, summarize } from './statistics.ts'
import type { Workload } from './workloads.ts'

/** A wider spread than this between the rounds of a leg says that the machine was not quiet. */
const NOISY = 0.3

/** Rounds by peer. */
export type Rounds = Readonly<Record<string, readonly Measurement[]>>

/** One workload's table: a line a peer. */
export function table(workload: Workload, rounds: Rounds): string {
  const [first, ...others] = kinds[workload.kind].columns as [Column, ...Column[]]
  const costs = Object.entries(rounds)
    .filter(([, measurements]) => measurements.length > 0)
    .map(([peer, measurements]) => ({ peer, measurements, cost: figures(measurements, first) }))
  const own = costs.find(({ peer }) => peer === 'porthouse')?.cost.median
  const head = ['', ...[first, ...others].map((column) => column.head), 'porthouse/it']
  const lines = costs.map(({ peer, measurements, cost }) => [
    peer,
    withRange(cost),
    ...others.map((column) => rounded(figures(measurements, column).median, column.digits)),
    own === undefined || peer === 'porthouse' ? '' : `${(own / cost.median).toFixed(3)}x`,
    noise(cost),
  ])
  return [workload.title, ...columns([head, ...lines])].join('\n')
}

function figures(measurements: readonly Measurement[], { figure }: Column): Summary {
  return summarize(measurements.map((measurement) => measurement[figure] ?? Number.NaN))
}

function rounded(value: number, digits: number): string {
  if (!Number.isFinite(value)) return '-'
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

function withRange({ median, min, max }: Summary): string {
  const digits = median < 10 ? 3 : 1
  return `${median.toFixed(digits)} [${min.toFixed(digits)}..${max.toFixed(digits)}]`
}

function noise({ spread }: Summary): string {
  return spread > NOISY ? `too noisy: spread ${Math.round(spread * 100)} %` : ''
}

/** G14's own table. */
export function codecTable(codec: Readonly<Record<string, Summary>>): string {
  const lines = Object.entries(codec).map(([name, summary]) => [
    name === 'porthouse' ? 'scan and stamp' : 'decode and encode, generated code',
    withRange(summary),
    noise(summary),
  ])
  return ['Codec, one envelope', ...columns([['', 'us/message'], ...lines])].join('\n')
}

/** One line a goal. */
export function goalTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ goal, found, met }) => [
    goal.id,
    goal.workloads[0],
    met ? 'met' : 'missed',
    ...found.map(({ bound, value, met }) => {
      const figure = Number.isNaN(value) ? '?' : value.toFixed(3)
      return `${figure}${bound.says} (${met ? 'met' : 'missed'}: ${limitOf(bound)})`
    }),
  ])
  return ['Goals, by medians of all rounds', ...columns(lines)].join('\n')
}

function limitOf({ most, least }: Bound): string {
  return most === undefined ? `≥ ${least}` : `≤ ${most}`
}

/** Pads cells to columns, the first to the left and figures as they come. */
export function columns(rows: readonly string[][]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, cell.length)
  }
  return rows.map((row) =>
    `  ${row.map((cell, n) => cell.padEnd(widths[n]!)).join('  ')}`.trimEnd(),
  )
}
