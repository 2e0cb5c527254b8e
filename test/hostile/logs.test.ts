/** S3, K16: whole logins by every acceptor, right and wrong, leave no secret in the log. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '@bufbuild/protobuf'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import {
  type Answerer,
  type Client,
  connect,
  connectionKey,
  password,
  preset,
  prompts,
  token,
} from '../../clients/ts/src/index.ts'
import { sshKeyFile } from '../../clients/ts/src/node/index.ts'
import { operatorKey } from '../../gateway/admin/credentials/operator-key.ts'
import { schema } from '../../gateway/config/config.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { newLogin } from '../../gateway/identity/logins.ts'
import { newPassword } from '../../gateway/identity/passwords.ts'
import { newPreset } from '../../gateway/identity/presets.ts'
import { readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import { forPeople } from '../../gateway/observe/log.ts'
import { type CredentialKind, type Store, StoreError } from '../../gateway/store/store.ts'
import { TestGateway } from '../support/gateway.ts'
import { MqttClient } from '../support/mqtt-client.ts'
import { block, DURABLE } from '../support/past.ts'
import { type KeyPair, SshKeygen } from '../support/ssh-keygen.ts'
import { TokenIssuer } from '../support/token-issuer.ts'
import { json, WebServer } from '../support/web-server.ts'
import { any, guarded, lock, tty } from './hostile-hall.ts'

/** Nothing that contains one of these may be logged. */
const secrets = new Set<string>()

function secret(text: string): string {
  secrets.add(text)
  return text
}

const PASSWORD = secret('correct-horse-battery')
const WRONG = secret('wrong-staple-of-anybody')
const PAYLOAD = secret('the-payload-of-a-message')
const HOOK = secret(Buffer.alloc(32, 7).toString('base64'))

let base: TestGateway
let folder: string
let gateway: Gateway
let keygen: SshKeygen
let key: KeyPair
let hook: WebServer
let issuer: TokenIssuer
let log = ''
let away = false
const clients: Client[] = []
const grants = [{ room: 'any', send: true, receive: true, admit: true }]

const sha = (text: string) => createHash('sha256').update(text).digest('hex')

/** The same store, which can be away. */
function fragile(store: Store): Store {
  const parts = Object.entries(store).map(([name, part]) => {
    const get = (target: object, method: string) => {
      const found = Reflect.get(target, method)
      if (typeof found !== 'function' || name === 'changes') return found?.bind?.(target) ?? found
      return (...given: unknown[]) => {
        if (!away) return found.apply(target, given)
        const cause = new Error('connection refused')
        return Promise.reject(new StoreError('unavailable', 'the database is away', cause))
      }
    }
    return [
      name,
      typeof part === 'object' ? new Proxy(part, { get } as ProxyHandler<object>) : part,
    ]
  })
  return Object.assign(Object.create(store), Object.fromEntries(parts))
}

beforeAll(async () => {
  base = await TestGateway.start()
  folder = await mkdtemp(join(tmpdir(), 'porthouse-logs-'))
  hook = await WebServer.start()
  issuer = await TokenIssuer.start()
  keygen = new SshKeygen()
  key = keygen.make('ed25519')
  const stream = {
    write(line: string) {
      log += line
    },
  }
  const config = schema.parse({
    data: folder,
    http: { listen: '127.0.0.1:0' },
    mqtt: { listen: '127.0.0.1:0' },
    limbo: { deadlineMs: 5_000 },
  })
  const options = { config, store: fragile(base.store), log: pino({ level: 'trace' }, stream) }
  gateway = await createGateway(options)
}, 60_000)
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  away = false
  for (const each of secrets) {
    for (const form of [each, Buffer.from(each).toString('base64'), encodeURIComponent(each)]) {
      expect(log).not.toContain(form.replace(/=+$/, ''))
    }
  }
})
afterAll(async () => {
  await gateway?.drain()
  keygen?.[Symbol.dispose]()
  for (const server of [hook, issuer]) await server?.[Symbol.asyncDispose]()
  await base?.stop()
  await rm(folder, { recursive: true, force: true })
})

const url = () => `ws://127.0.0.1:${gateway.http.port}`

async function credential(kind: CredentialKind, data: object, id: string = randomUUID()) {
  const client = kind === 'connection-key' ? {} : { client: 'anna' }
  const facts = { id, kind, account: 'acme', label: '', ...client }
  await base.store.credentials.add({ ...facts, data: data as JsonObject })
}

/** Enters, says something, and goes. */
async function enters(path: string, ...locks: Answerer[]): Promise<void> {
  const client = await connect(`${url()}${path}`, { locks, backoff: { baseMs: 10 } })
  clients.push(client)
  expect(client.entered?.maySend).toBe(true)
  await client.entered?.send(PAYLOAD)
}

/** Fails to. */
async function staysOut(path: string, ...locks: Answerer[]): Promise<void> {
  const connecting = connect(`${url()}${path}`, { locks, backoff: { baseMs: 10 } })
  await expect(connecting).rejects.toThrow()
}

/** Opens a bare socket with headers, and gives all that it hears until the end or a joined. */
function hears(path: string, headers: Record<string, string>, ...says: object[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url()}${path}`, 'porthouse.v1.json', { headers })
    let heard = ''
    socket.on('open', () => socket.send(JSON.stringify({ frames: says })))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(heard))
    socket.on('message', (data) => {
      heard += data.toString()
      if (heard.includes('"joined"') || heard.includes('UNAVAILABLE')) socket.terminate()
    })
  })
}

const says = (acceptor: string, said: string) => ({
  id: 7,
  lockStep: { answer: { acceptor, text: said } },
})

test('by what a client knows: token, key, SSH key, password, preset, prompts', async () => {
  await base.room('acme/any', [
    guarded(any(...['token', 'key', 'ssh-key', 'password', 'preset'].map((name) => lock(name)))),
  ])
  await base.room('acme/door', [guarded(tty(secret('mellon-the-word')))])
  const { id } = await base.store.clients.create({ account: 'acme', slug: 'anna', grants })
  await credential('ssh-key', readPublicKeyLine(key.line).data)
  await credential('password', await newPassword(PASSWORD, randomBytes(16)))
  const response = secret('the-response-of-a-device')
  await credential('preset', newPreset(Buffer.from('who?'), Buffer.from(response), randomBytes(16)))
  const keyId = randomUUID()
  const made = newConnectionKey(keyId, randomBytes(32), randomBytes(16))
  await credential('connection-key', made.data, keyId)
  const pht = secret(await base.token('acme', ['any']))
  secrets.add(pht.slice(-43)).add(made.secret.slice(-43))
  const byPassword = password({ client: 'acme/anna', password: PASSWORD })
  const byFile = sshKeyFile({ client: 'acme/anna', path: key.file })
  for (const answerer of [token(pht), connectionKey(made.secret), byFile, byPassword]) {
    await enters('/acme/any', answerer)
  }
  await enters(`/acme/any/${id}/`, preset(response))
  await enters(
    '/acme/door',
    prompts(async () => ['mellon-the-word']),
  )
  await staysOut('/acme/any', token(secret(`pht_${keyId.replaceAll('-', '')}_${WRONG}`)))
  await staysOut('/acme/any', password({ client: 'acme/anna', password: WRONG }))
  await staysOut(`/acme/any/${id}/`, preset(WRONG))
  // One that was not used yet, for what was just read is known while the store is away.
  const unused = secret(await base.token('acme', ['any']))
  away = true
  await hears('/v1/ws', {}, says('token', unused))
  expect(log).toContain('not judged')
})

test('by what a handshake shows: a path, a header, cookies', async () => {
  const [path, header, cookie] = ['path', 'header', 'cookie'].map((name) =>
    secret(`a-secret-${name}-of-a-door`),
  ) as [string, string, string]
  await base.room('acme/shown', [
    guarded(
      any(
        lock('url', { sha256: sha(path) }),
        lock('header', { name: 'x-door', value_sha256: sha(header) }),
        lock('cookie', { name: 'door', value_sha256: sha(cookie) }),
        lock('cookie'),
      ),
    ),
  ])
  const login = newLogin(randomBytes(32), 'r'.repeat(43))
  secret(login.cookie)
  await base.store.clients.ensure('acme', 'browser')
  const expiresAt = new Date(Date.now() + 60_000)
  const facts = { account: 'acme', client: 'browser', expiresAt }
  await base.store.logins.create({ hash: login.hash, ...facts })
  const origin = { origin: `http://127.0.0.1:${gateway.http.port}` }
  for (const [at, headers] of [
    [`/acme/shown/~${path}/x`, {}],
    ['/acme/shown', { 'x-door': header }],
    ['/acme/shown', { cookie: `door=${cookie}` }],
    ['/acme/shown', { cookie: `porthouse_login=${login.cookie}`, ...origin }],
  ] as const) {
    expect(await hears(at, headers)).toContain('"joined"')
  }
  await hears(`/acme/shown/~${WRONG}`, { 'x-door': WRONG, cookie: `door=${WRONG}` })
  await hears(`/acme/shown/~${WRONG}/%`, { authorization: WRONG })
  away = true
  await hears('/acme/shown', { cookie: `porthouse_login=${login.cookie}`, ...origin })
})

test('by a service, also where it answers nonsense', async () => {
  const options = { url: `${hook.url}/${secret('path-of-a-hook')}`, secret: `whsec_${HOOK}` }
  await base.room('acme/hooked', [guarded(lock('webhook', { ...options, ask: true }))])
  hook.answer = (_, response) => json(response, { admit: true })
  const said = secret('what-is-said-to-a-hook')
  expect(await hears('/acme/hooked', {}, says('webhook', said))).toContain('"joined"')
  const leak = secret('leaked')
  for (const body of [leak, `{"admit":true,"values":{"x":"${leak}"`, `{"x": ${leak}}`]) {
    hook.answer = (_, response) => response.end(body)
    expect(await hears('/acme/hooked', {}, says('webhook', said))).toContain('UNAVAILABLE')
  }
  expect(log).toContain('a webhook did not decide')
})

test('by an OpenID provider, also where it answers nonsense', async () => {
  const options = { issuer: issuer.url, client_id: 'hub', client_secret: secret('of-the-hub') }
  await base.room('acme/vouched', [guarded(lock('oidc', { ...options, device: true }))])
  const jwt = secret(await issuer.token())
  secrets.add(jwt.split('.')[2] as string)
  expect(await hears('/acme/vouched', {}, says('oidc', jwt))).toContain('"joined"')
  await hears('/acme/vouched', {}, says('oidc', 'device'))
  const leak = secret('leaked-by-it')
  issuer.metadata = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(leak)
  }
  const broken = { ...options, client_id: 'other' }
  await base.room('acme/broken', [guarded(lock('oidc', broken))])
  expect(await hears('/acme/broken', {}, says('oidc', jwt))).toContain('UNAVAILABLE')
  await fetch(`http://127.0.0.1:${gateway.http.port}/v1/login/acme/broken`)
  expect(log).toContain('OpenID')
})

test('what others say moves no cursor of whoever reads the log', () => {
  const said = 'evil\x1b[2J\r\u202e\x9b'
  const line = { level: 'warn', time: '2026-11-21T11:00:00.000Z', msg: said, reason: said }
  const shown = forPeople(JSON.stringify({ ...line, err: { message: said } }))
  const left = shown.slice(shown.indexOf('evil'))
  expect(left).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
  expect(left).toContain('evil\\u{1b}[2J')
})

test('at the teleprinter', async () => {
  const pht = secret(await base.token('acme', ['any']))
  for (const line of [pht, WRONG, `pht_${WRONG}`]) {
    const socket = new WebSocket(`${url()}/acme/any`)
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('open', () => {
      socket.send(line)
      socket.send(PAYLOAD)
      socket.send('/quit')
    })
    await closed
  }
  await vi.waitFor(async () => expect(await base.store.offences.list()).not.toEqual([]))
  const kept = JSON.stringify(await base.store.offences.list())
  for (const each of secrets) expect(kept).not.toContain(each)
})

test('over MQTT: logins, payloads, last values and wills', async () => {
  await base.room('acme/devices', [block('retained', { channels: 4 }), DURABLE])
  const pht = whole(await base.token('acme', ['devices']))
  const said = (what: string) => secret(`what-a-device-${what}`)
  const port = gateway.mqtt?.port ?? 0
  const topic = 'acme/devices/state'
  const will = { topic, payload: Buffer.from(said('leaves')), qos: 1 as const, retain: true }
  const login = { username: 'acme', clientId: 'a-device', clean: false }
  for (const password of [pht, WRONG, `pht_${WRONG}`]) {
    const client = await MqttClient.open(port)
    await client.connect({ ...login, password, will }).catch(() => undefined)
    const publish = { cmd: 'publish', topic, dup: false, messageId: 1 } as const
    client.send({ ...publish, payload: said('retains'), qos: 1, retain: true })
    client.send({ ...publish, payload: said('says'), qos: 0, retain: false })
    // With a last packet that is none, so that the will is said.
    client.write(Buffer.from(`\xf0\x7f${said('garbles')}`, 'latin1'))
    await client.ended
  }
  away = true
  const client = await MqttClient.open(port)
  await client
    .connect({ ...login, password: whole(await base.token('acme', ['devices'])) })
    .catch(() => undefined)
  client.reset()
})

test('over HTTP: administration, messages, metrics', async () => {
  const at = `http://127.0.0.1:${gateway.http.port}`
  await base.room('acme/posts')
  const keys = [
    whole(await operatorKey(folder)),
    whole(await base.apiKey('owner', 'acme')),
    whole(await base.token('acme', ['posts'])),
    WRONG,
  ]
  const json = { 'content-type': 'application/json' }
  for (const key of keys) {
    const headers = { ...json, authorization: `Bearer ${key}` }
    const body = JSON.stringify({ to: ['room:acme/posts'], text: PAYLOAD, key: said() })
    await fetch(`${at}/v1/messages`, { method: 'POST', headers, body })
    const service = `${at}/porthouse.admin.v1`
    const made = { parent: 'accounts/acme', apiKey: { role: 'ROLE_AUDITOR', label: 'x' } }
    for (const [method, message] of [
      ['ApiKeyService/CreateApiKey', made],
      ['AccountService/ListAccounts', { pageToken: said() }],
    ] as const) {
      const answer = await fetch(`${service}.${method}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(message),
      })
      const { secret: shown } = (await answer.json()) as { secret?: string }
      if (shown) secrets.add(shown.slice(-43))
    }
    await fetch(`${at}/metrics`, { headers })
  }
  expect(log).toContain('administered')
})

/** What has an id in it, which may be logged, and what proves it, which may not. */
function whole(text: string): string {
  secrets.add(text.slice(-43))
  return secret(text)
}

let saidCount = 0

function said(): string {
  return secret(`what-is-said-to-http-${++saidCount}`)
}
