/** The Go client's own tests, with the race detector, against a real gateway. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { ALL, GO_MS, go } from './tools.ts'

let hub: TestGateway

beforeAll(async () => {
  hub = await TestGateway.start()
}, 60_000)
afterAll(() => hub?.stop())

test('go test -race passes', { timeout: GO_MS }, async () => {
  const env = {
    PORTHOUSE_TEST_URL: hub.url.replace('ws:', 'http:'),
    PORTHOUSE_TEST_KEY: await hub.operatorKey(),
  }
  const said = await go(['test', '-race', '-count=1', ...ALL], env)
  expect(said).toMatch(/^ok\s+\S+\/admin\s/m)
})
