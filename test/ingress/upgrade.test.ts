/** The handshake: what is refused before it costs anything (PH-1, threats H1 to H9, H14, E10). */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { TestGateway, type TestSettings } from '../support/gateway.ts'
import {
  encodeHandshake,
  exchange,
  type Handshake,
  RawWebSocket,
  resetRawWebSockets,
} from '../support/raw-websocket.ts'

let gateway: TestGateway
const others: TestGateway[] = []

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(async () => {
  resetRawWebSockets()
  await Promise.all(others.splice(0).map((other) => other.stop()))
})
afterAll(() => gateway.stop())

async function beside(settings: TestSettings): Promise<number> {
  const other = await gateway.beside(settings)
  others.push(other)
  return other.port
}

/** The status line's number and the problem's code of a handshake that is refused. */
async function refusal(handshake: Handshake, port = gateway.port): Promise<string> {
  const [head, body] = (await exchange(port, encodeHandshake(handshake))).split('\r\n\r\n')
  expect(head).toMatch(/^content-type: application\/problem\+json\r?$/im)
  const problem = JSON.parse(body!)
  expect(head!.slice(9, 12)).toBe(String(problem.status))
  return `${problem.status} ${problem.code}`
}

async function accepted(handshake: Handshake, port = gateway.port): Promise<string> {
  const socket = await RawWebSocket.open(port, handshake)
  socket.reset()
  return socket.head
}

describe('paths', () => {
  test.each([
    '/',
    '/acme',
    '/v1/ws/',
    '/v1/nowhere',
    '/v2/ws',
    '/mqtt/x',
    '/user',
    '/user/acme/x',
    '*',
    'http://127.0.0.1/v1/ws',
  ])('%s leads nowhere', async (path) => {
    expect(await refusal({ path })).toBe('404 PATH_UNKNOWN')
  })

  test.each([
    ['upper case', '/ACME/boiler'],
    ['a name that is a property of objects', '/__proto__/boiler'],
    ['an empty room', '/acme//x'],
    ['an empty channel', '/acme/boiler/'],
    ['an empty level', '/acme/boiler/a//b'],
    ['a parent', '/acme/boiler/..'],
    ['a hidden parent', '/acme/boiler/%2e%2e/x'],
    ['a hidden slash', '/acme/boiler%2fx'],
    ['NUL', '/acme/boiler/%00'],
    ['bytes that are not UTF-8', '/acme/boiler/%ff'],
    ['half an escape', '/acme/boiler/%4'],
    ['#', '/acme/boiler/a%23b'],
    ['+', '/acme/boiler/a+b'],
    ['a filter', '/acme/boiler/*'],
    ['$', '/acme/boiler/$sys'],
    ['a bidi control', '/acme/boiler/%E2%80%AE'],
    ['a decomposed letter', '/acme/boiler/e%CC%81'],
  ])('%s is no address', async (_name, path) => {
    expect(await refusal({ path })).toBe('400 ADDRESS_INVALID')
  })

  test.each([
    ['room', `/acme/${'x'.repeat(64)}`],
    ['channel', `/acme/boiler/${'x'.repeat(256)}`],
    ['path', `/acme/boiler/${'x'.repeat(10_000)}`],
  ])('a %s may be too long', async (_name, path) => {
    expect(await refusal({ path })).toBe('400 NAME_TOO_LONG')
  })

  test('a channel may have too many levels', async () => {
    const levels = (count: number) => `/acme/boiler/${Array(count).fill('x').join('/')}`
    expect(await refusal({ path: levels(17) })).toBe('400 NESTING_TOO_DEEP')
    await accepted({ path: levels(16) })
  })

  test('ordinary names are ordinary, and a query says nothing', async () => {
    await accepted({ path: '/constructor/prototype/hasownproperty' })
    await accepted({ path: '/v1/ws?token=%00' })
  })
})

describe('handshakes', () => {
  test.each([
    ['no key', { headers: { 'Sec-WebSocket-Key': null } }],
    ['a short key', { headers: { 'Sec-WebSocket-Key': 'dGhl' } }],
    ['a key that is no base64', { headers: { 'Sec-WebSocket-Key': '*'.repeat(24) } }],
    ['no version', { headers: { 'Sec-WebSocket-Version': null } }],
    ['version 12', { headers: { 'Sec-WebSocket-Version': '12' } }],
    ['POST', { method: 'POST' }],
    ['an empty subprotocol', { protocol: 'porthouse.v1,,x' }],
    ['a subprotocol twice', { protocol: 'porthouse.v1, porthouse.v1' }],
  ] as [string, Handshake][])('%s is refused', async (_name, handshake) => {
    expect(await refusal(handshake)).toBe('400 HANDSHAKE_INVALID')
  })

  test.each(['constructor', '__proto__', 'permessage-deflate; client_max_window_bits', ';;,'])(
    'extension %s is not negotiated',
    async (extensions) => {
      const head = await accepted({ headers: { 'Sec-WebSocket-Extensions': extensions } })
      expect(head).not.toMatch(/extensions/i)
    },
  )
})

describe('subprotocols', () => {
  test('of several that are known, porthouse.v1 is taken', async () => {
    const chosen = async (protocol: string) =>
      /^Sec-WebSocket-Protocol: (.*)$/m.exec(await accepted({ protocol }))?.[1]
    expect(await chosen('porthouse.v1.json, porthouse.v1')).toBe('porthouse.v1')
    expect(await chosen('mqtt, porthouse.v1.json')).toBe('porthouse.v1.json')
  })

  test.each([
    ['mqtt', 'mqtt'],
    ['a later version', 'porthouse.v2'],
    ['upper case', 'PORTHOUSE.V1'],
    ['a property of objects', '__proto__'],
    ['much space (H8)', `x${' '.repeat(12_000)}y`],
  ])('%s is not known', async (_name, protocol) => {
    expect(await refusal({ protocol })).toBe('400 SUBPROTOCOL_UNSUPPORTED')
  })

  test('a bare WebSocket without a teleprinter is accepted and closed with its code', async () => {
    const port = await beside({ features: ['websocket'] })
    const socket = await RawWebSocket.open(port, { protocol: null })
    const end = await socket.ended
    expect(end.code).toBe(4537)
    expect(end.reason).toMatch(/^SUBPROTOCOL_MISSING: /)
    expect(gateway.sockets).toBe(0)
  })
})

describe('origins', () => {
  const from = (Origin: string, Host = '127.0.0.1') => ({ headers: { Origin, Host } })

  test.each([
    'https://evil.example',
    'null',
    'file://',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://127.0.0.1@evil.example',
    'javascript:alert(1)',
    '//127.0.0.1',
    '',
  ])('a page of "%s" may not connect, whatever its cookies', async (origin) => {
    const { headers } = from(origin)
    const handshake = { headers: { ...headers, Cookie: 'session=valid' } }
    expect(await refusal(handshake)).toBe('403 ORIGIN_NOT_ALLOWED')
  })

  test.each(['http://localhost:3000', 'https://127.0.0.1', 'http://127.8.9.1:1', 'http://[::1]:5'])(
    'a page of this machine, %s, may while the gateway listens for this machine alone',
    async (origin) => {
      await accepted(from(origin))
      const open = await beside({ http: { listen: '0.0.0.0:0' }, features: ['websocket'] })
      expect(await refusal(from(origin, 'gateway.example'), open)).toBe('403 ORIGIN_NOT_ALLOWED')
    },
  )

  test('a page of this machine may not where a proxy lets others in', async () => {
    const behind = await beside({ http: { trustedProxies: ['127.0.0.1'] } })
    const page = from('http://localhost:3000', 'gateway.example')
    expect(await refusal(page, behind)).toBe('403 ORIGIN_NOT_ALLOWED')
  })

  test('a page of the same host may, and a program without an origin', async () => {
    await accepted(from('https://gateway.example', 'gateway.example'))
    await accepted(from('http://gateway.example:8080', 'gateway.example:8080'))
    await accepted({})
    const other = from('http://gateway.example:8081', 'gateway.example:8080')
    expect(await refusal(other)).toBe('403 ORIGIN_NOT_ALLOWED')
  })

  test('pages that are allowed may, and no others', async () => {
    const port = await beside({ http: { origins: ['https://app.example'] } })
    await accepted(from('https://app.example'), port)
    for (const origin of [
      'http://app.example',
      'https://app.example:444',
      'https://app.example.x',
    ]) {
      expect(await refusal(from(origin), port)).toBe('403 ORIGIN_NOT_ALLOWED')
    }
    await accepted(from('https://any.example'), await beside({ http: { origins: ['*'] } }))
  })
})

describe('too many connections', () => {
  test('from one address, whatever its headers say, and not from another', async () => {
    const port = await beside({ connections: { perAddress: 2 } })
    const [first] = [await RawWebSocket.open(port), await RawWebSocket.open(port)]
    for (const name of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded']) {
      const headers = { [name]: 'for=192.0.2.1' }
      expect(await refusal({ headers }, port)).toBe('429 CONNECTION_LIMIT')
    }
    await RawWebSocket.open(port, { from: '127.0.0.2' })
    first.reset()
    await vi.waitFor(() => RawWebSocket.open(port))
  })

  test('in all, and health still answers', async () => {
    const port = await beside({ connections: { max: 2 } })
    const first = await RawWebSocket.open(port)
    await RawWebSocket.open(port, { from: '127.0.0.2' })
    expect(await refusal({}, port)).toBe('429 CONNECTION_LIMIT')
    const health = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    expect(await exchange(port, health)).toMatch(/^HTTP\/1.1 200 /)
    first.reset()
    await vi.waitFor(() => RawWebSocket.open(port))
  })

  test('that say nothing are closed at once beyond a few, and others are served', async () => {
    const port = await beside({ connections: { perAddress: 1 } })
    const silent = Array.from({ length: 100 }, () => exchange(port, ''))
    // Those over the bound end now, the others only with the gateway.
    expect(await Promise.race(silent)).toBe('')
    await RawWebSocket.open(port, { from: '127.0.0.2' })
  })
})
