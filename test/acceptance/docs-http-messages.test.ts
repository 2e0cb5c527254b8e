/** The lines of docs/http-messages.md do what they are shown for. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { DURABLE } from '../support/past.ts'
import { root } from '../tidy/root.ts'

const page = readFileSync(join(root, 'docs/http-messages.md'), 'utf8')
const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, line]) => line as string)

let gateway: TestGateway
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/hall')
  await gateway.room('acme/ledger', [DURABLE])
  const key = await gateway.token('acme', ['hall', 'ledger'])
  env = { PATH: process.env.PATH, URL: `http://127.0.0.1:${gateway.port}`, KEY: key }
})
afterAll(() => gateway?.stop())

async function run(line: string): Promise<object> {
  const { stdout } = await promisify(execFile)('sh', ['-c', line], { env })
  return JSON.parse(stdout)
}

test('each line of curl', async () => {
  const [hello, stored, once, nowhere, ...more] = lines
  expect(more).toEqual([])
  expect(await run(hello!)).toMatchObject({ status: 'RECEIPT_STATUS_VOID' })
  expect(await run(stored!)).toMatchObject({ status: 'RECEIPT_STATUS_STORED', sequence: '1' })
  expect(await run(once!)).toMatchObject({ status: 'RECEIPT_STATUS_STORED', sequence: '2' })
  expect(await run(once!)).toMatchObject({ status: 'RECEIPT_STATUS_DUPLICATE', sequence: '2' })
  expect(await run(nowhere!)).toMatchObject({
    code: 'ARGUMENT_INVALID',
    violations: [{ field: 'to' }],
  })
})
