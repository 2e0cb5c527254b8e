/** People administer by JWTs of a provider that the config names, and by no others (K1 to K6). */
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { newKey, TokenIssuer } from '../support/token-issuer.ts'

const AUDIENCE = 'porthouse-admin'

let issuer: TokenIssuer
let gateway: TestGateway

beforeAll(async () => {
  issuer = await TokenIssuer.start()
  const oidc = { issuer: issuer.url, audience: AUDIENCE, claim: 'role' }
  gateway = await TestGateway.start({ admin: { oidc } })
  for (const slug of ['acme', 'other']) await gateway.store.accounts.create({ slug })
})
afterAll(async () => {
  await gateway.stop()
  await issuer[Symbol.asyncDispose]()
})

function accountsBy(jwt: string) {
  return adminClient(AccountService, gateway, jwt)
}

const now = () => Math.floor(Date.now() / 1000)

function claims(role: string, more: object = {}) {
  return { iss: issuer.url, aud: AUDIENCE, sub: 'ada', exp: now() + 60, role, ...more }
}

describe('a JWT', () => {
  test('lets its person do what its role permits', async () => {
    const operator = accountsBy(await issuer.token(claims('operator')))
    expect((await operator.listAccounts({})).accounts).toHaveLength(2)
    const owner = accountsBy(await issuer.token(claims('owner:acme')))
    const { accounts } = await owner.listAccounts({})
    expect(accounts.map(({ name }) => name)).toEqual(['accounts/acme'])
    expect((await failure(owner.createAccount({ accountId: 'new' }))).code).toBe(
      'ROLE_NOT_PERMITTED',
    )
    expect((await failure(owner.getAccount({ name: 'accounts/other' }))).code).toBe(
      'RESOURCE_UNKNOWN',
    )
  })

  test.each(['owner', 'operator:acme', 'root', 'admin:none', ''])(
    'with the role %j is nobody',
    async (role) => {
      const client = accountsBy(await issuer.token(claims(role)))
      expect((await failure(client.listAccounts({}))).code).toBe('UNAUTHENTICATED')
    },
  )

  test.each([
    ['past its expiry', { exp: now() - 60 }],
    ['not valid yet', { nbf: now() + 600 }],
    ['for somebody else', { aud: 'another' }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['without expiry', { exp: undefined }],
  ])('%s is nobody (K2)', async (_, more) => {
    const client = accountsBy(await issuer.token(claims('operator', more)))
    expect((await failure(client.listAccounts({}))).code).toBe('UNAUTHENTICATED')
  })

  test('signed by another key, or by nobody, is nobody (K1, K3)', async () => {
    const forged = await issuer.token(claims('operator'), {}, await newKey('one'))
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'none' })}.${part(claims('operator'))}.`
    for (const jwt of [forged, unsigned]) {
      expect((await failure(accountsBy(jwt).listAccounts({}))).code).toBe('UNAUTHENTICATED')
    }
  })
})
