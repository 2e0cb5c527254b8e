/** Logging a browser in over HTTP, with a real provider, and all ways to cheat (K9, K10, K16). */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Block } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cookieOf, findLogin } from '../../gateway/identity/logins.ts'
import { TestGateway } from '../support/gateway.ts'
import { OpenIdProvider } from '../support/openid-provider.ts'
import { exchange } from '../support/raw-websocket.ts'
import { TokenIssuer } from '../support/token-issuer.ts'
import { type Page, Visitor } from '../support/visitor.ts'
import { json } from '../support/web-server.ts'

const APP = 'https://app.example'

let gateway: TestGateway
let provider: OpenIdProvider
let evil: TokenIssuer
let origin: string
let visitor: Visitor

function guardedBy(...options: JsonObject[]): Block['kind'] {
  const flows = options.map((each) => ({
    kind: { case: 'lock', value: { acceptor: 'oidc', options: each } },
  }))
  const flow = { kind: { case: 'any', value: { flows } } }
  return { case: 'access', value: { locks: [], flow } as never }
}

beforeAll(async () => {
  gateway = await TestGateway.start({ http: { origins: [APP] } })
  origin = `http://127.0.0.1:${gateway.port}`
  const redirect_uris = [`${origin}/v1/login/callback`]
  provider = await OpenIdProvider.start([
    { client_id: 'hub', client_secret: 'of the hub', redirect_uris },
    { client_id: 'open', redirect_uris },
  ])
  evil = await TokenIssuer.start()
  const { issuer } = provider
  const hub = { issuer, client_id: 'hub', client_secret: 'of the hub' }
  await gateway.room('acme/boiler', [guardedBy(hub)])
  await gateway.room('acme/attic', [guardedBy({ issuer, client_id: 'open' })])
  await gateway.room('acme/both', [guardedBy(hub, { issuer: evil.url, client_id: 'hub' })])
  await gateway.room('acme/cellar', [])
})
afterAll(async () => {
  await gateway?.stop()
  await provider?.[Symbol.asyncDispose]()
  await evil?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  visitor = new Visitor('alice')
})

const isCallback = (url: string) => url.startsWith(`${origin}/v1/login/callback`)

/** The callback's URL, at which a visitor arrives after he has been at the provider. */
async function arrival(by = visitor, path = '/v1/login/acme/boiler'): Promise<string> {
  const page = await by.visit(`${origin}${path}`, isCallback)
  return page.headers.get('location') as string
}

async function logIn(by = visitor, path = '/v1/login/acme/boiler'): Promise<Page> {
  return by.get(await arrival(by, path))
}

const loginOf = (by: Visitor) => cookieOf({ cookie: by.cookiesFor(origin) }, 'porthouse_login')

function problem({ status, body }: Page) {
  return [status, (JSON.parse(body) as { code: string }).code]
}

describe('a login', () => {
  test('begins at the provider, with PKCE, state and nonce', async () => {
    const page = await visitor.get(`${origin}/v1/login/acme/boiler`)
    expect(page.status).toBe(302)
    const url = new URL(page.headers.get('location') as string)
    expect(url.origin).toBe(provider.issuer)
    const asked = Object.fromEntries(url.searchParams)
    expect(asked).toMatchObject({
      client_id: 'hub',
      response_type: 'code',
      redirect_uri: `${origin}/v1/login/callback`,
      scope: 'openid',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    })
    const [cookie = ''] = page.headers.getSetCookie()
    expect(cookie).toMatch(
      /^porthouse_login_[\w-]{16}=[\w-]+; Path=\/v1\/login\/callback; Max-Age=600; HttpOnly; Same/,
    )
    for (const secret of [asked.nonce, asked.code_challenge]) expect(cookie).not.toContain(secret)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  })

  test.each([
    ['of a client with a secret', '/v1/login/acme/boiler'],
    ['of a public client', '/v1/login/acme/attic'],
  ])('ends in a cookie, %s', async (_name, path) => {
    const page = await logIn(visitor, path)
    expect([page.status, page.body]).toEqual([200, 'logged in; you may close this page\n'])
    expect(page.headers.getSetCookie()[0]).toMatch(
      /^porthouse_login=[\w-]{43}\.[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax$/,
    )
    const login = await findLogin(gateway.store.logins, { cookie: visitor.cookiesFor(origin) })
    expect(login).toMatchObject({ account: { slug: 'acme' } })
    expect(login?.client.slug).toMatch(/^oidc-[a-z2-7]{20}$/)
  })

  test('is of the same client each time, and of another one for another person', async () => {
    const clients = []
    for (const name of ['alice', 'alice', 'bob']) {
      const by = new Visitor(name)
      await logIn(by)
      const login = await findLogin(gateway.store.logins, { cookie: by.cookiesFor(origin) })
      clients.push(login?.client.id)
    }
    expect(clients[0]).toBe(clients[1])
    expect(clients[0]).not.toBe(clients[2])
  })

  test('may run in two tabs at once', async () => {
    const [one, other] = [await arrival(), await arrival()]
    expect((await visitor.get(one)).status).toBe(200)
    expect((await visitor.get(other)).status).toBe(200)
  })

  test('ends at a page of the gateway, or of an origin that is configured', async () => {
    for (const [wish, place] of [
      ['/acme/page?x=1#y', `${origin}/acme/page?x=1#y`],
      [`${APP}/in`, `${APP}/in`],
    ] as const) {
      const query = new URLSearchParams({ return_to: wish })
      const page = await logIn(new Visitor('alice'), `/v1/login/acme/boiler?${query}`)
      expect([page.status, page.headers.get('location')]).toEqual([302, place])
    }
  })

  test.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example/',
    'https:evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    `${APP}.evil.example/`,
    `${APP}@evil.example/`,
    '\t//evil.example/',
    `/${'x'.repeat(2048)}`,
  ])('never ends at %j', async (wish) => {
    const query = new URLSearchParams({ return_to: wish })
    const page = await visitor.get(`${origin}/v1/login/acme/boiler?${query}`)
    expect(problem(page)).toEqual([403, 'ORIGIN_NOT_ALLOWED'])
  })

  test('does not believe what a request says of its host', async () => {
    const headers = 'Host: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close'
    const request = `GET /v1/login/acme/boiler HTTP/1.1\r\n${headers}\r\n\r\n`
    const answer = await exchange(gateway.port, request)
    expect(answer).toMatch(/^HTTP\/1.1 302 /)
    const redirect = new URLSearchParams({ redirect_uri: `${origin}/v1/login/callback` })
    expect(answer).toContain(redirect.toString())
    expect(answer).not.toContain('evil')
  })
})

describe('there is no login', () => {
  test.each([
    '/v1/login/acme/cellar',
    '/v1/login/acme/unknown',
    '/v1/login/unknown/boiler',
    '/v1/login/acme/boiler/more',
    '/v1/login/acme',
    '/v1/login',
    '/v1/login/acme/boiler?issuer=https://evil.example',
  ])('at %s', async (path) => {
    expect(problem(await visitor.get(`${origin}${path}`))).toEqual([404, 'PATH_UNKNOWN'])
  })

  test.each(['/v1/login/acme/%62oiler', "/v1/login/acme/'--", '/v1/login/Acme/boiler'])(
    'at %s',
    async (path) => {
      expect(problem(await visitor.get(`${origin}${path}`))).toEqual([400, 'ADDRESS_INVALID'])
    },
  )

  test.each(['POST', 'PUT', 'DELETE'])('by %s', async (method) => {
    const page = await visitor.get(`${origin}/v1/login/acme/boiler`, { method })
    expect([page.status, page.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

describe('what comes back is refused (K9)', () => {
  const changed = (url: string, change: (query: URLSearchParams) => void): string => {
    const made = new URL(url)
    change(made.searchParams)
    return made.href
  }

  test.each<[string, (query: URLSearchParams) => void]>([
    ['without a state', (query) => query.delete('state')],
    ['with another state', (query) => query.set('state', 'A'.repeat(43))],
    ['with a state of odd characters', (query) => query.set('state', '=; __proto__\r\n')],
    ['with two states', (query) => query.append('state', 'A'.repeat(43))],
    ['with two codes', (query) => query.append('code', 'A')],
    ['without a code', (query) => query.delete('code')],
    ['with another code', (query) => query.set('code', 'A'.repeat(43))],
    ['with an empty code', (query) => query.set('code', '')],
    ['from another issuer', (query) => query.set('iss', 'https://evil.example')],
    ['from no issuer', (query) => query.delete('iss')],
  ])('%s', async (_name, change) => {
    const page = await visitor.get(changed(await arrival(), change))
    expect(problem(page)).toEqual([401, 'UNAUTHENTICATED'])
    expect(loginOf(visitor)).toBeUndefined()
  })

  test('in another browser: nobody is logged in as somebody else', async () => {
    const victim = new Visitor('bob')
    const url = await arrival()
    expect(problem(await victim.get(url))).toEqual([401, 'UNAUTHENTICATED'])
    await arrival(victim)
    expect(problem(await victim.get(url))).toEqual([401, 'UNAUTHENTICATED'])
    expect(loginOf(victim)).toBeUndefined()
  })

  test('twice, even with the cookies of the first time', async () => {
    const url = await arrival()
    const cookie = visitor.cookiesFor(url)
    expect((await visitor.get(url)).status).toBe(200)
    const again = await fetch(url, { headers: { cookie } })
    expect(again.status).toBe(401)
    expect(problem(await visitor.get(url))).toEqual([401, 'UNAUTHENTICATED'])
  })

  test('with the state of one attempt and the code of another', async () => {
    const [one, other] = [new URL(await arrival()), new URL(await arrival())]
    one.searchParams.set('code', other.searchParams.get('code') as string)
    expect(problem(await visitor.get(one.href))).toEqual([401, 'UNAUTHENTICATED'])
  })

  test('with a cookie that was changed', async () => {
    const url = await arrival()
    const [pair = ''] = visitor.cookiesFor(url).split('; ')
    const [name, value = ''] = pair.split('=')
    for (const forged of ['', 'x', value.slice(0, -2), `${value.slice(0, -1)}A`, `A${value}`]) {
      const cookie = `${name}=${forged}`
      if (forged === value) continue
      expect((await fetch(url, { headers: { cookie } })).status).toBe(401)
    }
  })

  test('where the person said no', async () => {
    const begun = await visitor.get(`${origin}/v1/login/acme/boiler`)
    const asked = new URL(begun.headers.get('location') as string).searchParams
    const query = new URLSearchParams({
      error: 'access_denied',
      error_description: 'secret',
      state: asked.get('state') as string,
      iss: provider.issuer,
    })
    const page = await visitor.get(`${origin}/v1/login/callback?${query}`)
    expect(problem(page)).toEqual([403, 'NOT_ADMITTED'])
    expect(page.body).not.toContain('secret')
  })

  test('from before another gateway began', async () => {
    const url = await arrival()
    const other = await gateway.beside()
    const cookie = visitor.cookiesFor(url)
    const moved = url.replace(origin, `http://127.0.0.1:${other.port}`)
    expect((await fetch(moved, { headers: { cookie } })).status).toBe(401)
    await other.stop()
  })
})

describe('a provider that lies (K10)', () => {
  const path = () => `/v1/login/acme/both?issuer=${encodeURIComponent(evil.url)}`

  /** Comes back from it with a token of these claims. */
  async function finish(claims: (nonce: string) => object, key = evil.key): Promise<Page> {
    const begun = await visitor.get(`${origin}${path()}`)
    const asked = new URL(begun.headers.get('location') as string).searchParams
    const description = evil.describes()
    evil.metadata = async (request, response) => {
      if (request.path !== '/token') return json(response, description)
      const body = new URLSearchParams(request.body)
      expect(body.get('code_verifier')).toMatch(/^[\w-]{43}$/)
      const id_token = await evil.token(claims(asked.get('nonce') as string), {}, key)
      json(response, { access_token: 'a', token_type: 'bearer', id_token })
    }
    const query = new URLSearchParams({ code: 'c', state: asked.get('state') as string })
    return visitor.get(`${origin}/v1/login/callback?${query}`)
  }

  test('is believed only what it may say', async () => {
    expect((await finish((nonce) => ({ nonce }))).status).toBe(200)
  })

  test.each<[string, (nonce: string) => object]>([
    ['no nonce', () => ({})],
    ['another nonce', () => ({ nonce: 'A'.repeat(43) })],
    ['another audience', (nonce) => ({ nonce, aud: 'other' })],
    ['another party', (nonce) => ({ nonce, azp: 'other' })],
    ['another issuer', (nonce) => ({ nonce, iss: provider.issuer })],
    ['a past', (nonce) => ({ nonce, exp: 1 })],
    ['no subject', (nonce) => ({ nonce, sub: undefined })],
  ])('%s', async (_name, claims) => {
    const page = await finish(claims)
    expect(page.status).toBe(401)
    expect(loginOf(visitor)).toBeUndefined()
  })

  test('a signature of another', async () => {
    await using other = await TokenIssuer.start()
    const page = await finish((nonce) => ({ nonce }), other.key)
    expect(problem(page)).toEqual([401, 'UNAUTHENTICATED'])
  })

  test('its login is not one of the other provider', async () => {
    await finish((nonce) => ({ nonce, sub: 'alice' }))
    const own = loginOf(visitor)
    const real = new Visitor('alice')
    await logIn(real)
    expect(own?.split('.')[1]).not.toBe(loginOf(real)?.split('.')[1])
    const logins = [visitor, real].map((by) =>
      findLogin(gateway.store.logins, { cookie: by.cookiesFor(origin) }),
    )
    const [one, other] = await Promise.all(logins)
    expect(one?.client.id).not.toBe(other?.client.id)
  })

  test('where it is away, nobody is logged in', async () => {
    evil.metadata = (request, response) =>
      request.path === '/token' ? response.destroy() : json(response, evil.describes())
    const begun = await visitor.get(`${origin}${path()}`)
    const state = new URL(begun.headers.get('location') as string).searchParams.get('state')
    const query = new URLSearchParams({ code: 'c', state: state as string })
    const page = await visitor.get(`${origin}/v1/login/callback?${query}`)
    expect(problem(page)).toEqual([503, 'UNAVAILABLE'])
  })
})

describe('a logout', () => {
  const out = (headers: Record<string, string>, by = visitor) =>
    by.get(`${origin}/v1/logout`, { method: 'POST', headers })

  test('forgets the login, here and in the store', async () => {
    await logIn()
    const cookie = visitor.cookiesFor(origin)
    expect((await out({ origin })).status).toBe(204)
    expect(loginOf(visitor)).toBeUndefined()
    expect(await findLogin(gateway.store.logins, { cookie })).toBeUndefined()
    expect((await out({ origin })).status).toBe(204)
  })

  test.each<[string, Record<string, string>]>([
    ['a foreign page', { origin: 'https://evil.example' }],
    ['a page in a sandbox', { origin: 'null' }],
    ['no page', {}],
  ])('is nothing for %s', async (_name, headers) => {
    await logIn()
    expect(problem(await out(headers))).toEqual([403, 'ORIGIN_NOT_ALLOWED'])
    const cookie = visitor.cookiesFor(origin)
    expect(await findLogin(gateway.store.logins, { cookie })).toBeDefined()
  })

  test('may be asked for by a page of a configured origin', async () => {
    await logIn()
    expect((await out({ origin: APP })).status).toBe(204)
  })

  test('is not a GET', async () => {
    const page = await visitor.get(`${origin}/v1/logout`)
    expect([page.status, page.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

test('behind a public URL of https, cookies are for https alone and lead back there', async () => {
  const other = await gateway.beside({ http: { publicUrl: 'https://hub.example' } })
  const page = await visitor.get(`http://127.0.0.1:${other.port}/v1/login/acme/boiler`)
  expect(page.headers.getSetCookie()[0]).toMatch(/; Secure$/)
  const url = new URL(page.headers.get('location') as string)
  expect(url.searchParams.get('redirect_uri')).toBe('https://hub.example/v1/login/callback')
  await other.stop()
})
