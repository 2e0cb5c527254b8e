/** Connection keys by the admin API: made, rotated with an overlap, revoked (R1). */
import { randomUUID } from 'node:crypto'
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Client } from '@connectrpc/connect'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import {
  type ConnectionKey,
  ConnectionKeyService,
} from '@porthouse/proto/admin/v1/connection_key_service'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, codes, failure, pagesOf } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { dropped } from '../support/outcome.ts'
import { proveKey } from '../support/proving.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'

const parent = 'accounts/acme'
const DAY_MS = 86_400_000

let gateway: TestGateway
let keys: Client<typeof ConnectionKeyService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  keys = adminClient(ConnectionKeyService, gateway, await gateway.operatorKey())
  for (const slug of ['acme', 'other', 'listed']) await gateway.store.accounts.create({ slug })
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

const code = async (call: Promise<unknown>) => (await failure(call)).code
const violated = async (call: Promise<unknown>) =>
  (await failure(call)).problem?.violations.map(({ field }) => field)
const idOf = ({ name }: { name: string }) => name.split('/').at(-1)!

/** A socket that has proved the account by a key. */
async function enter(key: ConnectionKey): Promise<RawWebSocket> {
  const socket = await RawWebSocket.open(gateway.port)
  const { secret } = key
  await proveKey(socket, `http://127.0.0.1:${gateway.port}`, { id: idOf(key), secret })
  return socket
}

/** Every method that changes one key. */
function changes(client: Client<typeof ConnectionKeyService>, name: string): Promise<unknown>[] {
  return [client.rotateConnectionKey({ name }), client.revokeConnectionKey({ name })]
}

describe('a connection key', () => {
  test('opens sockets until it is revoked, and nothing of this API (R18)', async () => {
    const expireTime = timestampFromMs(Date.now() + DAY_MS)
    const connectionKey = { label: 'bridge', expireTime }
    const key = await keys.createConnectionKey({ parent, connectionKey })
    expect(key).toMatchObject({ label: 'bridge', expireTime })
    const { connectionKeys } = await keys.listConnectionKeys({ parent })
    expect(connectionKeys).toContainEqual({ ...key, secret: '' })
    const socket = await enter(key)
    const bearer = adminClient(AccountService, gateway, key.secret)
    expect(await code(bearer.listAccounts({}))).toBe('UNAUTHENTICATED')
    await keys.revokeConnectionKey({ name: key.name })
    expect((await dropped(socket)).code).toBe('REVOKED')
    await expect(enter(key)).rejects.toThrow('not passed')
    expect(await codes(...changes(keys, key.name))).toEqual([
      'RESOURCE_UNKNOWN',
      'RESOURCE_UNKNOWN',
    ])
  })

  test('gives way to another one after an overlap', async () => {
    const before = await keys.createConnectionKey({ parent, connectionKey: { label: 'bridge' } })
    const { name } = before
    const { connectionKey: next, replaced } = await keys.rotateConnectionKey({ name })
    expect(next?.label).toBe('bridge')
    expect(next?.expireTime).toBeUndefined()
    expect(replaced).toMatchObject({ name, secret: '' })
    const left = timestampDate(replaced!.expireTime!).getTime() - Date.now()
    expect(left).toBeGreaterThan(DAY_MS - 60_000)
    expect(left).toBeLessThanOrEqual(DAY_MS)
    const [old, fresh] = [await enter(before), await enter(next!)]
    // An overlap never lengthens the life of a key.
    const longer = await keys.rotateConnectionKey({ name, overlap: { seconds: 10n ** 6n } })
    expect(longer.replaced?.expireTime).toEqual(replaced?.expireTime)
    await keys.rotateConnectionKey({ name, overlap: { seconds: 0n } })
    expect((await dropped(old)).code).toBe('PROOF_EXPIRED')
    expect(await code(keys.rotateConnectionKey({ name }))).toBe('STATE_UNSUITABLE')
    await keys.revokeConnectionKey({ name: next!.name })
    expect((await dropped(fresh)).code).toBe('REVOKED')
  })

  test('stays as it is with validate_only', async () => {
    const validateOnly = true
    const { name } = await keys.createConnectionKey({ parent })
    const before = await keys.listConnectionKeys({ parent })
    const planned = await keys.createConnectionKey({
      ...{ parent, connectionKey: { label: 'never' }, validateOnly },
    })
    expect(planned).toMatchObject({ name: '', label: 'never', secret: '' })
    const rotated = await keys.rotateConnectionKey({ name, validateOnly })
    expect(rotated).toMatchObject({ connectionKey: { secret: '' }, replaced: { name } })
    expect(rotated.replaced?.expireTime).toBeDefined()
    await keys.revokeConnectionKey({ name, validateOnly })
    expect(await keys.listConnectionKeys({ parent })).toEqual(before)
  })

  test('is made and rotated once by one request id', async () => {
    const call = { parent, requestId: randomUUID() }
    const key = await keys.createConnectionKey(call)
    expect(await keys.createConnectionKey(call)).toEqual(key)
    const rotate = { name: key.name, requestId: randomUUID() }
    const rotated = await keys.rotateConnectionKey(rotate)
    expect(await keys.rotateConnectionKey(rotate)).toEqual(rotated)
  })

  test('are listed to the end, oldest first', async () => {
    const account = 'accounts/listed'
    const names: string[] = []
    for (let i = 0; i < 5; i++) {
      names.push((await keys.createConnectionKey({ parent: account })).name)
    }
    const pages = await pagesOf(async (pageToken) => {
      const page = await keys.listConnectionKeys({ parent: account, pageSize: 2, pageToken })
      const items = page.connectionKeys.map(({ name }) => name)
      return { items, nextPageToken: page.nextPageToken }
    })
    expect(pages.flat()).toEqual(names)
    const page = await keys.listConnectionKeys({ parent: account, pageSize: 2 })
    const stray = keys.listConnectionKeys({ parent, pageToken: page.nextPageToken })
    expect(await code(stray)).toBe('PAGE_TOKEN_INVALID')
  })
})

describe('refused', () => {
  test('what is not there, and what is of another account, alike (A15)', async () => {
    const owner = adminClient(ConnectionKeyService, gateway, await gateway.apiKey('owner', 'acme'))
    const foreign = await keys.createConnectionKey({ parent: 'accounts/other' })
    const here = `${parent}/connectionKeys`
    // Nor is what a client has a connection key.
    await gateway.store.clients.ensure('acme', 'ann')
    const other = { id: randomUUID(), kind: 'password', data: {}, label: '' } as const
    await gateway.store.credentials.add({ ...other, account: 'acme', client: 'ann' })
    const ids = [idOf(foreign), other.id, randomUUID()]
    for (const name of [foreign.name, ...ids.map((id) => `${here}/${id}`)]) {
      for (const { code, message } of await Promise.all(changes(owner, name).map(failure))) {
        expect([code, message]).toEqual(['RESOURCE_UNKNOWN', `there is no ${name}`])
      }
    }
    const theirs = { parent: 'accounts/other' }
    expect(
      await codes(owner.listConnectionKeys(theirs), owner.createConnectionKey(theirs)),
    ).toEqual(['RESOURCE_UNKNOWN', 'RESOURCE_UNKNOWN'])
    await enter(foreign)
  })

  test('what cannot be a key, and names that are none', async () => {
    const past = timestampFromMs(Date.now() - 1)
    const wrong: [object, string][] = [
      [{ label: 'a\u0007' }, 'connectionKey.label'],
      [{ label: 'a'.repeat(129) }, 'connectionKey.label'],
      [{ expireTime: past }, 'connectionKey.expireTime'],
    ]
    for (const [connectionKey, field] of wrong) {
      expect(await violated(keys.createConnectionKey({ parent, connectionKey }))).toEqual([field])
    }
    const { name } = await keys.createConnectionKey({ parent })
    for (const seconds of [-1n, 10n ** 12n]) {
      const call = keys.rotateConnectionKey({ name, overlap: { seconds } })
      expect(await violated(call)).toEqual(['overlap'])
    }
    const ended = keys.rotateConnectionKey({ name, expireTime: past })
    expect(await violated(ended)).toEqual(['expireTime'])
    for (const wrongName of ['', 'x', parent, `${parent}/connectionKeys/x`, `${name}/x`]) {
      for (const refused of await codes(...changes(keys, wrongName))) {
        expect(['ARGUMENT_INVALID', 'ADDRESS_INVALID']).toContain(refused)
      }
    }
  })

  test('those whose role does not permit it', async () => {
    const { name } = await keys.createConnectionKey({ parent })
    const as = async (role: 'admin' | 'auditor' | 'owner') =>
      adminClient(ConnectionKeyService, gateway, await gateway.apiKey(role, 'acme'))
    const [admin, auditor, owner] = [await as('admin'), await as('auditor'), await as('owner')]
    const calls = [admin, auditor].flatMap((client) => [
      client.createConnectionKey({ parent }),
      ...changes(client, name),
    ])
    const refused = await codes(...calls, admin.listConnectionKeys({ parent }))
    expect(new Set(refused)).toEqual(new Set(['ROLE_NOT_PERMITTED']))
    await auditor.listConnectionKeys({ parent })
    await owner.revokeConnectionKey({ name })
    const nobody = adminClient(ConnectionKeyService, gateway, undefined)
    expect(await code(nobody.listConnectionKeys({ parent }))).toBe('UNAUTHENTICATED')
  })
})
