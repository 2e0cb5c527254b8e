/** Runs server cases: a gateway for each set of settings, the cases in it side by side. */
import { create, type JsonObject } from '@bufbuild/protobuf'
import { FixtureSchema } from '@porthouse/proto/conformance/v1/fixture'
import type { ServerSuite } from '@porthouse/proto/conformance/v1/server_suite'
import { Unmet } from '../connection.ts'
import type { Expanded } from '../expand.ts'
import { inParallel, mulberry32 } from '../pool.ts'
import type { Result } from '../result.ts'
import { Variables } from '../template.ts'
import { shortName } from '../transport.ts'
import { needed } from './needed.ts'
import { play } from './script.ts'
import { type Target, Unsupported } from './target.ts'

export type ServerRun = Expanded<ServerSuite>

export interface Options {
  readonly subject: string
  /** Starts a gateway with settings, or throws Unsupported. */
  readonly start: (settings: JsonObject) => Promise<Target>
  readonly atOnce: number
  readonly seed: number
  readonly withinMs: number
  /** Called with each as it is over. */
  readonly onResult: (result: Result) => void
}

export async function runServerCases(
  runs: readonly ServerRun[],
  options: Options,
): Promise<Result[]> {
  const bySettings = Map.groupBy(runs, ({ suite }) => JSON.stringify(suite.settings ?? {}))
  const results: Result[] = []
  for (const [settings, group] of bySettings) {
    results.push(...(await runGroup(JSON.parse(settings) as JsonObject, group, options)))
  }
  return results
}

async function runGroup(
  settings: JsonObject,
  runs: readonly ServerRun[],
  options: Options,
): Promise<Result[]> {
  const told = (result: Result) => {
    options.onResult(result)
    return result
  }
  let target: Target
  try {
    target = await options.start(settings)
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error
    const outcome = { outcome: 'not run', why: error.message, trace: [], ms: 0 } as const
    return runs.map((run) => told({ ...facts(run, options), ...outcome }))
  }
  try {
    return await inParallel(runs, options, async (run) => told(await runOne(run, target, options)))
  } finally {
    await target.stop()
  }
}

async function runOne(run: ServerRun, target: Target, options: Options): Promise<Result> {
  const { httpUrl, mqttUrl, stage } = target
  const trace: string[] = []
  const began = performance.now()
  const ended = (outcome: Result['outcome'], why = ''): Result => {
    return { ...facts(run, options), outcome, why, trace, ms: performance.now() - began }
  }
  if (mqttUrl === '' && shortName(run.transport).startsWith('mqtt')) {
    return ended('not run', 'the gateway speaks no MQTT')
  }
  const whole = run.case.fixture ?? run.suite.fixture ?? create(FixtureSchema)
  const fixture = needed(whole, run.case)
  const accounts = namesFor(run.name, options.seed, fixture.otherAccount)
  try {
    const known = await stage.prepare(accounts, fixture)
    const variables = new Variables({ ...accounts, ...known })
    const scene = { httpUrl, mqttUrl, stage, account: accounts.account, variables }
    const { withinMs } = options
    const said = (line: string) => trace.push(line)
    await play(run.case, { ...scene, transport: run.transport, withinMs, trace: said })
    return ended('passed')
  } catch (error) {
    return ended('failed', error instanceof Unmet ? error.message : String(error))
  } finally {
    await stage.discard(accounts).catch(() => {})
  }
}

/** Accounts that no other case has, the same for the same seed. */
function namesFor(name: string, seed: number, hasOther: boolean) {
  let hash = seed
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  const random = mulberry32(hash)
  const letters = () => Math.floor(random() * 36 ** 6).toString(36)
  const account = `c-${letters()}${letters()}`
  return { account, ...(hasOther && { other: `${account}-o` }) }
}

function facts({ name, about, clauses, transport }: ServerRun, { subject }: Options) {
  return { name, about, clauses, subject, transport: shortName(transport) }
}
