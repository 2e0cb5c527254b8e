/** Setting traces.sdk: the command line loads whoever collects traces (docs/tracing.md). */
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DataFolder, porthouse, Running } from './process.ts'

const sample = resolve(import.meta.dirname, '../../examples/traces/console.ts')

let data: DataFolder

beforeAll(async () => {
  data = await DataFolder.open()
})
afterAll(() => data.close())

it('the sample prints the spans, the last of them at the end', async () => {
  const env = { ...data.env, PORTHOUSE_TRACES_SDK: sample }
  const gateway = new Running(['run', '--http', '127.0.0.1:0'], { env })
  const said = await gateway.says(/listens on (\S+) /)
  const [, url = ''] = /listens on (\S+) /.exec(said) ?? []
  await porthouse(['account', 'list', '--json', '--url', url], { env: data.env })
  const { code, stdout } = await gateway.stop()
  expect(code).toBe(0)
  expect(stdout).toContain("name: 'porthouse.admin.v1.AccountService/ListAccounts'")
})

it('a module that cannot be loaded is told, and nothing is started', async () => {
  for (const sdk of ['./none.js', 'no-such-package']) {
    const env = { ...data.env, PORTHOUSE_TRACES_SDK: sdk }
    const { code, stderr } = await porthouse(['run'], { env })
    expect(code).toBe(2)
    expect(stderr).toContain(`traces.sdk ${sdk} cannot be loaded`)
  }
})
