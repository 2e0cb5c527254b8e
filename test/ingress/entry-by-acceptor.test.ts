/** Whole entries at a real gateway by what a handshake shows, a service decides, or a JWT says. */
import { createHash } from 'node:crypto'
import { on } from 'node:events'
import type { JsonObject } from '@bufbuild/protobuf'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { TestGateway } from '../support/gateway.ts'
import { OpenIdProvider } from '../support/openid-provider.ts'
import { TokenIssuer } from '../support/token-issuer.ts'
import { Visitor } from '../support/visitor.ts'
import { json, WebServer } from '../support/web-server.ts'

let gateway: TestGateway
let hook: WebServer
let issuer: TokenIssuer
const sockets: WebSocket[] = []

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`

beforeAll(async () => {
  gateway = await TestGateway.start()
  hook = await WebServer.start()
  issuer = await TokenIssuer.start()
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate()
})
afterAll(async () => {
  await gateway?.stop()
  for (const server of [hook, issuer]) await server?.[Symbol.asyncDispose]()
})

const lock = (acceptor: string, options: JsonObject, more: object = {}) => ({
  kind: { case: 'lock', value: { acceptor, options, tries: 0, deadlineMs: 0, ...more } },
})

let rooms = 0

/** A new room behind these locks, any of which will do; its address without `room:`. */
async function room(...locks: ReturnType<typeof lock>[]): Promise<string> {
  const address = `acme/r${++rooms}`
  const flow = { kind: { case: 'any', value: { flows: locks } } }
  await gateway.room(address, [{ case: 'access', value: { locks: [], flow } as never }])
  return address
}

interface Said {
  readonly text: string
  readonly frames: { lockStep?: { challenge?: { visit: { completeUrl: string } } } }[]
}

/** Opens a path, says hello with these frames after it, and tells what it hears. */
function open(path: string, headers: Record<string, string> = {}, frames: object[] = []) {
  const socket = new WebSocket(`${gateway.url}/${path}`, 'porthouse.v1.json', { headers })
  sockets.push(socket)
  const packets = on(socket, 'message', { close: ['close'] })[Symbol.asyncIterator]()
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  socket.on('error', () => undefined)
  const packet = JSON.stringify({ frames: [{ id: 1, hello: {} }, ...frames] })
  socket.on('open', () => socket.send(packet))
  /** Packets up to the one in which all of these stand. */
  const until = async (...words: string[]): Promise<Said> => {
    let all = ''
    for (;;) {
      const { value, done } = await packets.next()
      if (done) break
      const text = value[0].toString()
      all += text
      if (words.every((word) => all.includes(word))) {
        return { text: all, frames: JSON.parse(text).frames }
      }
    }
    throw new Error(`closed with ${await closed} after ${all}`)
  }
  return { socket, until, closed }
}

const MESSAGE = { id: 2, envelope: { routing: { receipt: 'RECEIPT_LEVEL_ROUTED' }, text: 'hello' } }

/** What a visitor may do: be in, and send. */
async function enters(path: string, headers: Record<string, string> = {}): Promise<void> {
  const { text } = await open(path, headers, [MESSAGE]).until('"joined"', '"receipt"')
  expect(text).not.toContain('rejected')
}

async function staysOut(path: string, headers: Record<string, string> = {}): Promise<void> {
  const closed = await open(path, headers, [MESSAGE]).closed
  expect(closed).toBe(4550)
}

describe('what the handshake shows', () => {
  test('a secret path', async () => {
    const address = await room(lock('url', { sha256: hash('s3cret') }))
    await enters(`${address}/~s3cret`)
    await staysOut(`${address}/~S3cret`)
    await staysOut(address)
  })

  test('a secret header, or a secret cookie in its place', async () => {
    const address = await room(
      lock('header', { name: 'X-Door', value_sha256: hash('s3cret') }),
      lock('cookie', { name: 'door', value_sha256: hash('sesame') }),
    )
    await enters(address, { 'X-Door': 's3cret' })
    await enters(address, { Cookie: 'door=sesame' })
    await staysOut(address, { 'X-Door': 'sesame', Cookie: 'door=s3cret' })
    await staysOut(address)
  })

  test('a client named by a trusted proxy, and by nobody else (H14)', async () => {
    const here = await room(lock('header', { name: 'x-user', trust: ['127.0.0.0/8'] }))
    const elsewhere = await room(lock('header', { name: 'x-user', trust: ['192.0.2.0/24'] }))
    await gateway.store.clients.create({ account: 'acme', slug: 'alice', grants: [] })
    const headers = { 'x-user': 'alice', 'x-forwarded-for': '192.0.2.1' }
    const { text } = await open(here, headers).until('"joined"', '"welcome"')
    expect(text).toContain('client:acme/alice')
    await staysOut(elsewhere, headers)
    await staysOut(here, { 'x-user': 'nobody' })
  })

  test('without it, the next way in is asked for', async () => {
    const address = await room(lock('url', { sha256: hash('s3cret') }), lock('token', {}))
    const token = await gateway.token('acme', [address.split('/')[1] as string])
    const { socket, until } = open(address)
    await until('"challenge"', '"token"')
    socket.send(
      JSON.stringify({ frames: [{ lockStep: { answer: { acceptor: 'token', text: token } } }] }),
    )
    await until('OUTCOME_PASSED', '"joined"')
  })
})

describe('a service decides', () => {
  test('yes, with rights that bind', async () => {
    const address = await room(lock('webhook', { url: hook.url, secret }))
    hook.answer = (_, response) => json(response, { admit: true })
    await enters(address)
    hook.answer = (_, response) =>
      json(response, { admit: true, client: 'bob', rights: { receive: true } })
    const { text } = await open(address, {}, [MESSAGE]).until('"joined"', '"receipt"')
    expect(text).toContain('SEND_NOT_PERMITTED')
  })

  test('no, or not at all', async () => {
    const address = await room(lock('webhook', { url: hook.url, secret, timeout_ms: 200 }))
    hook.answer = (_, response) => json(response, { admit: false })
    expect(await open(address).closed).toBe(4561)
    hook.answer = () => undefined
    expect(await open(address).closed).toBe(1013)
  })
})

describe('an OpenID provider vouches', () => {
  const answer = (text: string) => ({ id: 3, lockStep: { answer: { acceptor: 'oidc', text } } })

  test('by a token, given ahead', async () => {
    const address = await room(lock('oidc', { issuer: issuer.url, client_id: 'hub' }))
    const jwt = await issuer.token()
    const { text } = await open(address, {}, [answer(jwt), MESSAGE]).until('"joined"', '"receipt"')
    expect(text).toMatch(/"client:acme\/oidc-[a-z2-7]{20}"/)
    expect(text).not.toContain('rejected')
  })

  test('and a token of another is wrong, as often as there are tries', async () => {
    const options = { issuer: issuer.url, client_id: 'hub' }
    const address = await room(lock('oidc', options, { tries: 2 }))
    const jwt = await issuer.token({ aud: 'other' })
    const { socket, until, closed } = open(address, {}, [answer(jwt)])
    await until('OUTCOME_FAILED')
    socket.send(JSON.stringify({ frames: [answer(jwt)] }))
    expect(await closed).toBe(4553)
  })

  test('for a device, whose person logs in elsewhere', async () => {
    await using provider = await OpenIdProvider.start([
      { client_id: 'device', redirect_uris: ['http://127.0.0.1/callback'] },
    ])
    const options = { issuer: provider.issuer, client_id: 'device', device: true }
    const address = await room(lock('oidc', options, { deadlineMs: 60_000 }))
    const { until } = open(address, {}, [answer('device'), MESSAGE])
    const { frames } = await until('"visit"')
    const challenge = frames.find(({ lockStep }) => lockStep?.challenge)?.lockStep?.challenge
    await new Visitor('alice').visit(challenge!.visit.completeUrl)
    const { text } = await until('OUTCOME_PASSED', '"joined"', '"receipt"')
    expect(text).toMatch(/"client:acme\/oidc-[a-z2-7]{20}"/)
    expect(text).not.toContain('rejected')
  })
})
