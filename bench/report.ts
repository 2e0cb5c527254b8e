/** The tables that a run prints. */
import { count, type Verdict } from './judge.ts'
import { type Column, kinds } from './kinds.ts'
import { isNoisy, type Measured, noiseOf, type Run, summaryOf } from './record.ts'
import type { Summary } from './statistics.ts'

/** All of them; the last line counts the goals. */
export function tables({ workloads, verdicts, failed, rounds, minutes }: Run): string {
  const { legs, noisy } = noiseOf(workloads)
  return [
    ...workloads.flatMap((workload) => [table(workload), '']),
    ...(verdicts.length > 0 ? [goalTable(verdicts), ''] : []),
    ...(failed.length > 0 ? [`legs that failed: ${failed.length}`, ...failed, ''] : []),
    rounds > 1 ? `too noisy: ${noisy} of ${legs} legs` : 'one round: noise is not known',
    `minutes: ${minutes.toFixed(1)}`,
    count(verdicts),
  ].join('\n')
}

/** One workload's: a line a peer. */
function table({ title, kind, peers }: Measured): string {
  const [first, ...others] = kinds[kind].columns as readonly [Column, ...Column[]]
  const costs = Object.entries(peers).map(([peer, rounds]) => {
    return { peer, rounds, cost: summaryOf(rounds, first.figure) }
  })
  const own = costs.find(({ peer }) => peer === 'porthouse')?.cost.median
  const head = ['', first.head, ...others.map((column) => column.head), 'porthouse/it']
  const lines = costs.map(({ peer, rounds, cost }) => [
    peer,
    withRange(cost, first.digits),
    ...others.map(({ figure, digits }) => rounded(summaryOf(rounds, figure).median, digits)),
    own === undefined || peer === 'porthouse' ? '' : `${rounded(own / cost.median, 3)}x`,
    isNoisy(cost) ? `too noisy: spread ${Math.round(cost.spread * 100)} %` : '',
  ])
  return [title, ...columns([head, ...lines])].join('\n')
}

export function rounded(value: number | null, digits: number): string {
  if (value === null || !Number.isFinite(value)) return '-'
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

function withRange({ median, min, max }: Summary, digits: number): string {
  const [at, from, to] = [median, min, max].map((value) => rounded(value, digits))
  return min === max ? at! : `${at} [${from}..${to}]`
}

/** A line a bound, under its goal. */
function goalTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.flatMap(({ id, about, state, found }) =>
    found.map(({ says, bound, value, state: each, wall }, n) => [
      ...(n === 0 ? [id, about, state] : ['', '', '']),
      `${rounded(value, 3)}${says}`,
      bound,
      each,
      each === 'wall' ? `${rounded(wall!.value, 3)}${wall!.says}` : '',
    ]),
  )
  return ['Goals, by medians of all rounds', ...columns(lines)].join('\n')
}

/** Pads cells to columns, all to the left. */
export function columns(rows: readonly string[][]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, cell.length)
  }
  return rows.map((row) =>
    `  ${row.map((cell, n) => cell.padEnd(widths[n]!)).join('  ')}`.trimEnd(),
  )
}
