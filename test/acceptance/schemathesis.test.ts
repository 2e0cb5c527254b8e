/** schemathesis reads docs/api/openapi.json and finds nothing on the HTTP side. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { pythonEnvironment } from '../support/python.ts'
import { root } from '../tidy/root.ts'

/** The first time it is installed. */
const INSTALL_MS = 300_000
const RUN_MS = 300_000

let gateway: TestGateway
let python: string

beforeAll(async () => {
  const requirements = join(import.meta.dirname, 'schemathesis/requirements.txt')
  const bin = await pythonEnvironment('schemathesis', requirements)
  python = join(bin, 'python')
  const many = { perSecond: 100_000, burst: 100_000 }
  gateway = await TestGateway.start({ admin: many, limbo: { failures: 1_000_000 } })
  await gateway.room('acme/hall')
}, INSTALL_MS)
afterAll(() => gateway.stop())

test.each(['an operator', 'an owner'])(
  'as %s',
  async (who) => {
    const key = who === 'an owner' ? gateway.apiKey('owner', 'acme') : gateway.operatorKey()
    const { code, output } = await schemathesis(await key)
    expect(code, output).toBe(0)
  },
  RUN_MS,
)

function schemathesis(key: string): Promise<{ code: unknown; output: string }> {
  const args = [
    ...['-m', 'schemathesis.cli', 'run'],
    join(root, 'docs/api/openapi.json'),
    ...['--url', `http://127.0.0.1:${gateway.port}`],
    ...['--header', `Authorization: Bearer ${key}`],
    ...['--max-examples', '4', '--seed', '7', '--workers', '2', '--checks', 'all'],
    // What is well-formed may still name what is not there, or not be done as things are.
    ...['--exclude-checks', 'positive_data_acceptance'],
    // The gateway would be gone, or would log into this test's output.
    ...['--exclude-path-regex', 'ServerService/(Drain|SetLogLevel)'],
    ...['--no-color'],
  ]
  return new Promise((resolve) => {
    execFile(python, args, { cwd: gateway.data, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: `${stdout}${stderr}` }),
    )
  })
}
