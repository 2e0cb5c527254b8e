/** Accounts and API keys by the admin API: what each caller may do, and what is written down. */
import { randomUUID } from 'node:crypto'
import { toJsonString } from '@bufbuild/protobuf'
import { ValueSchema } from '@bufbuild/protobuf/wkt'
import type { Client } from '@connectrpc/connect'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { ApiKeyService } from '@porthouse/proto/admin/v1/api_key_service'
import { AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { Role } from '@porthouse/proto/admin/v1/options'
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

let gateway: TestGateway
let operator: string
let accounts: Client<typeof AccountService>
let keys: Client<typeof ApiKeyService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  operator = await gateway.operatorKey()
  accounts = adminClient(AccountService, gateway, operator)
  keys = adminClient(ApiKeyService, gateway, operator)
  for (const accountId of ['acme', 'other']) await accounts.createAccount({ accountId })
})
afterAll(() => gateway.stop())

describe('accounts', () => {
  test.each(['connect', 'grpc', 'grpc-web'] as const)('are made and shown by %s', async (by) => {
    const client = adminClient(AccountService, gateway, operator, by)
    const made = await client.createAccount({ accountId: `by-${by}` })
    expect(made.name).toBe(`accounts/by-${by}`)
    expect(await client.getAccount({ name: made.name })).toEqual(made)
    expect(await client.getAccount({ name: `accounts/${made.uid}` })).toEqual(made)
  })

  test('are listed page by page, each once', async () => {
    const found: string[] = []
    let pageToken = ''
    do {
      const page = await accounts.listAccounts({ pageSize: 2, pageToken })
      expect(page.accounts.length).toBeLessThanOrEqual(2)
      found.push(...page.accounts.map(({ name }) => name))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    const all = (await accounts.listAccounts({})).accounts.map(({ name }) => name)
    expect(found).toEqual(all)
    expect(new Set(found).size).toBe(found.length)
  })

  test('page tokens are of one list and one caller (C8)', async () => {
    const { nextPageToken: pageToken } = await accounts.listAccounts({ pageSize: 1 })
    expect(pageToken).not.toBe('')
    const other = adminClient(AccountService, gateway, await gateway.apiKey('auditor'))
    const refused = [
      () => other.listAccounts({ pageToken }),
      () => accounts.listAccounts({ pageToken: `${pageToken.slice(0, -2)}AA` }),
      () => accounts.listAccounts({ pageToken: 'x' }),
      () => keys.listApiKeys({ parent: 'accounts/acme', pageToken }),
    ]
    for (const call of refused) expect((await failure(call())).code).toBe('PAGE_TOKEN_INVALID')
    for (const pageSize of [-1, 1e9]) {
      expect((await failure(accounts.listAccounts({ pageSize }))).code).toBe('ARGUMENT_INVALID')
    }
  })

  test('are only looked at with validate_only', async () => {
    const accountId = 'never'
    await accounts.createAccount({ accountId, validateOnly: true })
    expect((await failure(accounts.getAccount({ name: 'accounts/never' }))).code).toBe(
      'RESOURCE_UNKNOWN',
    )
    await accounts.deleteAccount({ name: 'accounts/acme', validateOnly: true })
    await accounts.getAccount({ name: 'accounts/acme' })
    const taken = accounts.createAccount({ accountId: 'acme', validateOnly: true })
    expect((await failure(taken)).code).toBe('RESOURCE_EXISTS')
  })

  test('are made once by one request id', async () => {
    const requestId = randomUUID()
    const first = await accounts.createAccount({ accountId: 'once', requestId })
    expect(await accounts.createAccount({ accountId: 'once', requestId })).toEqual(first)
    const reused = accounts.createAccount({ accountId: 'twice', requestId })
    expect((await failure(reused)).code).toBe('KEY_REUSED')
    expect((await failure(accounts.createAccount({ accountId: 'once' }))).code).toBe(
      'RESOURCE_EXISTS',
    )
  })

  test.each([
    ['accounts/A'],
    ['accounts/'],
    ['rooms/x'],
    ['accounts/a/rooms/b'],
    ["accounts/'; --"],
  ])('are not named %s', async (name) => {
    const { code } = await failure(accounts.getAccount({ name }))
    expect(['ARGUMENT_INVALID', 'ADDRESS_INVALID']).toContain(code)
  })
})

describe('callers', () => {
  test('without credentials, or with wrong ones, learn nothing', async () => {
    const wrong = [undefined, 'x', `${operator.slice(0, -3)}AAA`, 'a.b.c', await connectionKey()]
    for (const key of wrong) {
      const client = adminClient(AccountService, gateway, key)
      expect((await failure(client.listAccounts({}))).code).toBe('UNAUTHENTICATED')
    }
    const { status, headers } = await fetch(
      `http://127.0.0.1:${gateway.port}/porthouse.admin.v1.AccountService/ListAccounts`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
    )
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer')
  })

  test('who guess are told to wait, and keep no operator out (K15)', async () => {
    const beside = await gateway.beside({ limbo: { failures: 3 } })
    const key = await gateway.apiKey('owner', 'acme')
    const codes: string[] = []
    for (let i = 0; i < 5; i++) {
      const guess = adminClient(AccountService, beside, `${key.slice(0, -4)}AAA${i}`)
      codes.push((await failure(guess.listAccounts({}))).code)
    }
    expect(codes).toEqual([...Array(3).fill('UNAUTHENTICATED'), 'RATE_LIMITED', 'RATE_LIMITED'])
    await adminClient(AccountService, beside, operator).listAccounts({})
    await beside.stop()
  })

  test('see another account as if it were not there (A15)', async () => {
    for (const role of ['owner', 'admin', 'auditor'] as const) {
      const client = adminClient(AccountService, gateway, await gateway.apiKey(role, 'acme'))
      const foreign = await failure(client.getAccount({ name: 'accounts/other' }))
      const absent = await failure(client.getAccount({ name: 'accounts/absent' }))
      expect(foreign).toEqual({ ...absent, message: 'there is no accounts/other' })
      const { accounts: seen } = await client.listAccounts({})
      expect(seen.map(({ name }) => name)).toEqual(['accounts/acme'])
    }
  })

  test('do what their role permits, and no more', async () => {
    const made = { accountId: 'theirs' }
    for (const role of ['owner', 'admin', 'auditor'] as const) {
      const client = adminClient(AccountService, gateway, await gateway.apiKey(role, 'acme'))
      expect((await failure(client.createAccount(made))).code).toBe('ROLE_NOT_PERMITTED')
    }
    const admin = adminClient(ApiKeyService, gateway, await gateway.apiKey('admin', 'acme'))
    const parent = 'accounts/acme'
    const apiKey = { role: Role.OWNER }
    // Threat C12: what a key may do never grows by the key itself.
    expect((await failure(admin.createApiKey({ parent, apiKey }))).code).toBe('ROLE_NOT_PERMITTED')
    const owner = adminClient(ApiKeyService, gateway, await gateway.apiKey('owner', 'acme'))
    for (const [where, role] of [
      ['-', Role.OPERATOR],
      ['accounts/other', Role.OWNER],
    ] as const) {
      const call = owner.createApiKey({ parent: where, apiKey: { role } })
      expect((await failure(call)).code).toBe('RESOURCE_UNKNOWN')
    }
    const asOperator = owner.createApiKey({ parent, apiKey: { role: Role.OPERATOR } })
    expect((await failure(asOperator)).problem?.violations).toMatchObject([
      { field: 'apiKey.role' },
    ])
  })

  test('come in by a key until it is deleted', async () => {
    const parent = 'accounts/acme'
    const made = await keys.createApiKey({ parent, apiKey: { role: Role.OWNER, label: 'ci' } })
    const client = adminClient(AccountService, gateway, made.secret)
    await client.getAccount({ name: parent })
    const listed = (await keys.listApiKeys({ parent })).apiKeys.find(
      ({ name }) => name === made.name,
    )
    expect(listed).toEqual({ ...made, secret: '' })
    await keys.deleteApiKey({ name: made.name })
    await expect
      .poll(async () => (await failure(client.getAccount({ name: 'accounts/none' }))).code)
      .toBe('UNAUTHENTICATED')
  })
})

describe('the audit log', () => {
  test('says who changed what, from where, and keeps no secret', async () => {
    const parent = 'accounts/acme'
    const owner = adminClient(ApiKeyService, gateway, await gateway.apiKey('owner', 'acme'))
    const made = await owner.createApiKey({ parent, apiKey: { role: Role.ADMIN, label: 'told' } })
    await failure(owner.createApiKey({ parent, apiKey: { role: Role.OPERATOR } }))
    await owner.deleteApiKey({ name: made.name })
    const log = adminClient(AuditService, gateway, operator)
    const { entries } = await log.listAuditEntries({ parent, pageSize: 3 })
    expect(entries).toMatchObject([
      { method: 'ApiKeyService/DeleteApiKey', resource: made.name, code: Code.UNSPECIFIED },
      { method: 'ApiKeyService/CreateApiKey', resource: parent, code: Code.ARGUMENT_INVALID },
      { method: 'ApiKeyService/CreateApiKey', resource: made.name, remote: '127.0.0.1' },
    ])
    expect(entries.map(({ role }) => role)).toEqual(['owner', 'owner', 'owner'])
    expect(entries[2]?.before).toBeUndefined()
    expect(entries[0]?.after).toBeUndefined()
    const kept = entries.flatMap(({ before, after }) => [before ?? after ?? []].flat())
    for (const each of kept) {
      expect(toJsonString(ValueSchema, each)).not.toContain(made.secret)
    }
    const next = await log.listAuditEntries({ parent: '-', method: 'AccountService/CreateAccount' })
    expect(next.entries.map(({ resource }) => resource)).toContain('accounts/acme')
    const auditor = adminClient(AuditService, gateway, await gateway.apiKey('auditor', 'other'))
    expect((await failure(auditor.listAuditEntries({ parent }))).code).toBe('RESOURCE_UNKNOWN')
  })
})

/** A connection key proves an account on a socket, and nothing here (R18). */
async function connectionKey(): Promise<string> {
  return `phk_${'0'.repeat(32)}_${'A'.repeat(43)}`
}
