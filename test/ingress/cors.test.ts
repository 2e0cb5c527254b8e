/** Pages of other origins: those that are named may read what is answered, and no others (C5). */
import { cors } from '@connectrpc/connect'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestGateway } from '../support/gateway.ts'

const APP = 'https://app.example'
const LIST = '/porthouse.admin.v1.AccountService/ListAccounts'
const others: TestGateway[] = []
let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start({ http: { origins: [APP] } })
})
afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.stop()))
})
afterAll(() => gateway.stop())

interface Asked {
  readonly path?: string
  readonly method?: string
  readonly origin?: string
  readonly headers?: Record<string, string>
  readonly port?: number
}

async function ask({ path = LIST, method = 'POST', origin, headers, port }: Asked) {
  const answer = await fetch(`http://127.0.0.1:${port ?? gateway.port}${path}`, {
    method,
    headers: { ...(origin !== undefined && { origin }), ...headers },
    ...(method === 'POST' && { body: '{}' }),
  })
  await answer.arrayBuffer()
  const said = [...answer.headers].filter(([name]) => name.startsWith('access-control-'))
  return { status: answer.status, cors: Object.fromEntries(said), headers: answer.headers }
}

const asks = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
}
const preflight = (origin: string, path = LIST, port = gateway.port) =>
  ask({ path, method: 'OPTIONS', origin, headers: asks, port })

const FOREIGN = ['https://evil.example', 'null', 'http://app.example', `${APP}.evil`, '', '*']

describe('a page that is named', () => {
  test.each([LIST, '/v1/messages', '/healthz', '/grpc.health.v1.Health/Check'])(
    'is told by a preflight what it may send to %s',
    async (path) => {
      const { status, cors: said } = await preflight(APP, path)
      expect([status, said['access-control-allow-origin']]).toEqual([204, APP])
      expect(said['access-control-allow-credentials']).toBe('true')
      const methods = said['access-control-allow-methods']?.split(', ')
      const headers = said['access-control-allow-headers']?.toLowerCase().split(', ')
      expect(methods).toEqual(expect.arrayContaining([...cors.allowedMethods]))
      // Of those, one is an answer's alone.
      const needed = cors.allowedHeaders.map((name) => name.toLowerCase())
      const sent = needed.filter((name) => name !== 'grpc-message-type')
      expect(headers).toEqual(expect.arrayContaining([...sent, 'authorization', 'idempotency-key']))
    },
  )

  test('may read the answer, refusals too', async () => {
    const answers = await Promise.all([
      ask({ path: '/healthz', method: 'GET', origin: APP }),
      ask({ path: '/nowhere', method: 'GET', origin: APP }),
      ask({ origin: APP, headers: { 'content-type': 'application/json' } }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 401])
    for (const { cors: said, headers } of answers) {
      expect(said['access-control-allow-origin']).toBe(APP)
      const exposed = said['access-control-expose-headers']?.toLowerCase().split(', ')
      const needed = cors.exposedHeaders.map((name) => name.toLowerCase())
      expect(exposed).toEqual(expect.arrayContaining(needed))
      expect(headers.get('vary')).toBe('Origin')
    }
  })
})

describe('a foreign page', () => {
  test.each(FOREIGN)('of %j gets no headers', async (origin) => {
    expect((await preflight(origin)).cors).toEqual({})
    expect((await ask({ path: '/healthz', method: 'GET', origin })).cors).toEqual({})
    const headers = { 'content-type': 'application/json' }
    expect((await ask({ origin, headers })).cors).toEqual({})
  })

  test('gets none where nobody is named, of this machine or not', async () => {
    const other = await gateway.beside()
    others.push(other)
    for (const origin of [APP, 'http://localhost:3000', `http://127.0.0.1:${other.port}`]) {
      expect((await preflight(origin, LIST, other.port)).cors).toEqual({})
    }
  })
})

test('by * any page may read, and none with what its browser knows', async () => {
  const other = await gateway.beside({ http: { origins: ['*', APP] } })
  others.push(other)
  const any = await preflight('https://any.example', LIST, other.port)
  expect(any.cors['access-control-allow-origin']).toBe('*')
  expect(any.cors).not.toHaveProperty('access-control-allow-credentials')
  const named = await preflight(APP, LIST, other.port)
  expect(named.cors['access-control-allow-origin']).toBe(APP)
})

test('no cookie opens administration, whatever page it comes with', async () => {
  const headers = { 'content-type': 'application/json', cookie: 'porthouse_login=anything' }
  for (const origin of [APP, `http://127.0.0.1:${gateway.port}`]) {
    expect(await ask({ origin, headers })).toMatchObject({ status: 401 })
  }
})

test.each([
  ['/healthz', 'GET'],
  ['/nowhere', 'GET'],
  [LIST, 'POST'],
])('what %s answers is kept nowhere, and is what it says', async (path, method) => {
  const { headers } = await ask({ path, method, headers: { 'content-type': 'application/json' } })
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})
