import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gatewayUrl, ownGatewayUrl } from '../../gateway/protocol/gateway-url.ts'

describe("a gateway's URL as clients sign it", () => {
  test.each([
    ['https://hub.example', 'https://hub.example'],
    ['wss://hub.example', 'https://hub.example'],
    ['ws://hub.example', 'http://hub.example'],
    ['HTTPS://HUB.Example:443/v1/ws?a=b#c', 'https://hub.example'],
    ['ws://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
    ['http://hub.example:80', 'http://hub.example'],
    ['https://hub.example:80', 'https://hub.example:80'],
    ['ws://[::1]:8080', 'http://[::1]:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ])('%s is %s', (typed, origin) => expect(gatewayUrl(typed)).toBe(origin))

  test.each([
    '',
    'hub.example',
    'ftp://hub.example',
    'https://',
    'https://anna@hub.example',
    'https://anna:pw@hub.example',
    `https://hub.example/${'a'.repeat(600)}`,
    'javascript:alert(1)',
  ])('%s is none', (typed) => expect(gatewayUrl(typed)).toBeUndefined())

  test('an origin is its own origin, whatever was typed', () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
        const origin = gatewayUrl(url)
        if (origin !== undefined) expect(gatewayUrl(origin)).toBe(origin)
      }),
    )
  })

  test('a gateway knows itself by any of its URLs, and by no other', () => {
    const own = ['https://hub.example/', 'ws://127.0.0.1:8080']
    expect(ownGatewayUrl('wss://hub.example', own)).toBe('https://hub.example')
    expect(ownGatewayUrl('http://127.0.0.1:8080', own)).toBe('http://127.0.0.1:8080')
    for (const other of [
      'http://hub.example',
      'https://evil.example',
      'https://hub.example:8443',
    ]) {
      expect(ownGatewayUrl(other, own)).toBeUndefined()
    }
    expect(ownGatewayUrl('not a URL', ['not a URL'])).toBeUndefined()
  })
})
