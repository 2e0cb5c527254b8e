/** Runs client cases: as many processes of the client as cases side by side, each case in one. */
import type { ClientSuite } from '@porthouse/proto/conformance/v1/client_suite'
import type { Expanded } from '../expand.ts'
import { inParallel } from '../pool.ts'
import type { Result } from '../result.ts'
import { shortName } from '../transport.ts'
import { ClientProcess } from './client-process.ts'
import { runCase } from './run-case.ts'

export type ClientRun = Expanded<ClientSuite>

export interface Options {
  /** What the shell starts as the client (peer.proto). */
  readonly command: string
  readonly atOnce: number
  readonly seed: number
  /** Called with each as it is over. */
  readonly onResult: (result: Result) => void
}

/** Throws PeerFailed where there is no such client at all. */
export async function runClientCases(
  runs: readonly ClientRun[],
  options: Options,
): Promise<Result[]> {
  const idle = [await ClientProcess.start(options.command)]
  const started = [...idle]
  const results = await inParallel(runs, options, async (run) => {
    let client = idle.pop()
    if (!client) {
      client = await ClientProcess.start(options.command)
      started.push(client)
    }
    const result = await runOne(run, client)
    if (client.isAlive) idle.push(client)
    options.onResult(result)
    return result
  })
  await Promise.all(started.map((client) => client.close()))
  return results
}

async function runOne(run: ClientRun, client: ClientProcess): Promise<Result> {
  const { name, about, clauses, transport } = run
  const [subject = ''] = client.hello.name.split(' ')
  const facts = { name: `${name}/${subject}`, about, clauses, subject }
  const known = { ...facts, transport: shortName(transport) }
  const lacks = lacking(run, client)
  if (lacks)
    return { ...known, outcome: 'not run', why: `the client has no ${lacks}`, trace: [], ms: 0 }
  const began = performance.now()
  const { failures, trace } = await runCase(client, run)
  const outcome = failures.length > 0 ? 'failed' : 'passed'
  return { ...known, outcome, why: failures.join('; '), trace, ms: performance.now() - began }
}

/** What the case cannot do without, and the client does not have. */
function lacking({ case: one, transport }: ClientRun, { hello }: ClientProcess): string {
  if (!hello.transports.includes(transport)) return shortName(transport)
  return one.features.find((feature) => !hello.features.includes(feature)) ?? ''
}
