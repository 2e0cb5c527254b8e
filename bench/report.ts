/** The tables that the bench prints. */
import type { Verdict } from './goals.ts'
import type { Measurement } from './leg.ts'
import { type Summary, summarize } from './statistics.ts'
import type { Workload } from './workloads.ts'

/** A wider spread than this between the rounds of a leg says that the machine was not quiet. */
const NOISY = 0.3

/** Rounds by peer. */
export type Rounds = Readonly<Record<string, readonly Measurement[]>>

/** One workload's table: a line a peer. */
export function table(workload: Workload, rounds: Rounds): string {
  const own = rounds.porthouse?.length ? summarize(cpuOf(rounds.porthouse)).median : undefined
  const head = [
    '',
    'CPU us/delivery',
    'deliveries/s',
    'p50 ms',
    'p99 ms',
    'generator',
    'porthouse/it',
  ]
  const lines = Object.entries(rounds)
    .filter(([, measurements]) => measurements.length > 0)
    .map(([peer, measurements]) => line(peer, measurements, own))
  return [workload.title, ...columns([head, ...lines])].join('\n')
}

function line(peer: string, measurements: readonly Measurement[], own?: number): string[] {
  const cpu = summarize(cpuOf(measurements))
  const median = (key: keyof Measurement) => summarize(measurements.map((m) => m[key])).median
  return [
    peer,
    withRange(cpu),
    Math.round(median('rate')).toLocaleString('en-US'),
    median('p50').toFixed(2),
    median('p99').toFixed(2),
    `${Math.round(median('generatorLoad') * 100)} %`,
    own === undefined || peer === 'porthouse' ? '' : `${(own / cpu.median).toFixed(3)}x`,
    noise(cpu),
  ]
}

function cpuOf(measurements: readonly Measurement[]): number[] {
  return measurements.map(({ cpu }) => cpu)
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
  const lines = verdicts.map(({ goal, ratios, met }) => [
    goal.id,
    goal.workload,
    met ? 'met' : 'missed',
    ...ratios.map(({ peer, ratio, bound, met }) => {
      const figure = Number.isNaN(ratio) ? '?' : ratio.toFixed(3)
      return `${figure}x ${peer} (${met ? 'met' : 'missed'}: ≤ ${bound})`
    }),
  ])
  return ['Goals, by medians of server CPU a delivery', ...columns(lines)].join('\n')
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
