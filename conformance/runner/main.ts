#!/usr/bin/env node
/** porthouse-conformance: runs the cases against gateways and clients, and reports. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { clientRuns, serverRuns } from './cases.ts'
import { clauseReport, clausesOf } from './clauses.ts'
import { runClientCases } from './client/run.ts'
import { hasPassed, judge, matches, readKnownFailing } from './known-failing.ts'
import { junit } from './report/junit.ts'
import { report } from './report/table.ts'
import type { Result, Run } from './result.ts'
import { type Options, runServerCases } from './server/run.ts'
import { running, startProcess, type Target, Unsupported } from './server/target.ts'

interface Flags {
  readonly server?: string
  readonly key: string
  readonly mqtt: string
  readonly serverCommand?: string
  readonly client: string[]
  readonly list?: true
  readonly clauses?: string | true
  readonly case: string[]
  readonly trace?: true
  readonly seed: number
  readonly atOnce: number
  readonly within: number
  readonly junit?: string
  readonly knownFailing: string[]
}

const DOCUMENT = fileURLToPath(new URL('../../docs/protocol.md', import.meta.url))

const flags = new Command('porthouse-conformance')
  .description("runs the cases of porthouse's protocol against a gateway or a client")
  .option('--server <url>', 'a gateway that runs, ws:// or http://')
  .option('--key <key>', "its operator's key, or a file that holds it", '')
  .option('--mqtt <url>', 'where it speaks MQTT, mqtt://HOST:PORT', '')
  .option('--server-command <command>', 'a process that is a gateway under test (peer.proto)')
  .option('--client <command>', 'a process that is a client under test (peer.proto)', collect, [])
  .option('--list', 'print the names of the cases, one a line, and end')
  .option('--clauses [document]', 'print which clauses have how many cases, and end')
  .option('--case <pattern>', 'only cases that match, as SUITE/CASE/TRANSPORT', collect, [])
  .option('--trace', 'print all that was said in each case')
  .option('--seed <number>', 'order and names of accounts', integer, 1)
  .option('--at-once <number>', 'cases side by side', integer, 8)
  .option('--within <ms>', 'bound of each wait', integer, 5000)
  .option('--junit <file>', 'write the results as JUnit XML')
  .option('--known-failing <file>', 'known failures, `PATTERN  # why` a line', collect, [])
  .parse()
  .opts<Flags>()

process.exitCode = await main(flags)

async function main(flags: Flags): Promise<number> {
  const server = serverRuns().filter((run) => isWanted(run, flags))
  const client = clientRuns().filter((run) => isWanted(run, flags))
  const runs = [...server, ...client]
  if (runs.length === 0) return fail(`no case matches ${flags.case.join(', ')}`)
  if (flags.list) return print(runs.map(({ name }) => name).join('\n'))
  if (flags.clauses) {
    const document = flags.clauses === true ? DOCUMENT : flags.clauses
    if (!existsSync(document)) return fail(`where is the protocol? no ${document}`)
    return print(clauseReport(clausesOf(document), runs))
  }
  const start = starterOf(flags)
  if (!start && flags.client.length === 0) {
    return fail('who is to be tested? --server URL, --server-command COMMAND or --client COMMAND')
  }
  const { atOnce, seed, within: withinMs } = flags
  const onResult = (result: Result) => told(result, flags)
  const results: Result[] = []
  if (start) {
    const subject = flags.server ?? 'gateway'
    const options = { subject, start, atOnce, seed, withinMs, onResult }
    results.push(...(await runServerCases(server, options)))
  }
  for (const command of flags.client) {
    results.push(...(await runClientCases(client, { command, atOnce, seed, onResult })))
  }
  return finish(results, flags)
}

/** A pattern may leave out the parts at the end. */
function isWanted({ name }: Run, flags: Flags): boolean {
  const isMatch = (pattern: string) => matches(pattern, name) || matches(`${pattern}/**`, name)
  return flags.case.length === 0 || flags.case.some(isMatch)
}

function finish(results: readonly Result[], flags: Flags): number {
  const known = flags.knownFailing.map((file) => readFileSync(file, 'utf8')).join('\n')
  const judged = judge(results, readKnownFailing(known), flags.case.length > 0)
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
