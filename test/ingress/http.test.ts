/** The HTTP port without WebSocket: health, refusals, and bytes that are no HTTP. */
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { StoreError } from '../../gateway/store/store.ts'
import { TestGateway } from '../support/gateway.ts'
import {
  encodeHandshake,
  exchange,
  RawWebSocket,
  resetRawWebSockets,
} from '../support/raw-websocket.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

async function ask(path: string, method = 'GET', port = gateway.port): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method })
  return { status: answer.status, headers: answer.headers, body: await answer.text() }
}

describe('health', () => {
  test.each(['/healthz', '/readyz', '/healthz?x=1'])('%s is well', async (path) => {
    expect(await ask(path)).toMatchObject({ status: 200, body: 'ok\n' })
    expect(await ask(path, 'HEAD')).toMatchObject({ status: 200, body: '' })
  })

  test('without its store it lives and is not ready', async () => {
    const away = {
      ...gateway.store,
      ping: () => Promise.reject(new StoreError('unavailable', 'secret')),
    }
    const alone = await gateway.beside({}, away)
    expect(await ask('/healthz', 'GET', alone.port)).toMatchObject({ status: 200 })
    const { status, headers, body } = await ask('/readyz', 'GET', alone.port)
    expect([status, headers.get('content-type')]).toEqual([503, 'application/problem+json'])
    expect(JSON.parse(body)).toMatchObject({ status: 503, code: 'UNAVAILABLE' })
    expect(body).not.toContain('secret')
    await alone.stop()
  })
})

describe('refusals', () => {
  test.each(['/', '/v1/ws', '/acme/boiler', '/healthz/', '/../etc/passwd', '/%00'])(
    'nothing is served at %s',
    async (path) => {
      const { status, body } = await ask(path)
      expect(status).toBe(404)
      expect(JSON.parse(body)).toMatchObject({ code: 'PATH_UNKNOWN' })
    },
  )

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is not allowed', async (method) => {
    const { status, headers } = await ask('/healthz', method)
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  const request = (path: string, headers = '') =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`
  const manyHeaders = Array.from({ length: 3000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')

  test.each([
    ['a header', request('/healthz', `X: ${'x'.repeat(17_000)}\r\n`)],
    ['3,000 headers', request('/healthz', manyHeaders)],
    ['a path', request(`/${'x'.repeat(17_000)}`)],
    ['a cookie of an upgrade', encodeHandshake({ headers: { Cookie: 'x'.repeat(17_000) } })],
  ])('%s may be too much', async (_name, bytes) => {
    expect(await exchange(gateway.port, bytes)).toMatch(/^HTTP\/1.1 431 /)
  })

  test('an offer of another protocol than WebSocket is declined by answering', async () => {
    const offer = 'Connection: Upgrade, close\r\nUpgrade: h2c\r\n'
    expect(await exchange(gateway.port, request('/healthz', offer))).toMatch(/^HTTP\/1.1 200 /)
  })

  test('headers without an end are cut off', async () => {
    // What the gateway has not read when it closes resets the connection, and may lose the answer.
    const answer = await exchange(gateway.port, request('/', `X: ${'x'.repeat(8_000_000)}\r\n`))
    expect(answer).toMatch(/^(HTTP\/1.1 431 |$)/)
    expect(await ask('/healthz')).toMatchObject({ status: 200 })
  })
})

test.each([
  ['MQTT', Buffer.from('101000044d5154540402003c000474657374', 'hex')],
  ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
  ['zeros', Buffer.alloc(64)],
  ['a line of words', 'hello gateway, who are you?\r\n\r\n'],
  ['a path beyond ASCII', 'GET /acme/b\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a request without a host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
])('%s on the HTTP port is refused and closed', async (_name, bytes) => {
  expect(await exchange(gateway.port, bytes)).toMatch(/^HTTP\/1.1 400 /)
})

test('who connects and says nothing, or drips, is cut off while others are served', async () => {
  const dripping = connect(gateway.port, '127.0.0.1')
  dripping.on('error', () => undefined)
  dripping.write('GET /healthz HTTP/1.1\r\n')
  const drip = setInterval(() => dripping.write('X-Drip: 1\r\n'), 100)
  const ended = new Promise<string>((resolve) => {
    let answer = ''
    dripping.on('data', (chunk) => {
      answer += chunk
    })
    dripping.on('close', () => resolve(answer))
  })
  const silent = Array.from({ length: 50 }, () => exchange(gateway.port, ''))
  const socket = await RawWebSocket.open(gateway.port)
  expect(await ended).toMatch(/^HTTP\/1.1 408 /)
  clearInterval(drip)
  expect(new Set(await Promise.all(silent))).toEqual(
    new Set(['HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n']),
  )
  expect(await ask('/healthz')).toMatchObject({ status: 200 })
  // In limbo, which ended meanwhile by its own deadline.
  expect((await socket.ended).code).toBe(4052)
})
