/**
 * The last run's goals as a table for docs/performance.md, from bench/out/latest.json.
 *
 *   node bench/markdown.ts [FILE]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { count, type Found, type Verdict } from './judge.ts'
import type { Run } from './record.ts'
import { rounded } from './report.ts'
import { root } from './tools.ts'

const file = process.argv[2] ?? join(root, 'bench/out/latest.json')
const run = JSON.parse(readFileSync(file, 'utf8')) as Run

function row({ id, about, state, found }: Verdict): string {
  const verdict = state === 'met' ? 'met' : `**${state}**`
  return `| ${id} | ${about} | ${found.map(bound).join('<br>')} | ${verdict} |`
}

function bound({ says, bound, value, state, wall }: Found): string {
  const beside = state === 'wall' ? `; ${rounded(wall!.value, 3)}${wall!.says}` : ''
  return `${rounded(value, 3)}${says} (${bound}${state === 'met' ? '' : `, ${state}${beside}`})`
}

const { cores, memory, kernel } = run.machine
console.log(`${cores}, ${memory}, ${kernel}, Node ${run.versions.Node}; ${run.at.slice(0, 10)}.
${run.rounds} rounds of ${run.seconds} s a leg: ${count(run.verdicts)}.

| goal | about | found (bound) | |
|---|---|---|---|
${run.verdicts.map(row).join('\n')}`)
