/** Whom a request is from: the peer, or whom a trusted proxy names, nobody else (threat H14). */
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parseForwarded, parseForwardedFor } from '../../gateway/ingress/forwarded.ts'
import { handshakeOf } from '../../gateway/ingress/handshake.ts'
import { type Forwardable, Proxies } from '../../gateway/ingress/proxies.ts'
import { TestGateway } from '../support/gateway.ts'
import {
  encodeHandshake,
  exchange,
  RawWebSocket,
  resetRawWebSockets,
} from '../support/raw-websocket.ts'

const proxies = new Proxies(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7', '::1'])

function from(remoteAddress: string, headers: Forwardable['headers'], more = {}): Forwardable {
  return { headers, socket: { remoteAddress, ...more } }
}

const list = (text: string) => ({ 'x-forwarded-for': text })
const forwarded = (text: string) => ({ forwarded: text })

describe('the address', () => {
  test.each<[string, Forwardable['headers'], string]>([
    ['198.51.100.1', list('203.0.113.9'), '198.51.100.1'],
    ['198.51.100.1', forwarded('for=203.0.113.9'), '198.51.100.1'],
    ['192.0.2.8', list('203.0.113.9'), '192.0.2.8'],
    ['', list('203.0.113.9'), ''],
    ['10.0.0.1', {}, '10.0.0.1'],
    ['10.0.0.1', list('203.0.113.9'), '203.0.113.9'],
    ['::ffff:10.0.0.1', list('203.0.113.9'), '203.0.113.9'],
    ['192.0.2.7', list('2001:470::5'), '2001:470::5'],
    ['10.0.0.1', list('6.6.6.6, 203.0.113.9'), '203.0.113.9'],
    ['10.0.0.1', list('6.6.6.6, 203.0.113.9, 10.0.0.2,2001:db8::7'), '203.0.113.9'],
    ['10.0.0.1', list('10.0.0.3, 10.0.0.2'), '10.0.0.3'],
    ['10.0.0.1', list('203.0.113.9:5123'), '203.0.113.9'],
    ['10.0.0.1', list('[2001:470::5]:5123'), '2001:470::5'],
    ['10.0.0.1', list('203.0.113.9, unknown, 10.0.0.2'), '10.0.0.2'],
    ['10.0.0.1', forwarded('for=203.0.113.9;proto=https;by=10.0.0.1'), '203.0.113.9'],
    ['10.0.0.1', forwarded('For="[2001:470::5]:1", FOR=10.2.3.4'), '2001:470::5'],
    ['10.0.0.1', forwarded('for=6.6.6.6,for=203.0.113.9 , for=10.2.3.4'), '203.0.113.9'],
    ['10.0.0.1', forwarded('for=_hidden, for=10.2.3.4'), '10.2.3.4'],
    ['10.0.0.1', forwarded('proto=https'), '10.0.0.1'],
    [
      '10.0.0.1',
      { ...list('6.6.6.6, 203.0.113.9'), ...forwarded('for=203.0.113.9') },
      '203.0.113.9',
    ],
  ])('at %s with %j is %s', (peer, headers, expected) => {
    expect(proxies.remoteOf(from(peer, headers))).toBe(expected)
  })

  test.each<Forwardable['headers']>([
    list('here'),
    list(''),
    list('203.0.113.9,'),
    list('203.0.113.9 10.0.0.1'),
    list('203.0.113.999'),
    forwarded(''),
    forwarded('203.0.113.9'),
    forwarded('for=here'),
    forwarded('for=203.0.113.9; for=6.6.6.6'),
    forwarded('for="203.0.113.9'),
    forwarded('for=6.6.6.6, for="x, for="[2001:470::5]:1"'),
    { ...list('203.0.113.9'), ...forwarded('for=6.6.6.6') },
  ])('is refused where a trusted proxy passes on %j', (headers) => {
    expect(() => proxies.remoteOf(from('10.0.0.1', headers))).toThrow('HANDSHAKE_INVALID')
    expect(proxies.remoteOf(from('198.51.100.1', headers))).toBe('198.51.100.1')
  })

  test('is found in whatever hops wrote, behind whatever a client wrote', () => {
    const stranger = fc.ipV4().filter((one) => !proxies.trusts(one))
    const anybody = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('unknown'))
    const proxy = fc.constantFrom('10.0.0.2', '10.255.0.1', '2001:db8::9', '192.0.2.7')
    const node = (one: string) => (one.includes(':') ? `"[${one}]:443"` : one)
    fc.assert(
      fc.property(fc.array(anybody), stranger, fc.array(proxy), (spoofed, client, hops) => {
        const all = [...spoofed, client, ...hops]
        expect(proxies.remoteOf(from('10.0.0.1', list(all.join(', '))))).toBe(client)
        const standard = all.map((one) => `for=${node(one)};proto=https`).join(',')
        expect(proxies.remoteOf(from('10.0.0.1', forwarded(standard)))).toBe(client)
      }),
    )
  })

  test('no text is more than refused', () => {
    const text = fc.string({ unit: fc.constantFrom(...'for=";,\\[]:1a. _proto'), maxLength: 200 })
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (any) => {
        for (const hops of [parseForwarded(any), parseForwardedFor(any)]) {
          for (const { address } of hops ?? []) expect(address ?? '').not.toMatch(/[",; ]/)
        }
      }),
    )
    const long = ['"'.repeat(16_000), `for="${'\\"'.repeat(8_000)}`, 'for=a;'.repeat(3_000)]
    for (const one of long) expect(parseForwarded(one)).toBeUndefined()
  })
})

test.each<[string, Forwardable['headers'], boolean]>([
  ['10.0.0.1', { 'x-forwarded-proto': 'https' }, true],
  ['10.0.0.1', { 'x-forwarded-proto': 'https, HTTPS' }, true],
  ['10.0.0.1', { 'x-forwarded-proto': 'http' }, false],
  ['10.0.0.1', forwarded('for=203.0.113.9;proto=HTTPS'), true],
  ['10.0.0.1', list('203.0.113.9'), false],
  ['198.51.100.1', { 'x-forwarded-proto': 'https' }, false],
])('whether there is TLS at %s with %j: %j', (peer, headers, expected) => {
  expect(proxies.isSecure(from(peer, headers))).toBe(expected)
})

test('a connection with TLS has it, whatever others say', () => {
  const said = { 'x-forwarded-proto': 'http' }
  expect(proxies.isSecure(from('198.51.100.1', said, { encrypted: true }))).toBe(true)
})

test('locks see whom it is from, and the proxy beside', () => {
  const request = from('10.0.0.1', list('203.0.113.9')) as never
  expect(handshakeOf(request, '203.0.113.9')).toMatchObject({
    remote: '203.0.113.9',
    peer: '10.0.0.1',
  })
  expect(handshakeOf(request, '10.0.0.1')).not.toHaveProperty('peer')
})

describe('a gateway', () => {
  let gateway: TestGateway
  const own = { connections: { perAddress: 1 } }

  beforeAll(async () => {
    gateway = await TestGateway.start({ ...own, http: { trustedProxies: ['127.0.0.0/8'] } })
  })
  afterEach(resetRawWebSockets)
  afterAll(() => gateway.stop())

  const open = (address: string, port = gateway.port) =>
    RawWebSocket.open(port, { headers: { 'X-Forwarded-For': address } })

  test.each(['/v1/ws', '/mqtt'])(
    'counts connections by who is behind the proxy, %s',
    async (path) => {
      const protocol = path === '/mqtt' ? 'mqtt' : 'porthouse.v1'
      const come = (address: string) =>
        RawWebSocket.open(gateway.port, { path, protocol, headers: { 'X-Forwarded-For': address } })
      const first = await come('203.0.113.1')
      await come('203.0.113.2')
      await expect(come('203.0.113.1')).rejects.toThrow('CONNECTION_LIMIT')
      await expect(come('6.6.6.6, 203.0.113.1')).rejects.toThrow('CONNECTION_LIMIT')
      first.reset()
      await first.ended
      await expect
        .poll(() =>
          come('203.0.113.1').then(
            () => true,
            () => false,
          ),
        )
        .toBe(true)
    },
  )

  test('counts wrong answers by who is behind the proxy', async () => {
    const limited = await gateway.beside({
      http: { trustedProxies: ['127.0.0.0/8'] },
      limbo: { failures: 2 },
    })
    const call = async (address: string) => {
      const path = '/porthouse.admin.v1.AccountService/ListAccounts'
      const answer = await fetch(`http://127.0.0.1:${limited.port}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: 'Bearer wrong',
          'x-forwarded-for': address,
        },
        body: '{}',
      })
      return answer.status
    }
    const tries = [await call('203.0.113.1'), await call('203.0.113.1'), await call('203.0.113.1')]
    expect(tries).toEqual([401, 401, 429])
    expect(await call('198.51.100.1')).toBe(401)
    expect(await call('nobody')).toBe(400)
    await limited.stop()
  })

  test('refuses what its proxy cannot have written', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.1', Forwarded: 'for=6.6.6.6' }
    const answer = await exchange(gateway.port, encodeHandshake({ headers }))
    expect(answer).toMatch(/^HTTP\/1.1 400 .*"HANDSHAKE_INVALID"/s)
  })

  test('believes nobody else', async () => {
    const other = await gateway.beside(own)
    await open('203.0.113.1', other.port)
    await expect(open('203.0.113.2', other.port)).rejects.toThrow('CONNECTION_LIMIT')
    await other.stop()
  })
})
