/**
 * What the documents say of the last run, from bench/out/latest.json: the goals in
 * docs/performance.md, the model and what one node holds in docs/scaling.md.
 *
 *   node bench/markdown.ts [--write] [FILE]
 *
 * Prints the tables, or with --write puts each between its marks, `<!-- goals -->` and
 * `<!-- end -->`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { count, type Found, type Median, type Verdict } from './judge.ts'
import { modelOf } from './model.ts'
import { medianIn, noiseOf, type Run } from './record.ts'
import { rounded } from './report.ts'
import { root } from './tools.ts'

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const file = positionals[0] ?? join(root, 'bench/out/latest.json')
const run = JSON.parse(readFileSync(file, 'utf8')) as Run

/** The share of noisy legs beyond which a machine was not quiet. */
const NOISY_MAX = 0.25

function goalsOf({ verdicts, rounds, seconds, workloads, machine, versions, at }: Run): string {
  const { legs, noisy } = noiseOf(workloads)
  const { cores, memory, kernel, load } = machine
  const noise = rounds > 1 ? `, ${noisy} of ${legs} legs too noisy` : ''
  const where = `${cores}, ${memory}, ${kernel}, Node ${versions.Node}, ${at.slice(0, 10)}`
  return `${where}; load before the run ${load}.
Rounds: ${rounds}, ${seconds} s a leg${noise}. ${count(verdicts)}.

| goal | about | found (bound) | |
|---|---|---|---|
${verdicts.map(goal).join('\n')}`
}

function goal({ id, about, state, found }: Verdict): string {
  const verdict = state === 'met' ? 'met' : `**${state}**`
  return `| ${id} | ${about} | ${found.map(bound).join('<br>')} | ${verdict} |`
}

function bound({ says, bound, value, state, wall }: Found): string {
  const beside = state === 'wall' ? `: ${rounded(wall!.value, 3)}${wall!.says}` : ''
  return `${rounded(value, 3)}${says} (${bound}${state === 'met' ? '' : `, ${state}${beside}`})`
}

function modelTable(median: Median): string {
  const lines = ['porthouse', 'floor'].flatMap((peer) => {
    const model = modelOf(median, peer)
    if (!model) return []
    const { publish, call, copy, points } = model
    const fitted = [publish, call, copy].map((value) => rounded(value, 2))
    return [
      `**${peer}**: P ${fitted[0]}, w ${fitted[1]}, copy ${fitted[2]} us`,
      '',
      '| workload | 1/N | 1/k | measured, us | by the model |',
      '|---|---|---|---|---|',
      ...points.map(({ workload, terms: [share, calls], measured, modelled }) => {
        const cells = [share, rounded(calls, 3), rounded(measured, 3), rounded(modelled, 3)]
        return `| \`${workload}\` | ${cells.join(' | ')} |`
      }),
      '',
    ]
  })
  return lines.join('\n').trim()
}

/** What a core, a gigabyte or a database give, by what one of each takes. */
function nodeTable(median: Median): string {
  const own = (workload: string, figure: string) => median(workload, 'porthouse', figure)
  const held = (name: string, workload: string) => {
    const each = own(workload, 'memory')
    return [name, `${rounded(each, 1)} KB each`, `${rounded(1024 ** 2 / each, 0)} a GB`]
  }
  const delivered = (name: string, workload: string) => {
    const each = own(workload, 'cpu')
    return [name, `${rounded(each, 2)} us each`, `${rounded(1e6 / each, 0)}/s a core`]
  }
  const stored = (name: string, workload: string) => {
    const [gateway, database] = [own(workload, 'cpu'), own(workload, 'storeCpu')]
    const cost = `${rounded(gateway, 1)} us, and ${rounded(database, 1)} of the database`
    return [name, cost, `${rounded(own(workload, 'rate'), 0)}/s measured`]
  }
  const rows = [
    held('idle connections by WebSocket', 'w4'),
    held('idle connections by MQTT', 'mqtt-w4'),
    delivered('deliveries, bursts to 100', 'w1-100'),
    delivered('deliveries, bursts to 1,000', 'w1-1000'),
    delivered('deliveries to 100, messages one by one', 'w1-100-rate'),
    delivered('deliveries in rooms of two', 'w2'),
    delivered('acknowledged publishes to one reader', 'w3'),
    delivered('the same by MQTT, QoS 1', 'mqtt-w3'),
    stored('durable messages, told as stored', 'w6-stored'),
    stored('durable messages, told as accepted', 'w6-accepted'),
  ]
  return ['| what | costs | one node |', '|---|---|---|', ...rows.map(row)].join('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** Puts a text between the marks of its name. */
function put(document: string, name: string, text: string): void {
  const path = join(root, 'docs', document)
  const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`)
  const before = readFileSync(path, 'utf8')
  if (!marks.test(before)) throw new Error(`${document} has no place for ${name}`)
  writeFileSync(
    path,
    before.replace(marks, (_, begin, end) => `${begin}\n${text}\n\n${end}`),
  )
}

const { legs, noisy } = noiseOf(run.workloads)
const isBusy = run.rounds === 1 || noisy > NOISY_MAX * legs
const note = isBusy ? '**The machine was busy: these are no figures to go by.**\n\n' : ''
const median = medianIn(run.workloads)
const tables = [
  { document: 'performance.md', name: 'goals', text: goalsOf(run) },
  { document: 'scaling.md', name: 'model', text: modelTable(median) },
  { document: 'scaling.md', name: 'node', text: nodeTable(median) },
]
for (const { document, name, text } of tables) {
  if (values.write) put(document, name, `${note}${text}`)
  else console.log(`${note}${text}\n`)
}
