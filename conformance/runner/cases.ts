/** The cases of this suite, as they are run. */
import { fileURLToPath } from 'node:url'
import { ClientSuiteSchema } from '@porthouse/proto/conformance/v1/client_suite'
import { ServerSuiteSchema } from '@porthouse/proto/conformance/v1/server_suite'
import type { ClientRun } from './client/run.ts'
import { expand } from './expand.ts'
import { loadSuites } from './load.ts'
import type { ServerRun } from './server/run.ts'

const folder = (name: string) => fileURLToPath(new URL(`../cases/${name}`, import.meta.url))

export function serverRuns(): ServerRun[] {
  return expand(loadSuites(ServerSuiteSchema, folder('server')))
}

/** Their suites are told apart from a gateway's by the name. */
export function clientRuns(): ClientRun[] {
  return expand(loadSuites(ClientSuiteSchema, folder('client')), 'client-')
}
