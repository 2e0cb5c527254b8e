/** The cases of this suite, as they are run. */
import { fileURLToPath } from 'node:url'
import { ClientSuiteSchema } from '@porthouse/proto/conformance/v1/client_suite'
import { ServerSuiteSchema } from '@porthouse/proto/conformance/v1/server_suite'
import { type ClientRun, expand as expandClient } from './client/run.ts'
import { loadSuites } from './load.ts'
import { expand, type ServerRun } from './server/run.ts'

const folder = (name: string) => fileURLToPath(new URL(`../cases/${name}`, import.meta.url))

export function serverRuns(): ServerRun[] {
  return expand(loadSuites(ServerSuiteSchema, folder('server')))
}

export function clientRuns(): ClientRun[] {
  return expandClient(loadSuites(ClientSuiteSchema, folder('client')))
}
