/** A service that decides who gets in, and all the ways in which it may fail to. */
import { createHmac, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { Code } from '@porthouse/proto/v1/code'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LockStep } from '../../../gateway/locks/acceptor.ts'
import { webhookAcceptor } from '../../../gateway/locks/acceptors/webhook.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { contextOf, PLACE, type Situation } from '../../support/lock-context.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { json, WebServer } from '../../support/web-server.ts'

const key = Buffer.alloc(32, 7)
const secret = `whsec_${key.toString('base64')}`
const NOW = 1_700_000_000_000
const refused = { outcome: 'failed', code: Code.NOT_ADMITTED }
const unavailable = { outcome: 'failed', code: Code.UNAVAILABLE }

let store: MemoryStore
let hook: WebServer
let logged: string[]

beforeEach(async () => {
  store = new MemoryStore()
  store.room('acme/boiler')
  hook = await WebServer.start((_, response) => json(response, { admit: true }))
  logged = []
})
afterEach(() => hook[Symbol.asyncDispose]())

function acceptor() {
  const log = pino({ level: 'trace' }, { write: (line) => void logged.push(line) })
  const parts = { store: store as unknown as Store, random: randomBytes, clock: () => NOW, log }
  return webhookAcceptor(parts)
}

function begin(options: object = {}, situation: Situation = {}) {
  const hooked = acceptor()
  return hooked.begin(contextOf(hooked, { url: hook.url, secret, ...options }, situation))
}

/** What comes of one answer of the service. */
function decided(answer: (response: ServerResponse) => unknown, options: object = {}) {
  hook.answer = (_, response) => answer(response)
  return begin({ timeout_ms: 300, ...options })
}

describe('what it is asked', () => {
  test('is a question about this socket, without its secrets', async () => {
    const headers = {
      'user-agent': 'probe/1',
      origin: 'https://hub.example',
      cookie: 'a=secret',
      authorization: 'Bearer secret',
      'sec-websocket-key': 'secret',
    }
    await begin({}, { handshake: { headers, remote: '192.0.2.9', secret: 'secret' } })
    const [asked] = hook.asked
    expect(asked).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(asked!.body)).toEqual({
      type: 'lock.decide',
      lock: 'lock:aaaaaaaaaaaaaaaa',
      place: PLACE.address,
      socket: 'socket:bbbbbbbbbbbbbbbb',
      remote: '192.0.2.9',
      headers: { 'user-agent': 'probe/1', origin: 'https://hub.example' },
    })
    expect(JSON.stringify(asked)).not.toContain('secret')
  })

  test('is signed as Standard Webhooks has it', async () => {
    await begin()
    await begin()
    const ids = hook.asked.map(({ headers, body }) => {
      const { 'webhook-id': id, 'webhook-timestamp': seconds } = headers
      expect(seconds).toBe(String(NOW / 1000))
      const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
      expect(headers['webhook-signature']).toBe(`v1,${mac}`)
      return id
    })
    expect(new Set(ids).size).toBe(2)
  })

  test('holds the answer of a client that was asked for one', async () => {
    const hooked = acceptor()
    const context = contextOf(hooked, { url: hook.url, secret, ask: true })
    expect(await hooked.begin(context)).toEqual({ outcome: 'challenge', ask: { case: undefined } })
    expect(hook.asked).toEqual([])
    await hooked.answer({ case: 'text', value: 'friend' }, context, undefined)
    const data = new Uint8Array([1, 2, 3])
    await hooked.answer({ case: 'data', value: data }, context, undefined)
    const answers = hook.asked.map(({ body }) => JSON.parse(body).answer)
    expect(answers).toEqual([{ text: 'friend' }, { data: 'AQID' }])
  })
})

describe('a yes', () => {
  test('lets into this very place, as nobody', async () => {
    expect(await begin()).toEqual({
      outcome: 'passed',
      proof: {
        acceptor: 'webhook',
        values: { realm: expect.any(String) },
        place: PLACE.address,
        grants: [],
      },
    })
  })

  test('is not asked for twice, and is that of one service in one place', async () => {
    const step = (await begin()) as Extract<LockStep, { outcome: 'passed' }>
    const hooked = acceptor()
    const finished = (options: object = {}, place = PLACE) =>
      hooked.finished(
        contextOf(hooked, { url: hook.url, secret, ...options }, { proofs: [step.proof], place }),
      )
    expect(finished()).toBe(true)
    expect(finished({ url: `${hook.url}/other` })).toBe(false)
    expect(finished({ secret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` })).toBe(false)
    expect(finished({}, { ...PLACE, address: 'room:acme/attic' })).toBe(false)
  })

  test('may name the client, with what was granted to it', async () => {
    store.client('acme/alice', ['boiler'])
    const step = await decided((response) => json(response, { admit: true, client: 'alice' }))
    expect(step).toMatchObject({
      outcome: 'passed',
      proof: {
        client: { slug: 'alice' },
        account: { slug: 'acme' },
        place: PLACE.address,
        grants: [{ room: 'boiler', send: true, receive: true }],
        values: { client: 'client:acme/alice' },
      },
    })
  })

  test('may name a client that nobody knew, who then has no rights of his own', async () => {
    const step = await decided((response) => json(response, { admit: true, client: 'newcomer' }))
    expect(step).toMatchObject({ proof: { client: { slug: 'newcomer' }, grants: [] } })
    expect(await store.clients.find('acme', 'newcomer')).toBeDefined()
  })

  test('may say the rights, which then stand in place of those granted', async () => {
    store.client('acme/alice', ['boiler'])
    const decision = {
      admit: true,
      client: 'alice',
      rights: { receive: true },
      values: { vip: '1' },
    }
    expect(await decided((response) => json(response, decision))).toMatchObject({
      proof: {
        grants: [{ room: 'boiler', send: false, receive: true, admit: false, channels: [] }],
        values: { vip: '1', client: 'client:acme/alice' },
      },
    })
  })
})

test('a value named __proto__ is none', async () => {
  const body = '{"admit": true, "values": {"__proto__": "x", "a": "b"}}'
  expect(await decided((response) => response.end(body))).toMatchObject({
    proof: { values: { a: 'b' } },
  })
})

describe('a no', () => {
  test.each([401, 403])('is a status of %i', async (status) => {
    expect(await decided((response) => json(response, { admit: true }, status))).toEqual(refused)
  })

  test('is a false', async () => {
    expect(await decided((response) => json(response, { admit: false }))).toEqual(refused)
  })
})

describe('what is neither', () => {
  const admit = JSON.stringify({ admit: true })

  test.each([201, 204, 400, 404, 429, 500, 503])('a status of %i opens nothing', async (status) => {
    expect(await decided((response) => json(response, { admit: true }, status))).toEqual(
      unavailable,
    )
  })

  test('a redirect is not followed', async () => {
    await using other = await WebServer.start((_, response) => json(response, { admit: true }))
    for (const status of [301, 302, 303, 307, 308]) {
      const location = other.url
      const step = await decided((response) => response.writeHead(status, { location }).end(admit))
      expect(step).toEqual(unavailable)
    }
    expect(other.asked).toEqual([])
  })

  test.each([
    ['nothing', ''],
    ['no JSON', 'admit=true'],
    ['half of it', '{"admit": true'],
    ['a list', '[true]'],
    ['a bare true', 'true'],
    ['null', 'null'],
    ['a yes in words', '{"admit": "true"}'],
    ['a yes in numbers', '{"admit": 1}'],
    ['a yes of a prototype', '{"__proto__": {"admit": true}}'],
    ['a client of another account', '{"admit": true, "client": "other/alice"}'],
    ['a client that is no slug', '{"admit": true, "client": "Alice"}'],
    ['a client that is a UUID', `{"admit": true, "client": "${crypto.randomUUID()}"}`],
    ['a client that is a number', '{"admit": true, "client": 7}'],
    ['rights that are no booleans', '{"admit": true, "rights": {"send": "yes"}}'],
    ['values that are no texts', '{"admit": true, "values": {"a": 1}}'],
    ['a value that is ours to set', '{"admit": true, "values": {"client": "client:acme/root"}}'],
    ['a value with a strange name', '{"admit": true, "values": {"Set-Cookie": "x"}}'],
    ['a value too long', JSON.stringify({ admit: true, values: { a: 'x'.repeat(1025) } })],
    [
      'too many values',
      JSON.stringify({
        admit: true,
        values: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`v${i}`, ''])),
      }),
    ],
    ['over 64 KiB', JSON.stringify({ admit: true, pad: 'x'.repeat(65_536) })],
  ])('%s opens nothing', async (_name, body) => {
    expect(await decided((response) => response.end(body))).toEqual(unavailable)
  })

  test('a bomb opens nothing', async () => {
    const bomb = gzipSync(JSON.stringify({ admit: true, pad: 'x'.repeat(50_000_000) }))
    const headers = { 'content-encoding': 'gzip' }
    const step = await decided((response) => response.writeHead(200, headers).end(bomb))
    expect(step).toEqual(unavailable)
  })

  test('silence opens nothing', async () => {
    expect(await decided(() => undefined)).toEqual(unavailable)
  })

  test('an answer that never ends opens nothing', async () => {
    expect(await decided((response) => response.writeHead(200).write(admit))).toEqual(unavailable)
  })

  test('a connection that breaks, or that nobody takes, opens nothing', async () => {
    expect(await decided((response) => response.destroy())).toEqual(unavailable)
    const url = hook.url
    await hook[Symbol.asyncDispose]()
    expect(await begin({ url })).toEqual(unavailable)
    hook = await WebServer.start()
  })

  test('a lock that is gone does not wait for it', async () => {
    const lock = new AbortController()
    hook.answer = () => lock.abort()
    expect(await begin({ timeout_ms: 10_000 }, { signal: lock.signal })).toEqual(unavailable)
  })

  test('a store that is away opens nothing', async () => {
    store.away = true
    const step = decided((response) => json(response, { admit: true, client: 'alice' }))
    await expect(step).rejects.toThrow('away')
  })

  test('is logged without what could be secret', async () => {
    await decided((response) => response.writeHead(500).end('secret'), {
      url: `${hook.url}/hooks/secret?token=secret`,
    })
    expect(logged).toHaveLength(1)
    expect(logged[0]).toContain('status 500')
    expect(logged[0]).not.toMatch(/secret|whsec/)
  })
})

test('one service that hangs has only so many questions open, and others are asked', async () => {
  const hooked = acceptor()
  const lock = new AbortController()
  const hanging = Promise.withResolvers<void>()
  hook.answer = () => hook.asked.length === 64 && hanging.resolve()
  const context = contextOf(
    hooked,
    { url: hook.url, secret, timeout_ms: 10_000 },
    { signal: lock.signal },
  )
  const open = Array.from({ length: 64 }, () => hooked.begin(context))
  await hanging.promise
  expect(await hooked.begin(context)).toEqual(unavailable)
  await using other = await WebServer.start((_, response) => json(response, { admit: true }))
  const elsewhere = contextOf(hooked, { url: other.url, secret })
  expect(await hooked.begin(elsewhere)).toMatchObject({ outcome: 'passed' })
  lock.abort()
  expect(await Promise.all(open)).toEqual(open.map(() => unavailable))
  hook.answer = (_, response) => json(response, { admit: true })
  const again = contextOf(hooked, { url: hook.url, secret })
  expect(await hooked.begin(again)).toMatchObject({ outcome: 'passed' })
})

test.each([
  {},
  { url: 'https://a.example' },
  { url: 'ftp://a.example', secret },
  { url: 'file:///etc/passwd', secret },
  { url: 'https://user:pass@a.example', secret },
  { url: 'nonsense', secret },
  { url: 'https://a.example', secret: 'plain' },
  { url: 'https://a.example', secret: 'whsec_c2hvcnQ=' },
  { url: 'https://a.example', secret, timeout_ms: 0 },
  { url: 'https://a.example', secret, timeout_ms: 10_001 },
  { url: 'https://a.example', secret, retries: 3 },
])('options %j are refused', (options) => {
  expect(() => acceptor().readOptions(options)).toThrow('options')
})
