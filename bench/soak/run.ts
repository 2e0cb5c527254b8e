/**
 * A gateway in use for a while, with everybody who comes and goes: is its memory flat? See
 * docs/memory.md. Exits with 1 where it grows, or where somebody did not find what he came for.
 *
 *   node bench/soak/run.ts [--minutes N]
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../tools.ts'
import { afterWarmUp, bounds } from './bounds.ts'
import { type Found, soak } from './soak.ts'
import { heading, line, tallied, verdictLine } from './table.ts'
import { judge, type Sample, type Verdict } from './verdict.ts'

/** Lines of the table, whatever the time. */
const LINES = 20

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } })

/** A line of the table for each part of the time. */
function printer(seconds: number): (sample: Sample) => void {
  let next = 0
  return (sample) => {
    if (sample.seconds < next) return
    next = sample.seconds + seconds / LINES
    console.log(line(sample))
  }
}

async function keep(found: Found, verdict: Verdict): Promise<void> {
  const out = join(root, 'bench/out')
  await mkdir(out, { recursive: true })
  const record = { at: new Date(), bounds, verdict, ...found }
  await writeFile(join(out, 'soak.json'), `${JSON.stringify(record, null, 2)}\n`)
}

async function main(): Promise<void> {
  const seconds = 60 * Number(values.minutes)
  if (!(seconds > 0)) throw new Error('--minutes takes a number above 0')
  const folder = await mkdtemp(join(tmpdir(), 'porthouse-soak-'))
  try {
    console.log(heading)
    const found = await soak({ seconds, folder, sampled: printer(seconds) })
    const verdict = judge(afterWarmUp(found.samples), bounds)
    await keep(found, verdict)
    console.log(`\n${tallied(found)}\n\n${verdictLine(verdict)}`)
    if (verdict.grows.length > 0) process.exitCode = 1
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

await main().catch((error: Error) => {
  console.error(`soak: FAILED: ${error.message}`)
  process.exitCode = 1
})
