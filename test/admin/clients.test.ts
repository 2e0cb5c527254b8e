/** Clients and what they prove themselves by, by the admin API (R7, R8). */
import { randomUUID } from 'node:crypto'
import { type MessageInitShape, toJsonString } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Client as Caller } from '@connectrpc/connect'
import {
  AuditService,
  ListAuditEntriesResponseSchema,
} from '@porthouse/proto/admin/v1/audit_service'
import {
  type ClientSchema,
  ClientService,
  CredentialKind,
} from '@porthouse/proto/admin/v1/client_service'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, codes, failure, pagesOf } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { dropped } from '../support/outcome.ts'
import { provePassword, proveSshKey } from '../support/proving.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'
import { ed25519, rsa } from '../support/sshsig.ts'

const parent = 'accounts/acme'
const boiler = { room: `${parent}/rooms/boiler`, send: true }

let gateway: TestGateway
let operator: string
let clients: Caller<typeof ClientService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  operator = await gateway.operatorKey()
  clients = adminClient(ClientService, gateway, operator)
  for (const room of ['acme/boiler', 'acme/cellar', 'other/boiler']) await gateway.room(room)
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

const code = async (call: Promise<unknown>) => (await failure(call)).code
const violated = async (call: Promise<unknown>) =>
  (await failure(call)).problem?.violations.map(({ field }) => field)

type Given = MessageInitShape<typeof ClientSchema>

let slugs = 0
const made = (rest: { clientId?: string; client?: Given; credentials?: never } = {}) =>
  clients.createClient({ parent, clientId: `client-${++slugs}`, ...rest })

/** Proves a client by its password, or rejects. */
async function enter(client: string, password: string): Promise<RawWebSocket> {
  const socket = await RawWebSocket.open(gateway.port)
  await provePassword(socket, `client:acme/${client}`, password)
  return socket
}

/** Every method that changes one client, or what it has. */
function changes(caller: Caller<typeof ClientService>, name: string): Promise<unknown>[] {
  return [
    caller.updateClient({ client: { name, maxSockets: 1 } }),
    caller.createCredential({
      parent: name,
      credential: { proof: { case: 'password', value: 'x' } },
    }),
    caller.deleteCredential({ name: `${name}/credentials/${randomUUID()}` }),
    caller.deleteClient({ name }),
  ]
}

describe('a client', () => {
  test('is made with rights and proofs, which are never shown', async () => {
    const [key, password] = [ed25519(), 'correct horse battery']
    const client = await clients.createClient({
      parent,
      clientId: 'ann',
      client: { grants: [boiler], maxSockets: 3 },
      credentials: [
        { proof: { case: 'sshKey', value: key.line } },
        { label: 'hers', proof: { case: 'password', value: password } },
        {
          proof: {
            case: 'preset',
            value: { challenge: Buffer.from('who'), response: Buffer.from('me, of course') },
          },
        },
      ],
    })
    expect(client).toMatchObject({ name: `${parent}/clients/ann`, grants: [boiler], maxSockets: 3 })
    expect(await clients.getClient({ name: `${parent}/clients/${client.uid}` })).toEqual(client)
    const { credentials } = await clients.listCredentials({ parent: client.name })
    expect(credentials.map(({ kind, label, proof }) => [kind, label, proof.case])).toEqual([
      [CredentialKind.SSH_KEY, 'anna@desk', undefined],
      [CredentialKind.PASSWORD, 'hers', undefined],
      [CredentialKind.PRESET, '', undefined],
    ])
    expect(credentials[0]?.fingerprint).toMatch(/^SHA256:/)
    await enter('ann', password)
    const url = `http://127.0.0.1:${gateway.port}`
    const socket = await RawWebSocket.open(gateway.port)
    await proveSshKey(socket, url, 'client:acme/ann', key.privateKey)
    const log = await adminClient(AuditService, gateway, operator).listAuditEntries({ parent })
    const written = toJsonString(ListAuditEntriesResponseSchema, log)
    expect(written).toContain(client.name)
    for (const secret of [password, 'of course', Buffer.from('me, of course').toString('base64')]) {
      expect(written).not.toContain(secret)
    }
  })

  test('is changed in what the mask names, by one alone who read it', async () => {
    const { name, ...first } = await made({ client: { grants: [boiler], maxSockets: 3 } })
    const more = { name, maxSockets: 1, grants: [] }
    const updateMask = { paths: ['max_sockets'] }
    const changed = await clients.updateClient({ client: more, updateMask })
    expect(changed).toEqual({ ...first, name, maxSockets: 1, etag: changed.etag })
    const cellar = { room: `${parent}/rooms/cellar`, receive: true }
    const granted = await clients.updateClient({ client: { name, grants: [cellar] } })
    expect(granted).toMatchObject({ grants: [cellar], maxSockets: 1 })
    const { etag } = granted
    const all = Array.from({ length: 6 }, (_, i) =>
      clients.updateClient({ client: { name, etag, maxSockets: i + 2 } }),
    )
    const done = await Promise.allSettled(all)
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const [i, { status }] of done.entries()) {
      if (status === 'rejected') expect(await code(all[i]!)).toBe('ETAG_STALE')
    }
    expect(await code(clients.deleteClient({ name, etag }))).toBe('ETAG_STALE')
    const bare = { client: { name }, updateMask: { paths: ['grants', 'max_sockets'] } }
    const freed = await clients.updateClient(bare)
    expect(freed).toMatchObject({ grants: [], maxSockets: 0 })
    await clients.deleteClient({ name, etag: freed.etag })
    expect(await code(clients.getClient({ name }))).toBe('RESOURCE_UNKNOWN')
    for (const paths of [['slug'], ['name', 'grants'], []]) {
      const client = { name: (await made()).name }
      expect(await violated(clients.updateClient({ client, updateMask: { paths } }))).toEqual([
        'updateMask',
      ])
    }
  })

  test('stays as it is with validate_only', async () => {
    const client = await made({ client: { maxSockets: 3 } })
    const { name } = client
    const validateOnly = true
    const proof = { case: 'password', value: 'correct horse' } as const
    const planned = await clients.createClient({
      ...{ parent, clientId: 'never', client: { maxSockets: 2 }, validateOnly },
      credentials: [{ proof }],
    })
    expect(planned).toMatchObject({ name: `${parent}/clients/never`, uid: '', maxSockets: 2 })
    expect(await code(clients.getClient({ name: planned.name }))).toBe('RESOURCE_UNKNOWN')
    const update = { client: { name, grants: [boiler] }, validateOnly }
    expect(await clients.updateClient(update)).toMatchObject({ grants: [boiler], maxSockets: 3 })
    const credential = await clients.createCredential({
      ...{ parent: name, credential: { proof }, validateOnly },
    })
    expect(credential).toMatchObject({ name: '', kind: CredentialKind.PASSWORD })
    await clients.deleteClient({ name, validateOnly })
    expect(await clients.getClient({ name })).toEqual(client)
    expect((await clients.listCredentials({ parent: name })).credentials).toEqual([])
    const taken = { parent, clientId: name.split('/').at(-1)!, validateOnly }
    expect(await code(clients.createClient(taken))).toBe('RESOURCE_EXISTS')
  })

  test('is made once by one request id, and whole or not at all', async () => {
    const call = { parent, clientId: 'once', requestId: randomUUID() }
    const first = await clients.createClient(call)
    expect(await clients.createClient(call)).toEqual(first)
    expect(await code(clients.createClient({ ...call, requestId: '' }))).toBe('RESOURCE_EXISTS')
    const { line } = ed25519()
    const sshKey = { proof: { case: 'sshKey', value: line } } as const
    const twice = { parent, clientId: 'half', credentials: [sshKey, sshKey] }
    expect(await code(clients.createClient(twice))).toBe('RESOURCE_EXISTS')
    expect(await code(clients.getClient({ name: `${parent}/clients/half` }))).toBe(
      'RESOURCE_UNKNOWN',
    )
  })

  test('are listed to the end, by slug', async () => {
    await gateway.room('listed/boiler')
    const account = 'accounts/listed'
    const wanted = ['a-b', 'a0', 'ab', 'b', 'c']
    for (const clientId of wanted.toReversed()) {
      await clients.createClient({ parent: account, clientId })
    }
    const pages = await pagesOf(async (pageToken) => {
      const page = await clients.listClients({ parent: account, pageSize: 2, pageToken })
      return { items: page.clients.map(({ name }) => name), nextPageToken: page.nextPageToken }
    })
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1])
    expect(pages.flat()).toEqual(wanted.map((slug) => `${account}/clients/${slug}`))
    const { nextPageToken: pageToken } = await clients.listClients({ parent: account, pageSize: 2 })
    expect(await code(clients.listClients({ parent, pageToken }))).toBe('PAGE_TOKEN_INVALID')
  })
})

describe('credentials', () => {
  test('are given and taken, and the sockets proved by them dropped (K8)', async () => {
    const { name } = await made({ clientId: 'erik' })
    const give = (value: string) =>
      clients.createCredential({ parent: name, credential: { proof: { case: 'password', value } } })
    const first = await give('the first of them')
    const early = await enter('erik', 'the first of them')
    const second = await give('the second of them')
    expect((await dropped(early)).code).toBe('REVOKED')
    expect((await clients.listCredentials({ parent: name })).credentials).toEqual([second])
    expect(await code(clients.deleteCredential({ name: first.name }))).toBe('RESOURCE_UNKNOWN')
    const late = await enter('erik', 'the second of them')
    await clients.deleteCredential({ name: second.name })
    expect((await dropped(late)).code).toBe('REVOKED')
  })

  test('given at once leave one password, and a key once', async () => {
    const { name } = await made()
    const passwords = Array.from({ length: 4 }, (_, i) =>
      clients.createCredential({
        parent: name,
        credential: { proof: { case: 'password', value: `password ${i}` } },
      }),
    )
    await Promise.all(passwords)
    expect((await clients.listCredentials({ parent: name })).credentials).toHaveLength(1)
    const { line } = ed25519()
    const credential = { proof: { case: 'sshKey', value: line } } as const
    const sshKey = await clients.createCredential({ parent: name, credential })
    for (const validateOnly of [true, false]) {
      const again = clients.createCredential({ parent: name, credential, validateOnly })
      expect(await code(again)).toBe('RESOURCE_EXISTS')
    }
    await clients.deleteCredential({ name: sshKey.name, validateOnly: true })
    const pages = await pagesOf(async (pageToken) => {
      const page = await clients.listCredentials({ parent: name, pageSize: 1, pageToken })
      return { items: page.credentials.map(({ kind }) => kind), nextPageToken: page.nextPageToken }
    })
    expect(pages).toEqual([[CredentialKind.PASSWORD], [CredentialKind.SSH_KEY]])
  })

  test('that are none are refused, by the field (K11, K17)', async () => {
    const { name } = await made()
    const sshKey = (value: string) => ({ proof: { case: 'sshKey', value } })
    const password = (value: string) => ({ proof: { case: 'password', value } })
    const preset = (challenge: number, response: number) => {
      const bytes = (length: number) => Buffer.alloc(length, 1)
      const value = { challenge: bytes(challenge), response: bytes(response) }
      return { proof: { case: 'preset', value } }
    }
    const good = password('correct horse')
    const wrong: [object, string][] = [
      [{}, 'credential'],
      [{ ...good, label: 'a\nb' }, 'credential.label'],
      [{ ...good, label: 'a'.repeat(129) }, 'credential.label'],
      [{ ...good, expireTime: timestampFromMs(1) }, 'credential.expireTime'],
      [password(''), 'credential.password'],
      [password('a\0b'), 'credential.password'],
      [password('ä'.repeat(1_000)), 'credential.password'],
      [password('a'.repeat(2_000)), 'credential.password'],
      [sshKey('ssh-dss AAAA'), 'credential.sshKey'],
      [sshKey('-----BEGIN OPENSSH PRIVATE KEY-----'), 'credential.sshKey'],
      [sshKey(rsa(1024).line), 'credential.sshKey'],
      [sshKey('a'.repeat(9_000)), 'credential.sshKey'],
      [preset(0, 1), 'credential.preset.challenge'],
      [preset(1, 0), 'credential.preset.response'],
      [preset(1, 1025), 'credential.preset.response'],
    ]
    for (const [credential, field] of wrong) {
      const call = clients.createCredential({ parent: name, credential: credential as never })
      expect(await violated(call), field).toEqual([field])
    }
    const credentials = [good, password('another')] as never
    expect(await violated(made({ credentials }))).toEqual(['credentials[1]'])
    expect((await clients.listCredentials({ parent: name })).credentials).toEqual([])
  })
})

describe('refused', () => {
  test('what is not there, and what is of another account, alike (A15)', async () => {
    const owner = adminClient(ClientService, gateway, await gateway.apiKey('owner', 'acme'))
    const pump = { parent: 'accounts/other', clientId: 'pump' }
    const foreign = await clients.createClient(pump)
    const theirs = await clients.createCredential({
      parent: foreign.name,
      credential: { proof: { case: 'password', value: 'theirs' } },
    })
    const mine = await made()
    const id = theirs.name.split('/').at(-1)
    for (const name of [foreign.name, `${parent}/clients/${foreign.uid}`, `${parent}/clients/x`]) {
      const calls = [
        owner.getClient({ name }),
        owner.listCredentials({ parent: name }),
        owner.deleteCredential({ name: `${name}/credentials/${id}` }),
        ...changes(owner, name),
      ]
      for (const { code, message } of await Promise.all(calls.map(failure))) {
        expect(code).toBe('RESOURCE_UNKNOWN')
        expect(message.startsWith(`there is no ${name}`)).toBe(true)
      }
    }
    const moved = owner.deleteCredential({ name: `${mine.name}/credentials/${id}` })
    expect(await code(moved)).toBe('RESOURCE_UNKNOWN')
    expect(await codes(owner.listClients(pump), owner.createClient(pump))).toEqual([
      'RESOURCE_UNKNOWN',
      'RESOURCE_UNKNOWN',
    ])
    expect(await clients.listCredentials({ parent: foreign.name })).toMatchObject({
      credentials: [theirs],
    })
  })

  test('what cannot be a client, and names that are none', async () => {
    for (const clientId of ['', 'Ann', 'a b', randomUUID(), 'a'.repeat(64)]) {
      expect(['ARGUMENT_INVALID', 'ADDRESS_INVALID', 'NAME_TOO_LONG']).toContain(
        await code(made({ clientId })),
      )
    }
    expect(await violated(made({ client: { maxSockets: -1 } }))).toEqual(['client.maxSockets'])
    const foreign = { grants: [{ room: 'accounts/other/rooms/boiler' }] }
    expect(await violated(made({ client: foreign }))).toEqual(['client.grants[0].room'])
    const none = { grants: [{ room: `${parent}/rooms/none` }] }
    expect(await code(made({ client: none }))).toBe('RESOURCE_UNKNOWN')
    for (const name of ['', 'x', parent, `${parent}/clients/`, `${parent}/clients/A`]) {
      const calls = [clients.getClient({ name }), ...changes(clients, name)]
      for (const refused of await codes(...calls)) {
        expect(['ARGUMENT_INVALID', 'ADDRESS_INVALID']).toContain(refused)
      }
    }
  })

  test('those whose role does not permit it', async () => {
    const { name } = await made()
    for (const account of ['acme', undefined]) {
      const auditor = adminClient(ClientService, gateway, await gateway.apiKey('auditor', account))
      expect(await auditor.getClient({ name })).toMatchObject({ name })
      await auditor.listCredentials({ parent: name })
      const refused = await codes(
        auditor.createClient({ parent, clientId: 'new' }),
        ...changes(auditor, name),
      )
      expect(new Set(refused)).toEqual(new Set(['ROLE_NOT_PERMITTED']))
    }
    const admin = adminClient(ClientService, gateway, await gateway.apiKey('admin', 'acme'))
    await admin.deleteClient({ name })
    const nobody = adminClient(ClientService, gateway, undefined)
    expect(await code(nobody.listClients({ parent }))).toBe('UNAUTHENTICATED')
  })
})
