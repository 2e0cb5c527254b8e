/** What Connect itself cannot read is refused with a Problem like everything else. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestGateway } from '../support/gateway.ts'

let gateway: TestGateway
let key: string

beforeAll(async () => {
  gateway = await TestGateway.start({ features: ['admin'] } as never)
  key = await gateway.operatorKey()
})
afterAll(() => gateway.stop())

test.each([
  ['no JSON', '{', 'ARGUMENT_INVALID'],
  ['an unknown field', '{"nobody":1}', 'ARGUMENT_INVALID'],
  ['a field of another type', '{"pageToken":1}', 'ARGUMENT_INVALID'],
  ['too long a body', `{"pageToken":"${'x'.repeat(5_000_000)}"}`, 'PAYLOAD_TOO_LARGE'],
])('%s', async (_, body, code) => {
  const at = `http://127.0.0.1:${gateway.port}/porthouse.admin.v1.AccountService/ListAccounts`
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(at, { method: 'POST', headers, body })
  expect(answer.ok).toBe(false)
  expect(await answer.json()).toMatchObject({
    details: [{ type: 'porthouse.admin.v1.Problem', debug: { code: `CODE_${code}` } }],
  })
})
