/** The report for people: what failed and why, and a table of who passed what over what. */
import type { Judged } from '../known-failing.ts'
import type { Result } from '../result.ts'

export function report({ results, expected, surprises, unmatched }: Judged): string {
  const failed = results.filter((one) => one.outcome === 'failed' && !expected.has(one))
  const lines = [
    ...failed.map(({ subject, name, why }) => `FAILED ${subject} ${name}\n       ${why}`),
    ...surprises.map(
      (one) => `FAILED ${one.subject} ${one.name}\n       passed, yet known to fail`,
    ),
    ...unmatched.map(({ pattern }) => `FAILED ${pattern}\n       known to fail, and no such case`),
  ]
  const last = summary(results, lines.length, expected.size)
  return [...lines, ...(lines.length > 0 ? [''] : []), table(results), '', last].join('\n')
}

function table(results: readonly Result[]): string {
  const transports = [...new Set(results.map(({ transport }) => transport))]
  const rows = [...Map.groupBy(results, ({ subject }) => subject)].map(([subject, its]) => [
    subject,
    ...transports.map((transport) => cell(its.filter((one) => one.transport === transport))),
    cell(its),
  ])
  const all = [['', ...transports, 'all'], ...rows]
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all.map((row) => row.map((text, i) => pad(text, widths[i]!, i)).join('  ')).join('\n')
}

/** Passed of those that were run. */
function cell(results: readonly Result[]): string {
  const run = results.filter(({ outcome }) => outcome !== 'not run')
  if (run.length === 0) return '-'
  return `${run.filter(({ outcome }) => outcome === 'passed').length}/${run.length}`
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width)
}

function summary(results: readonly Result[], failed: number, known: number): string {
  const count = (outcome: Result['outcome']) =>
    results.filter((result) => result.outcome === outcome).length
  const notRun = count('not run')
  const tails = [
    known > 0 ? `, ${known} known to fail` : '',
    notRun > 0 ? `, ${notRun} not run` : '',
  ]
  return `${count('passed')} passed, ${failed} failed${tails.join('')}`
}
