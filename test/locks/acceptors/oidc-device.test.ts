/** The device flow of the `oidc` acceptor, with a real provider and one that misbehaves. */
import type { ServerResponse } from 'node:http'
import { Code } from '@porthouse/proto/v1/code'
import type { Visit } from '@porthouse/proto/v1/lock_step'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LockStep } from '../../../gateway/locks/acceptor.ts'
import { Providers } from '../../../gateway/locks/acceptors/oidc/provider.ts'
import { oidcAcceptor } from '../../../gateway/locks/acceptors/oidc.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { contextOf, type Situation } from '../../support/lock-context.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { OpenIdProvider } from '../../support/openid-provider.ts'
import { TokenIssuer } from '../../support/token-issuer.ts'
import { Visitor } from '../../support/visitor.ts'
import { json } from '../../support/web-server.ts'

const unavailable = { outcome: 'failed', code: Code.UNAVAILABLE }

let provider: OpenIdProvider
let store: MemoryStore
let acceptor: ReturnType<typeof oidcAcceptor>

beforeAll(async () => {
  const redirect_uris = ['http://127.0.0.1/callback']
  provider = await OpenIdProvider.start([
    { client_id: 'terminal', redirect_uris },
    { client_id: 'hub', client_secret: 'of the hub', redirect_uris },
  ])
})
afterAll(() => provider[Symbol.asyncDispose]())

// Waiting takes seconds, so those who wait do it together.
beforeAll(() => {
  store = new MemoryStore()
  store.room('acme/boiler')
  acceptor = oidcAcceptor({
    store: store as unknown as Store,
    providers: new Providers(),
    clock: Date.now,
    trustsPage: () => false,
    log: pino({ level: 'silent' }),
  })
})

const told = {
  device_code: 'secret',
  user_code: 'ABCD-EFGH',
  verification_uri: 'https://id.example/device',
  expires_in: 600,
  interval: 0.01,
}

type Challenge = Extract<LockStep, { outcome: 'challenge' }>

function choose(options: object, situation: Situation = {}) {
  const context = contextOf(
    acceptor,
    { issuer: provider.issuer, client_id: 'terminal', device: true, ...options },
    situation,
  )
  return acceptor.answer({ case: 'text', value: 'device' }, context, undefined)
}

async function started(options: object, situation: Situation = {}) {
  const step = (await choose(options, situation)) as Challenge
  return { visit: step.ask.value as Visit, later: step.later!, state: step.state }
}

describe.concurrent('a real provider', () => {
  test.each([
    ['of a public client', {}],
    ['of one with a secret', { client_id: 'hub', client_secret: 'of the hub' }],
  ])('lets the socket in once its person has logged in, %s', async (_name, options) => {
    const { visit, later } = await started(options)
    expect(visit.userCode).toMatch(/^[A-Z]{4}-[A-Z]{4}$/)
    expect(visit.completeUrl).toBe(`${visit.url}?user_code=${visit.userCode}`)
    const page = await new Visitor('alice').visit(visit.completeUrl)
    expect(page.body).toContain('Sign-in Success')
    expect(await later).toMatchObject({
      outcome: 'passed',
      proof: {
        acceptor: 'oidc',
        account: { slug: 'acme' },
        values: { issuer: provider.issuer, subject: 'alice' },
        expiresAt: expect.any(Date),
      },
    })
  })

  test('tells where the person said no', async () => {
    const { visit, later } = await started({})
    const visitor = new Visitor('alice')
    const page = await visitor.get(visit.completeUrl)
    const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const body = new URLSearchParams({ xsrf, user_code: visit.userCode, abort: 'yes' })
    await visitor.get(visit.url, { method: 'POST', body })
    expect(await later).toEqual({ outcome: 'failed', code: Code.NOT_ADMITTED })
  })

  test('with a wrong secret starts nothing', async () => {
    const step = await choose({ client_id: 'hub', client_secret: 'of another' })
    expect(step).toEqual(unavailable)
  })
})

test('one lock begins a few visits, and no more', async () => {
  const context = contextOf(acceptor, {
    issuer: provider.issuer,
    client_id: 'terminal',
    device: true,
  })
  const steps: string[] = []
  let step: LockStep | undefined
  for (let i = 0; i < 5; i++) {
    const state = step?.outcome === 'challenge' ? step.state : undefined
    step = await acceptor.answer({ case: 'text', value: 'device' }, context, state)
    if (step.outcome === 'challenge') step.later?.catch(() => undefined)
    steps.push(step.outcome)
  }
  expect(steps).toEqual([...Array(4).fill('challenge'), 'dropped'])
  expect(step).toMatchObject({ code: Code.RATE_LIMITED })
})

test('where the room does not offer it, it is a wrong answer', async () => {
  expect(await choose({ device: false })).toEqual({
    outcome: 'failed',
    code: Code.UNAUTHENTICATED,
  })
})

describe.concurrent('a provider that misbehaves', () => {
  /** What becomes of it where the provider starts and goes on like this. */
  async function against(
    start: object,
    token: (response: ServerResponse, asked: number, issuer: TokenIssuer) => unknown = () => {},
  ) {
    const issuer = await TokenIssuer.start()
    let asked = 0
    const description = {
      ...issuer.describes(),
      device_authorization_endpoint: `${issuer.url}/device`,
    }
    issuer.metadata = ({ path }, response) => {
      if (path === '/device') return json(response, { ...told, ...start })
      if (path === '/token') return token(response, ++asked, issuer)
      return json(response, description)
    }
    const step = await choose({ issuer: issuer.url, client_id: 'hub' })
    return {
      step,
      later: step.outcome === 'challenge' ? step.later! : Promise.resolve(step),
      asked: () => asked,
      [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose](),
    }
  }

  test.each([
    ['a page that is a script', { verification_uri: 'javascript:alert(1)' }],
    ['a complete page that is one', { verification_uri_complete: 'data:text/html,x' }],
    ['a page too long', { verification_uri: `https://id.example/${'x'.repeat(2048)}` }],
    ['a code too long', { user_code: 'x'.repeat(65) }],
    ['no code', { user_code: undefined }],
    ['a code that is a list', { user_code: ['a'] }],
    ['no expiry', { expires_in: undefined }],
    ['no interval at all', { interval: 0 }],
  ])('by %s is not believed', async (_name, start) => {
    await using attempt = await against(start)
    expect(attempt.step).toEqual(unavailable)
  })

  test('by asking for haste is asked once a second at most', async () => {
    await using attempt = await against({ interval: 0.01 }, (response) =>
      json(response, { error: 'access_denied' }, 400),
    )
    const begun = performance.now()
    expect(await attempt.later).toEqual({ outcome: 'failed', code: Code.NOT_ADMITTED })
    expect(performance.now() - begun).toBeGreaterThan(900)
    expect(attempt.asked()).toBe(1)
  })

  test('by asking for patience is given it', async () => {
    const times: number[] = []
    await using attempt = await against({}, (response, asked) => {
      times.push(performance.now())
      const errors = ['authorization_pending', 'slow_down', 'access_denied']
      return json(response, { error: errors[asked - 1] }, 400)
    })
    expect(await attempt.later).toEqual({ outcome: 'failed', code: Code.NOT_ADMITTED })
    expect(times).toHaveLength(3)
    // A lower bound, which a slow machine cannot break.
    expect(times[2]! - times[1]!).toBeGreaterThan(5_900)
  })

  test.each([
    ['another audience', { aud: 'other' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['no subject', { sub: undefined }],
  ])('by a token of %s lets nobody in', async (_name, claims) => {
    await using attempt = await against({}, async (response, _asked, issuer) => {
      const id_token = await issuer.token(claims, { alg: 'ES256' })
      json(response, { access_token: 'a', token_type: 'bearer', id_token })
    })
    expect(await attempt.later).toEqual({ outcome: 'failed', code: Code.UNAUTHENTICATED })
  })

  test('by a token that another has signed lets nobody in', async () => {
    await using other = await TokenIssuer.start()
    await using attempt = await against({}, async (response, _asked, issuer) => {
      const id_token = await issuer.token({}, {}, other.key)
      json(response, { access_token: 'a', token_type: 'bearer', id_token })
    })
    expect(await attempt.later).toEqual({ outcome: 'failed', code: Code.UNAUTHENTICATED })
  })

  test('by no token that says who it is lets nobody in', async () => {
    await using attempt = await against({}, (response) =>
      json(response, { access_token: 'a', token_type: 'bearer' }),
    )
    expect(await attempt.later).toEqual({ outcome: 'failed', code: Code.UNAUTHENTICATED })
  })

  test('by an error lets nobody in', async () => {
    await using attempt = await against({}, (response) => json(response, {}, 500))
    expect(await attempt.later).toEqual(unavailable)
  })
})

describe('those who wait', () => {
  let issuer: TokenIssuer

  beforeAll(async () => {
    issuer = await TokenIssuer.start()
    const description = { ...issuer.describes(), device_authorization_endpoint: issuer.url }
    issuer.metadata = ({ path }, response) => {
      if (path === '/') return json(response, told)
      if (path === '/token') return json(response, { error: 'authorization_pending' }, 400)
      return json(response, description)
    }
  })
  afterAll(() => issuer[Symbol.asyncDispose]())

  const wait = (situation: Situation) =>
    started({ issuer: issuer.url, client_id: 'hub' }, situation)

  test('wait no more once the lock is gone, or something else is answered', async () => {
    const lock = new AbortController()
    const { later } = await wait({ signal: lock.signal })
    lock.abort()
    expect(await later).toEqual(unavailable)
    const again = await wait({})
    const context = contextOf(acceptor, { issuer: issuer.url, client_id: 'hub' })
    await acceptor.answer({ case: 'text', value: 'a.b.c' }, context, again.state)
    expect(await again.later).toEqual(unavailable)
  })

  test('are only so many from one address', async () => {
    const lock = new AbortController()
    const { signal } = lock
    const waiting = []
    for (let i = 0; i < 32; i++) waiting.push(await wait({ signal }))
    const { later } = await wait({ signal })
    expect(await later).toEqual(unavailable)
    waiting.push(await wait({ signal, handshake: { remote: '192.0.2.2' } }))
    const first = Promise.race(waiting.map((each) => each.later.then(() => 'done')))
    expect(await Promise.race([first, Promise.resolve('waits')])).toBe('waits')
    lock.abort()
    for (const { later } of waiting) expect(await later).toEqual(unavailable)
  })
})
