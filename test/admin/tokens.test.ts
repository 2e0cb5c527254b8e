/** Tokens by the admin API (R33): each method, what it refuses, and to whom. */
import { randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Client } from '@connectrpc/connect'
import { AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { GrantSchema } from '@porthouse/proto/admin/v1/grant'
import { type Token, TokenMethod, TokenService } from '@porthouse/proto/admin/v1/token_service'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { proveToken } from '../../gateway/identity/tokens.ts'
import { adminClient, codes, failure, pagesOf } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

const parent = 'accounts/acme'
const [boiler, cellar] = [`${parent}/rooms/boiler`, `${parent}/rooms/cellar`]

let gateway: TestGateway
let operator: string
let tokens: Client<typeof TokenService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  operator = await gateway.operatorKey()
  tokens = adminClient(TokenService, gateway, operator)
  for (const room of ['acme/boiler', 'acme/cellar', 'other/boiler']) await gateway.room(room)
})
afterAll(() => gateway.stop())

const code = async (call: Promise<unknown>) => (await failure(call)).code
const violated = async (call: Promise<unknown>) =>
  (await failure(call)).problem?.violations.map(({ field }) => field)

function made(token: Parameters<typeof tokens.createToken>[0]['token'] = {}): Promise<Token> {
  return tokens.createToken({ parent, token })
}

function grant(room: string, rights: { send?: boolean; channels?: string[] } = {}) {
  return create(GrantSchema, { room, ...rights })
}

/** Every method that changes one token. */
function changes(client: Client<typeof TokenService>, name: string): Promise<unknown>[] {
  return [
    client.updateToken({ token: { name, maxConnections: 1 } }),
    client.regenerateToken({ name }),
    client.revokeToken({ name }),
    client.deleteToken({ name }),
  ]
}

async function isGood({ secret }: { secret: string }): Promise<boolean> {
  return (await proveToken(gateway.store.tokens, secret, Date.now())).outcome === 'proved'
}

describe('a token', () => {
  test('is made with all that it may have, and its secret is told once', async () => {
    const expireTime = timestampFromMs(Date.now() + 60_000)
    const token = await made({
      client: `${parent}/clients/pump`,
      grants: [grant(boiler, { send: true, channels: ['a/**', 'b'] })],
      expireTime,
      method: TokenMethod.JSON,
      rate: { perSecond: 0.5 },
      maxConnections: 3,
    })
    const { secret, ...shown } = token
    expect(shown).toMatchObject({
      client: `${parent}/clients/pump`,
      grants: [{ room: boiler, send: true, receive: false, channels: ['a/**', 'b'] }],
      expireTime,
      method: TokenMethod.JSON,
      rate: { perSecond: 0.5, burst: 1 },
      maxConnections: 3,
      revoked: false,
    })
    expect(token.name).toMatch(/^accounts\/acme\/tokens\/[0-9a-f-]{36}$/)
    expect(await isGood(token)).toBe(true)
    expect(await tokens.getToken({ name: token.name })).toEqual({ ...token, secret: '' })
    const byId = token.name.replace('acme', (await gateway.store.accounts.find('acme'))!.id)
    expect((await tokens.getToken({ name: byId })).name).toBe(token.name)
    const log = adminClient(AuditService, gateway, operator)
    const { entries } = await log.listAuditEntries({ parent, pageSize: 1 })
    expect(entries).toMatchObject([{ method: 'TokenService/CreateToken', resource: token.name }])
    expect(JSON.stringify(entries, (_, v) => (typeof v === 'bigint' ? `${v}` : v))).not.toContain(
      secret.slice(-43),
    )
  })

  test('is found by its id alone by who may see all accounts, and by nobody else', async () => {
    const { name, secret: _secret, ...rest } = await made({ grants: [grant(boiler)] })
    const anywhere = name.replace('acme', '-')
    expect(await tokens.getToken({ name: anywhere })).toMatchObject({ ...rest, name })
    const owner = adminClient(TokenService, gateway, await gateway.apiKey('owner', 'acme'))
    const all = [owner.getToken({ name: anywhere }), ...changes(owner, anywhere)]
    expect(new Set(await Promise.all(all.map(code)))).toEqual(new Set(['RESOURCE_UNKNOWN']))
    await tokens.deleteToken({ name: anywhere })
    expect(await code(tokens.getToken({ name }))).toBe('RESOURCE_UNKNOWN')
  })

  test('is changed in what the mask names, and in nothing else', async () => {
    const { name, ...first } = await made({ grants: [grant(boiler)], maxConnections: 3 })
    const update = (token: object, ...paths: string[]) =>
      tokens.updateToken({
        token: { name, ...token },
        ...(paths.length > 0 && { updateMask: { paths } }),
      })
    const unnamed = { maxConnections: 9, method: TokenMethod.TEXT, rate: { perSecond: 2 } }
    const typed = await update(unnamed, 'method')
    const kept = { ...first, name, secret: '', etag: typed.etag }
    expect(typed).toEqual({ ...kept, method: TokenMethod.TEXT })
    expect(typed.etag).not.toBe(first.etag)
    expect(await update({ maxConnections: 4, grants: [grant(cellar)] })).toMatchObject({
      method: TokenMethod.TEXT,
      maxConnections: 4,
      grants: [{ room: cellar }],
    })
    const freed = await update({}, 'grants', 'max_connections', 'method', 'rate', 'expire_time')
    expect(freed).toMatchObject({ grants: [], maxConnections: 0, method: 0 })
    expect(await violated(update({}))).toEqual(['updateMask'])
    for (const path of ['secret', 'client', 'name', 'rate.burst', 'x']) {
      expect(await violated(update({}, path))).toEqual(['updateMask'])
    }
  })

  test('is changed by one alone of those who read it at once', async () => {
    const { name, etag } = await made()
    const all = Array.from({ length: 6 }, (_, i) =>
      tokens.updateToken({ token: { name, etag, maxConnections: i + 1 } }),
    )
    const done = await Promise.allSettled(all)
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const [i, { status }] of done.entries()) {
      if (status === 'rejected') expect(await code(all[i]!)).toBe('ETAG_STALE')
    }
    const stale = await codes(
      tokens.regenerateToken({ name, etag }),
      tokens.revokeToken({ name, etag }),
      tokens.deleteToken({ name, etag }),
    )
    expect(new Set(stale)).toEqual(new Set(['ETAG_STALE']))
    const now = await tokens.getToken({ name })
    expect(await tokens.revokeToken({ name, etag: now.etag })).toMatchObject({ revoked: true })
  })

  test('has another secret, has none, and is gone', async () => {
    const first = await made()
    const { name } = first
    const second = await tokens.regenerateToken({ name })
    expect([await isGood(first), await isGood(second)]).toEqual([false, true])
    expect(await tokens.revokeToken({ name })).toMatchObject({ revoked: true, secret: '' })
    expect(await isGood(second)).toBe(false)
    const third = await tokens.regenerateToken({ name })
    expect(third).toMatchObject({ name, revoked: false })
    expect(await isGood(third)).toBe(true)
    await tokens.deleteToken({ name })
    expect(await code(tokens.deleteToken({ name }))).toBe('RESOURCE_UNKNOWN')
    expect(await isGood(third)).toBe(false)
  })

  test('stays as it is with validate_only', async () => {
    const token = await made({ grants: [grant(boiler)] })
    const { name, secret, ...rest } = token
    const only = { name, validateOnly: true }
    const count = (await gateway.store.tokens.list('acme')).length
    const would = { grants: [grant(cellar)], maxConnections: 2 }
    const planned = await tokens.createToken({ parent, token: would, validateOnly: true })
    expect(planned).toMatchObject({ name: '', secret: '', etag: '', ...would })
    const update = { token: { name, ...would }, validateOnly: true }
    expect(await tokens.updateToken(update)).toEqual({ ...rest, name, secret: '', ...would })
    expect(await tokens.regenerateToken(only)).toMatchObject({ secret: '' })
    expect(await tokens.revokeToken(only)).toMatchObject({ revoked: true })
    await tokens.deleteToken(only)
    expect(await tokens.getToken({ name })).toEqual({ ...token, secret: '' })
    expect(await isGood({ secret })).toBe(true)
    expect(await gateway.store.tokens.list('acme')).toHaveLength(count)
  })

  test('is made once by one request id, and its secret told again', async () => {
    const requestId = randomUUID()
    const first = await tokens.createToken({ parent, token: {}, requestId })
    expect(await tokens.createToken({ parent, token: {}, requestId })).toEqual(first)
    const again = { name: first.name, requestId: randomUUID() }
    const regenerated = await tokens.regenerateToken(again)
    expect(await tokens.regenerateToken(again)).toEqual(regenerated)
    expect(await isGood(regenerated)).toBe(true)
  })
})

describe('a list', () => {
  test('is read to its end, oldest first, and by client and room', async () => {
    const account = 'accounts/listed'
    await gateway.room('listed/boiler')
    const room = `${account}/rooms/boiler`
    const names: string[] = []
    for (let i = 0; i < 7; i++) {
      const token = {
        ...(i % 2 && { grants: [grant(room)] }),
        ...(i > 3 && { client: `${account}/clients/pump` }),
      }
      names.push((await tokens.createToken({ parent: account, token })).name)
    }
    const all = async (filters: { client?: string; room?: string } = {}) => {
      const pages = await pagesOf(async (pageToken) => {
        const query = { parent: account, pageSize: 2, pageToken, ...filters }
        const { tokens: items, nextPageToken } = await tokens.listTokens(query)
        expect(items.length).toBeLessThanOrEqual(2)
        return { items: items.map(({ name }) => name), nextPageToken }
      })
      return pages.flat()
    }
    const client = `${account}/clients/pump`
    expect(await all()).toEqual(names)
    expect(await all({ client })).toEqual(names.slice(4))
    expect(await all({ room })).toEqual([names[1], names[3], names[5]])
    expect(await all({ client, room })).toEqual([names[5]])
    const { nextPageToken: pageToken } = await tokens.listTokens({ parent: account, pageSize: 2 })
    const others = [
      { parent: account, pageToken, client },
      { parent: account, pageToken, room },
      { parent, pageToken },
      { parent: account, pageToken: `${pageToken}x` },
    ]
    for (const query of others) {
      expect(await code(tokens.listTokens(query))).toBe('PAGE_TOKEN_INVALID')
    }
  })
})

describe('refused', () => {
  test('what is not there, and what is of another account, alike (A15)', async () => {
    const owner = adminClient(TokenService, gateway, await gateway.apiKey('owner', 'acme'))
    const foreign = await tokens.createToken({ parent: 'accounts/other', token: {} })
    const id = foreign.name.split('/').at(-1)
    const there = [foreign.name, `${parent}/tokens/${id}`]
    for (const name of [...there, foreign.name.replace(id!, randomUUID())]) {
      const calls = [owner.getToken({ name }), ...changes(owner, name)]
      for (const { code, message } of await Promise.all(calls.map(failure))) {
        expect([code, message]).toEqual(['RESOURCE_UNKNOWN', `there is no ${name}`])
      }
    }
    expect(await code(owner.listTokens({ parent: 'accounts/other' }))).toBe('RESOURCE_UNKNOWN')
    const token = {}
    const create = owner.createToken({ parent: 'accounts/other', token })
    expect(await code(create)).toBe('RESOURCE_UNKNOWN')
    expect(await isGood(foreign)).toBe(true)
  })

  test('what cannot be a token, by the field', async () => {
    const other = 'accounts/other'
    const past = timestampFromMs(Date.now() - 1)
    const wrong: [object, string][] = [
      [{ expireTime: past }, 'token.expireTime'],
      [{ maxConnections: -1 }, 'token.maxConnections'],
      [{ maxConnections: 1e9 }, 'token.maxConnections'],
      [{ rate: {} }, 'token.rate.perSecond'],
      [{ rate: { perSecond: -1 } }, 'token.rate.perSecond'],
      [{ rate: { perSecond: Number.NaN } }, 'token.rate.perSecond'],
      [{ rate: { perSecond: 1, burst: -1 } }, 'token.rate.burst'],
      [{ method: 77 }, 'token.method'],
      [{ grants: [{}] }, 'token.grants[0].room'],
      [{ grants: [grant('boiler')] }, 'token.grants[0].room'],
      [{ grants: [grant(boiler), grant(`${other}/rooms/boiler`)] }, 'token.grants[1].room'],
      [{ grants: [grant(boiler, { channels: ['a', '**/b'] })] }, 'token.grants[0].channels[1]'],
      [{ client: `${other}/clients/pump` }, 'token.client'],
      [{ client: 'pump' }, 'token.client'],
    ]
    for (const [token, field] of wrong) {
      expect(await violated(tokens.createToken({ parent, token })), field).toEqual([field])
    }
    const unknown = [
      { grants: [grant(`${parent}/rooms/none`)] },
      { client: `${parent}/clients/${randomUUID()}` },
    ]
    for (const token of unknown) {
      for (const validateOnly of [true, false]) {
        expect(await code(tokens.createToken({ parent, token, validateOnly }))).toBe(
          'RESOURCE_UNKNOWN',
        )
      }
    }
    for (const [filter, name] of [
      ['client', 'clients/none'],
      ['room', 'rooms/none'],
    ] as const) {
      const list = tokens.listTokens({ parent, [filter]: `${parent}/${name}` })
      expect(await code(list)).toBe('RESOURCE_UNKNOWN')
    }
  })

  test.each([
    '',
    'x',
    parent,
    `${parent}/tokens/pump`,
    `${parent}/tokens/`,
    `${parent}/tokens/${randomUUID()}/x`,
    `accounts/A/tokens/${randomUUID()}`,
    `${parent}/rooms/boiler`,
    `${parent}/tokens/'; drop table tokens; --`,
  ])('a name like %j', async (name) => {
    for (const refused of await codes(tokens.getToken({ name }), ...changes(tokens, name))) {
      expect(['ARGUMENT_INVALID', 'ADDRESS_INVALID']).toContain(refused)
    }
  })

  test('those whose role does not permit it', async () => {
    const { name, secret } = await made({ grants: [grant(boiler, { send: true })] })
    const keys = {
      auditor: await gateway.apiKey('auditor', 'acme'),
      everywhere: await gateway.apiKey('auditor'),
      token: secret,
    }
    for (const [who, key] of Object.entries(keys)) {
      const client = adminClient(TokenService, gateway, key)
      const create = client.createToken({ parent, token: {} })
      const refused = await codes(create, ...changes(client, name))
      expect(new Set(refused)).toEqual(new Set(['ROLE_NOT_PERMITTED']))
      const read = client.getToken({ name })
      if (who === 'token') expect(await code(read)).toBe('ROLE_NOT_PERMITTED')
      else expect(await read).toMatchObject({ name, secret: '' })
    }
    const admin = adminClient(TokenService, gateway, await gateway.apiKey('admin', 'acme'))
    await admin.deleteToken({ name })
    const nobody = adminClient(TokenService, gateway, undefined)
    expect(await code(nobody.listTokens({ parent }))).toBe('UNAUTHENTICATED')
  })
})
