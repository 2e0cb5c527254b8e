/** The cases of this suite, as they are run. */
import { fileURLToPath } from 'node:url'
import { ServerSuiteSchema } from '@porthouse/proto/conformance/v1/server_suite'
import { loadSuites } from './load.ts'
import { expand, type ServerRun } from './server/run.ts'

const folder = (name: string) => fileURLToPath(new URL(`../cases/${name}`, import.meta.url))

export function serverRuns(): ServerRun[] {
  return expand(loadSuites(ServerSuiteSchema, folder('server')))
}
