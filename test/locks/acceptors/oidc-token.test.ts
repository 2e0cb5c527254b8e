/** A JWT shown to the `oidc` acceptor, and every known way to forge one (K1 to K6, K10, K18). */
import { createHash, createHmac } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { base64url, exportSPKI, importJWK, SignJWT } from 'jose'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LockStep } from '../../../gateway/locks/acceptor.ts'
import { Providers } from '../../../gateway/locks/acceptors/oidc/provider.ts'
import { oidcAcceptor } from '../../../gateway/locks/acceptors/oidc.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { contextOf, PLACE, type Situation } from '../../support/lock-context.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { type IssuerKey, newKey, TokenIssuer } from '../../support/token-issuer.ts'
import { json, WebServer } from '../../support/web-server.ts'

const wrong = { outcome: 'failed', code: Code.UNAUTHENTICATED }
const unavailable = { outcome: 'failed', code: Code.UNAVAILABLE }

let issuer: TokenIssuer
let store: MemoryStore
let logged: string[]
let acceptor: ReturnType<typeof oidcAcceptor>

beforeEach(async () => {
  issuer = await TokenIssuer.start()
  store = new MemoryStore()
  store.room('acme/boiler')
  logged = []
  acceptor = oidcAcceptor({
    store: store as unknown as Store,
    providers: new Providers(),
    clock: Date.now,
    trustsPage: () => true,
    log: pino({ level: 'trace' }, { write: (line) => void logged.push(line) }),
  })
})

afterEach(async () => {
  vi.useRealTimers()
  await issuer[Symbol.asyncDispose]()
})

function show(jwt: string, options: object = {}, situation: Situation = {}) {
  const context = contextOf(
    acceptor,
    { issuer: issuer.url, client_id: 'hub', ...options },
    situation,
  )
  return acceptor.answer({ case: 'text', value: jwt }, context, undefined)
}

type Passed = Extract<LockStep, { outcome: 'passed' }>

describe('a token that is right', () => {
  test('proves a client of the account, made for this person', async () => {
    const step = (await show(await issuer.token())) as Passed
    const hash = createHash('sha256').update(`${issuer.url}\nalice`).digest()
    const slug = store.clients.find('acme', step.proof.client!.slug)
    expect((await slug)?.id).toBe(step.proof.client?.id)
    expect(step.proof.client?.slug).toBe(`oidc-${base32(hash).slice(0, 20)}`)
    expect(step).toMatchObject({
      outcome: 'passed',
      proof: {
        acceptor: 'oidc',
        account: { slug: 'acme' },
        grants: [],
        values: { issuer: issuer.url, subject: 'alice' },
      },
    })
    expect(step.proof.expiresAt!.getTime()).toBeGreaterThan(Date.now() + 500_000)
  })

  test('brings the rights that this client was granted', async () => {
    const { proof } = (await show(await issuer.token())) as Passed
    store.changeClient(`acme/${proof.client?.slug}`, { grants: [{ room: 'boiler', send: true }] })
    expect(await show(await issuer.token())).toMatchObject({
      proof: {
        client: { id: proof.client?.id },
        grants: [{ room: 'boiler', send: true, receive: false }],
      },
    })
  })

  test.each(['RS256', 'PS384', 'ES384', 'EdDSA'])('may be signed by %s', async (alg) => {
    const key = await newKey('two', alg)
    issuer.keys.push(key.jwk)
    expect(await show(await issuer.token({}, {}, key))).toMatchObject({ outcome: 'passed' })
  })

  test('may be an access token for an audience of its own', async () => {
    const token = await issuer.token({ aud: ['api', 'more'], azp: 'app' }, { typ: 'at+jwt' })
    expect(await show(token, { audience: 'api' })).toMatchObject({ outcome: 'passed' })
    expect(await show(token)).toEqual(wrong)
  })

  test('may say who it is by another claim, in a name space of its own', async () => {
    const token = await issuer.token({ email: 'alice', email_verified: true })
    const bySub = (await show(token)) as Passed
    const byEmail = (await show(token, { claim: 'email' })) as Passed
    expect(byEmail.proof.values.subject).toBe('alice')
    expect(byEmail.proof.client).not.toEqual(bySub.proof.client)
  })

  test('asks the issuer once for all who wait, and then for a while not at all', async () => {
    const token = await issuer.token()
    const steps = await Promise.all(Array.from({ length: 20 }, () => show(token)))
    expect(steps.every(({ outcome }) => outcome === 'passed')).toBe(true)
    expect([issuer.discovered, issuer.fetched]).toEqual([1, 1])
    await show(token)
    expect([issuer.discovered, issuer.fetched]).toEqual([1, 1])
  })

  test('is not asked for twice while it counts, for the same issuer and audience', async () => {
    const { proof } = (await show(await issuer.token())) as Passed
    const finished = (options: object, situation: Situation = {}) =>
      acceptor.finished(
        contextOf(
          acceptor,
          { issuer: issuer.url, client_id: 'hub', ...options },
          { proofs: [proof], ...situation },
        ),
      )
    expect(finished({})).toBe(true)
    expect(finished({}, { now: Date.now() + 700_000 })).toBe(false)
    expect(finished({}, { place: { ...PLACE, account: 'other' } })).toBe(false)
    expect(finished({ client_id: 'other' })).toBe(false)
    expect(finished({ audience: 'api' })).toBe(false)
    expect(finished({ issuer: 'https://id.example' })).toBe(false)
  })
})

describe('claims that are wrong (K2, K10)', () => {
  const seconds = () => Math.floor(Date.now() / 1000)

  test.each([
    ['another audience', { aud: 'other' }],
    ['no audience', { aud: undefined }],
    ['several audiences and no party', { aud: ['hub', 'other'] }],
    ['another party', { azp: 'other' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['an issuer with a slash more', { iss: 'SLASH' }],
    ['no issuer', { iss: undefined }],
    ['no expiry', { exp: undefined }],
    ['an expiry in words', { exp: 'tomorrow' }],
    ['a future', { nbf: 4_000_000_000 }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is a number', { sub: 7 }],
    ['a subject of two lines', { sub: 'a\nb' }],
    ['a subject of 256 characters', { sub: 'a'.repeat(256) }],
  ])('%s', async (_name, claims: Record<string, unknown>) => {
    if (claims.iss === 'SLASH') claims.iss = `${issuer.url}/`
    expect(await show(await issuer.token(claims))).toEqual(wrong)
  })

  test('a past is told as such, and to nobody who cannot sign', async () => {
    const past = { exp: seconds() - 60 }
    const expired = { outcome: 'failed', code: Code.PROOF_EXPIRED }
    expect(await show(await issuer.token(past))).toEqual(expired)
    const stranger = await newKey('one')
    expect(await show(await issuer.token(past, {}, stranger))).toEqual(wrong)
  })

  test('a claim that is not there, is not verified, or is inherited', async () => {
    const token = await issuer.token({ email: 'a@b.example', email_verified: false })
    for (const claim of ['email', 'nickname', 'constructor', '__proto__']) {
      expect(await show(token, { claim })).toEqual(wrong)
    }
  })

  test.each(['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'x'])('a token of type %s', async (typ) => {
    expect(await show(await issuer.token({}, { typ }))).toEqual(wrong)
  })
})

describe('signatures that are none (K1, K3)', () => {
  const encode = (value: unknown) => base64url.encode(JSON.stringify(value))

  test.each(['none', 'None', 'NONE', 'nOnE', ''])('alg %j', async (alg) => {
    const unsigned = `${encode({ alg, kid: 'one' })}.${encode(issuer.claims())}`
    const [, , signature] = (await issuer.token()).split('.')
    for (const end of ['', 'AA', signature]) {
      expect(await show(`${unsigned}.${end}`)).toEqual(wrong)
    }
  })

  test('an HMAC by the public key', async () => {
    const rsa = await newKey('rsa', 'RS256')
    issuer.keys.push(rsa.jwk)
    const pem = await exportSPKI((await importJWK(rsa.jwk, 'RS256')) as CryptoKey)
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const signed = `${encode({ alg, kid: 'rsa' })}.${encode(issuer.claims())}`
      for (const key of [pem, pem.trim(), JSON.stringify(rsa.jwk), rsa.jwk.n as string]) {
        const mac = createHmac(`sha${alg.slice(2)}`, key)
          .update(signed)
          .digest('base64url')
        expect(await show(`${signed}.${mac}`)).toEqual(wrong)
      }
    }
  })

  test('an HMAC by a symmetric key that the issuer shows', async () => {
    const k = base64url.encode('0123456789abcdef0123456789abcdef')
    issuer.keys.push({ kty: 'oct', k, kid: 'oct', alg: 'HS256' })
    const token = await new SignJWT(issuer.claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'oct' })
      .sign(base64url.decode(k))
    expect(await show(token)).toEqual(wrong)
  })

  test('another key under a known name, and a known key under another', async () => {
    const stranger = await newKey('one')
    expect(await show(await issuer.token({}, {}, stranger))).toEqual(wrong)
    expect(await show(await issuer.token({}, { kid: 'two' }))).toEqual(wrong)
  })

  test('a key of RSA with 1,024 bits', async () => {
    const weak = await weakRsa()
    issuer.keys.push(weak.jwk)
    const signed = `${encode({ alg: 'RS256', kid: 'weak' })}.${encode(issuer.claims())}`
    const mac = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', weak.sign, Buffer.from(signed))
    const token = `${signed}.${base64url.encode(new Uint8Array(mac))}`
    expect(await show(token)).toEqual(wrong)
  })

  test('a key that the token brings, or says where to find', async () => {
    const own = await newKey('own')
    await using elsewhere = await WebServer.start((_, response) =>
      json(response, { keys: [own.jwk] }),
    )
    const headers = [
      { jwk: own.jwk },
      { jku: `${elsewhere.url}/jwks` },
      { x5u: `${elsewhere.url}/x5u` },
      { jwk: own.jwk, jku: elsewhere.url, kid: 'one' },
    ]
    for (const header of headers) {
      expect(await show(await issuer.token({}, header, own))).toEqual(wrong)
    }
    expect(await show(await issuer.token({ iss: elsewhere.url }, {}, own))).toEqual(wrong)
    expect(elsewhere.asked).toEqual([])
    expect(new Set(issuer.paths)).toEqual(new Set(['/.well-known/openid-configuration', '/jwks']))
  })

  test.each(['../../../../dev/null', "' OR 1=1 --", 'http://127.0.0.1:1/', '', '__proto__'])(
    'kid %j is a name like any other',
    async (kid) => {
      expect(await show(await issuer.token({}, { kid }))).toEqual(wrong)
    },
  )

  test('what is critical and unknown', async () => {
    const header = encode({ alg: 'ES256', kid: 'one', crit: ['exp'], exp: 1 })
    const [, payload, signature] = (await issuer.token()).split('.')
    expect(await show(`${header}.${payload}.${signature}`)).toEqual(wrong)
  })

  test('any change of a right one', async () => {
    const token = await issuer.token()
    const property = fc.asyncProperty(fc.nat(token.length - 1), fc.nat(63), async (at, digit) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const changed = token.slice(0, at) + alphabet[digit] + token.slice(at + 1)
      // Bits after the last byte are no part of the signature.
      if (changed === token || at === token.length - 1) return
      expect((await show(changed)).outcome).toBe('failed')
    })
    await fc.assert(property, { numRuns: 200 })
  })
})

describe('what is refused before it is parsed (K6)', () => {
  test.each([
    ['nothing', ''],
    ['words', 'let me in'],
    ['one part', 'a'],
    ['five parts, as of a JWE', 'a.b.c.d.e'],
    ['an empty part', 'a..c'],
    ['other characters', 'a.b.c='],
    ['100 KB', `${'a'.repeat(50_000)}.${'b'.repeat(50_000)}.c`],
    ['50 levels', `e30.${base64url.encode(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`)}.c`],
    ['50 lists', `${base64url.encode('['.repeat(50))}.e30.c`],
    ['a header of 5 KB', `${'a'.repeat(5_000)}.e30.c`],
  ])('%s', async (_name, jwt) => {
    expect(await show(jwt)).toEqual(wrong)
    expect(issuer.fetched).toBe(0)
  })

  test('brackets in texts are no levels', async () => {
    const token = await issuer.token({ note: `"\\${'[{'.repeat(50)}` })
    expect(await show(token)).toMatchObject({ outcome: 'passed' })
  })

  test('any text at all', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 100 }), async (text) => {
        expect((await show(text)).outcome).toBe('failed')
      }),
      { numRuns: 200 },
    ))

  test('bytes, and answers of other kinds', async () => {
    const context = contextOf(acceptor, { issuer: issuer.url, client_id: 'hub' })
    const data = Buffer.from(await issuer.token())
    for (const response of [{ case: 'data', value: data }, { case: undefined }] as const) {
      expect(await acceptor.answer(response, context, undefined)).toEqual(wrong)
    }
  })
})

describe('keys', () => {
  test('of two issuers are never mixed, whatever their names (K4)', async () => {
    await using other = await TokenIssuer.start('one')
    expect(await show(await issuer.token())).toMatchObject({ outcome: 'passed' })
    expect(await show(await other.token(), { issuer: other.url })).toMatchObject({
      outcome: 'passed',
    })
    const forged = await issuer.token({}, {}, other.key)
    expect(await show(forged)).toEqual(wrong)
    const crossed = await issuer.token({ iss: other.url })
    expect(await show(crossed, { issuer: other.url })).toEqual(wrong)
  })

  test('that rotate are picked up, without a fetch for each unknown name', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await show(await issuer.token())
    const next: IssuerKey = await newKey('next')
    issuer.keys = [next.jwk]
    const rotated = await issuer.token({}, {}, next)
    for (let i = 0; i < 20; i++) expect(await show(rotated)).toEqual(wrong)
    expect(issuer.fetched).toBe(1)
    vi.setSystemTime(Date.now() + 6_000)
    expect(await show(rotated)).toMatchObject({ outcome: 'passed' })
    expect(await show(await issuer.token())).toEqual(wrong)
    expect(issuer.fetched).toBe(2)
  })

  test('that are withdrawn count no more once they are read again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await show(await issuer.token())
    issuer.keys = [(await newKey('next')).jwk]
    vi.setSystemTime(Date.now() + 601_000)
    expect(await show(await issuer.token())).toEqual(wrong)
  })

  test('that are away after a while open nothing, until they are back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await show(await issuer.token())
    vi.setSystemTime(Date.now() + 601_000)
    issuer.jwks = (_, response) => response.destroy()
    expect(await show(await issuer.token())).toEqual(unavailable)
    issuer.jwks = undefined
    expect(await show(await issuer.token())).toMatchObject({ outcome: 'passed' })
  })

  test('without a name in the token are not guessed among several', async () => {
    const { kid: _, ...nameless } = { alg: issuer.key.alg, kid: undefined }
    const token = await new SignJWT(issuer.claims())
      .setProtectedHeader(nameless)
      .sign(issuer.key.sign)
    expect(await show(token)).toMatchObject({ outcome: 'passed' })
    issuer.keys.push((await newKey('two')).jwk)
    const again = { client_id: 'again', audience: 'hub' }
    expect(await show(token, again)).toEqual(wrong)
  })
})

describe('an issuer that fails opens nothing, and is asked again', () => {
  const huge = `{"keys": [${'1,'.repeat(200_000)}1]}`

  test.each<[string, (issuer: TokenIssuer) => Partial<TokenIssuer>]>([
    ['no keys', () => ({ jwks: (_, response) => json(response, {}, 404) })],
    ['an error', () => ({ jwks: (_, response) => json(response, {}, 500) })],
    ['no JSON', () => ({ jwks: (_, response) => response.end('<html>') })],
    ['keys of another shape', () => ({ jwks: (_, response) => json(response, [1]) })],
    ['over 256 KiB', () => ({ jwks: (_, response) => response.end(huge) })],
    ['a broken connection', () => ({ jwks: (_, response) => response.destroy() })],
    ['no metadata', () => ({ metadata: (_, response) => json(response, {}, 404) })],
    ['metadata of no JSON', () => ({ metadata: (_, response) => response.end('hi') })],
    [
      'the name of another',
      (it) => {
        const metadata = { ...it.describes(), issuer: 'https://evil.example' }
        return { metadata: (_, response) => json(response, metadata) }
      },
    ],
    [
      'no place of keys',
      (it) => {
        const metadata = { ...it.describes(), jwks_uri: undefined }
        return { metadata: (_, response) => json(response, metadata) }
      },
    ],
    [
      'keys in a file',
      (it) => {
        const metadata = { ...it.describes(), jwks_uri: 'file:///etc/passwd' }
        return { metadata: (_, response) => json(response, metadata) }
      },
    ],
  ])('%s', async (_name, fail) => {
    Object.assign(issuer, fail(issuer))
    expect(await show(await issuer.token())).toEqual(unavailable)
    issuer.jwks = undefined
    issuer.metadata = undefined
    // Metadata that were wrong are read again with the next room that asks.
    const step = await show(await issuer.token(), { client_id: 'app', audience: 'hub' })
    expect(step).toMatchObject({ outcome: 'passed' })
  })

  test('a redirect is not followed (K5)', async () => {
    await using elsewhere = await WebServer.start((_, response) =>
      json(response, { keys: [issuer.key.jwk] }),
    )
    const location = `${elsewhere.url}/jwks`
    issuer.jwks = (_, response) => response.writeHead(302, { location }).end()
    expect(await show(await issuer.token())).toEqual(unavailable)
    issuer.jwks = undefined
    issuer.metadata = (_, response) => response.writeHead(302, { location }).end()
    const other = { client_id: 'app', audience: 'hub' }
    expect(await show(await issuer.token(), other)).toEqual(unavailable)
    expect(elsewhere.asked).toEqual([])
  })

  test('many who ask one that hangs are few questions', async () => {
    const asked = Promise.withResolvers<void>()
    const held: (() => void)[] = []
    issuer.jwks = (_, response) => {
      held.push(() => response.destroy())
      asked.resolve()
    }
    const token = await issuer.token()
    const steps = Array.from({ length: 50 }, () => show(token))
    await asked.promise
    for (const release of held) release()
    expect(await Promise.all(steps)).toEqual(steps.map(() => unavailable))
    expect(issuer.fetched).toBe(1)
  })

  test('is logged, without the token', async () => {
    issuer.jwks = (_, response) => json(response, {}, 500)
    const token = await issuer.token()
    await show(token)
    expect(logged.join()).toContain(issuer.url)
    expect(logged.join()).not.toContain(token.slice(0, 20))
  })

  test('a store that is away opens nothing', async () => {
    store.away = true
    expect(await show(await issuer.token())).toEqual(unavailable)
  })
})

test.each([
  {},
  { issuer: 'https://id.example' },
  { issuer: 'http://id.example', client_id: 'hub' },
  { issuer: 'https://id.example?x=1', client_id: 'hub' },
  { issuer: 'https://id.example#x', client_id: 'hub' },
  { issuer: 'https://user@id.example', client_id: 'hub' },
  { issuer: 'file:///etc/passwd', client_id: 'hub' },
  { issuer: 'id.example', client_id: 'hub' },
  { issuer: 'https://id.example', client_id: '' },
  { issuer: 'https://id.example', client_id: 'hub', algorithms: ['none'] },
  { issuer: 'https://id.example', client_id: 'hub', scopes: ['a b'] },
  { issuer: 'https://id.example', client_id: 'hub', device: 'yes' },
])('options %j are refused', (options) => {
  expect(() => acceptor.readOptions(options)).toThrow('options')
})

async function weakRsa() {
  const bits = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', ...bits }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign'])
  const jwk = await crypto.subtle.exportKey('jwk', publicKey)
  return { sign: privateKey, jwk: { kty: 'RSA', n: jwk.n!, e: jwk.e!, kid: 'weak', alg: 'RS256' } }
}

function base32(bytes: Uint8Array): string {
  const big = BigInt(`0x${Buffer.from(bytes).toString('hex')}`) << 4n
  const digits = 'abcdefghijklmnopqrstuvwxyz234567'
  const at = (i: number) => digits[Number((big >> BigInt(255 - 5 * i)) & 31n)]
  return Array.from({ length: 52 }, (_, i) => at(i)).join('')
}
