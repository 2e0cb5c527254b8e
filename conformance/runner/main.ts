#!/usr/bin/env node
/** porthouse-conformance: runs the cases against gateways and clients, and tells what came of it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { serverRuns } from './cases.ts'
import { clauseReport, clausesOf } from './clauses.ts'
import { hasPassed, judge, matches, readKnownFailing } from './known-failing.ts'
import { junit } from './report/junit.ts'
import { report } from './report/table.ts'
import type { Result } from './result.ts'
import { type Options, runServerCases } from './server/run.ts'
import { running, startProcess, type Target, Unsupported } from './server/target.ts'

interface Flags {
  readonly server?: string
  readonly key: string
  readonly mqtt: string
  readonly serverCommand?: string
  readonly list?: true
  readonly clauses?: string | true
  readonly case: string[]
  readonly trace?: true
  readonly seed: number
  readonly atOnce: number
  readonly within: number
  readonly junit?: string
  readonly knownFailing?: string
}

const DOCUMENT = fileURLToPath(new URL('../../docs/protocol.md', import.meta.url))

const flags = new Command('porthouse-conformance')
  .description("runs the cases of porthouse's protocol against a gateway or a client")
  .option('--server <url>', 'a gateway that runs, ws:// or http://')
  .option('--key <key>', "its operator's key, or a file that holds it", '')
  .option('--mqtt <url>', 'where it speaks MQTT, mqtt://HOST:PORT', '')
  .option('--server-command <command>', 'a process that is a gateway under test (peer.proto)')
  .option('--list', 'print the names of the cases, one a line, and end')
  .option('--clauses [document]', 'print which clauses have how many cases, and end')
  .option('--case <pattern>', 'only cases that match, as SUITE/CASE/TRANSPORT', collect, [])
  .option('--trace', 'print all that was said in each case')
  .option('--seed <number>', 'order and names of accounts', integer, 1)
  .option('--at-once <number>', 'cases side by side', integer, 8)
  .option('--within <ms>', 'bound of each wait', integer, 5000)
  .option('--junit <file>', 'write the results as JUnit XML')
  .option('--known-failing <file>', 'cases that are known to fail, `PATTERN  # why` a line')
  .parse()
  .opts<Flags>()

process.exitCode = await main(flags)

async function main(flags: Flags): Promise<number> {
  const all = serverRuns()
  const isWanted = ({ name }: { name: string }) =>
    flags.case.length === 0 || flags.case.some((pattern) => isMatch(pattern, name))
  const runs = all.filter(isWanted)
  if (runs.length === 0) return fail(`no case matches ${flags.case.join(', ')}`)
  if (flags.list) return print(runs.map(({ name }) => name).join('\n'))
  if (flags.clauses) {
    const document = flags.clauses === true ? DOCUMENT : flags.clauses
    return print(clauseReport(clausesOf(document), all))
  }
  const start = starterOf(flags)
  if (!start) return fail('who is to be tested? --server URL or --server-command COMMAND')
  const results = await runServerCases(runs, {
    subject: flags.server ?? 'gateway',
    start,
    atOnce: flags.atOnce,
    seed: flags.seed,
    withinMs: flags.within,
    onResult: (result) => told(result, flags),
  })
  return finish(results, flags)
}

function finish(results: readonly Result[], flags: Flags): number {
  const known = flags.knownFailing ? readFileSync(flags.knownFailing, 'utf8') : ''
  const judged = judge(results, readKnownFailing(known))
  if (flags.junit) writeFileSync(flags.junit, junit(judged))
  print(report(judged))
  return hasPassed(judged) ? 0 : 1
}

/** How a gateway with the settings that a suite wants comes about. */
function starterOf({ server, key, mqtt, serverCommand }: Flags): Options['start'] | undefined {
  if (serverCommand !== undefined) return (settings) => startProcess(serverCommand, settings)
  if (server === undefined) return undefined
  const target: Target = running({ server, mqtt, key: secretOf(key) })
  return async (settings) => {
    if (Object.keys(settings).length === 0) return target
    throw new Unsupported('it wants settings of its own, and this gateway runs already')
  }
}

function secretOf(key: string): string {
  return existsSync(key) ? readFileSync(key, 'utf8').trim() : key
}

/** A pattern may leave out the parts at the end. */
function isMatch(pattern: string, name: string): boolean {
  return matches(pattern, name) || matches(`${pattern}/**`, name)
}

function told({ subject, name, outcome, why, trace }: Result, flags: Flags): void {
  if (!flags.trace) return
  print(
    [`${outcome} ${subject} ${name}${why && `: ${why}`}`, ...trace.map((l) => `  ${l}`)].join('\n'),
  )
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}

function fail(text: string): number {
  process.stderr.write(`porthouse-conformance: ${text}\n`)
  return 2
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a number is wanted.')
  return Number(text)
}
