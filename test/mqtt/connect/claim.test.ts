/** Who a CONNECT says its client is (R3, R4; A12, M13). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { claimOf } from '../../../gateway/ingress/mqtt/connect/claim.ts'
import { keyOf } from '../../../gateway/ingress/mqtt/connect/session-key.ts'

const UUID = '0190a5f3-9c5e-7c3a-8b1d-2f6e4d5c6b7a'

describe('a user name', () => {
  test('is an account, or a client of one', () => {
    expect(claimOf({ username: 'acme', clientId: 'x' })).toEqual({
      kind: 'account',
      account: 'acme',
    })
    expect(claimOf({ username: UUID.toUpperCase(), clientId: '' })).toEqual({
      kind: 'account',
      account: UUID,
    })
    expect(claimOf({ username: 'acme/ann', clientId: 'x' })).toEqual({
      kind: 'account',
      account: 'acme',
      client: 'ann',
    })
  })

  test('is a device path, as a URL has it (R4)', () => {
    expect(claimOf({ username: `acme/boiler/${UUID}/heat/now`, clientId: 'x' })).toEqual({
      kind: 'device',
      path: {
        kind: 'room',
        address: { kind: 'room', account: 'acme', room: 'boiler', channel: 'heat/now' },
        client: UUID,
      },
    })
  })

  test.each([
    '',
    '#',
    '+',
    '%c',
    '%u',
    'a/+',
    '#/a',
    '$SYS',
    'acme/',
    '/acme',
    'acme/ann/x',
    'acme:x',
    'user/acme',
    'v1/ws',
    'Acme',
    'a'.repeat(64),
    '__proto__',
    `/acme/boiler/${UUID}`,
    `acme/#/${UUID}`,
    `acme/boiler/${UUID}/+`,
    `acme/boiler/~secret`,
  ])('of %j is nobody’s', (username) => {
    expect(claimOf({ username, clientId: 'x' })).toEqual({ kind: 'impossible' })
  })

  test('`constructor` is a name like others (M13)', () => {
    expect(claimOf({ username: 'constructor', clientId: 'x' }).kind).toBe('account')
  })

  test('whatever it is, it is read without an error, and never for what it is not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (username) => {
        const claim = claimOf({ username, clientId: 'x' })
        expect(claim.kind).not.toBe('nobody')
        if (claim.kind === 'account') expect(username.toLowerCase()).toContain(claim.account)
      }),
    )
  })
})

describe('without a user name', () => {
  test('a client id is a device path, or says nothing', () => {
    expect(claimOf({ clientId: `acme/boiler/${UUID}` }).kind).toBe('device')
    for (const clientId of ['', 'acme', 'acme/ann', '#', 'constructor', '__proto__']) {
      expect(claimOf({ clientId })).toEqual({ kind: 'nobody' })
    }
  })
})

describe('the key of a session', () => {
  const ann = { account: 'a', name: 'client:1' }

  test('is the same for the same client alone', () => {
    const key = keyOf(ann, 'pump')
    expect(key).toMatch(/^[0-9a-f]{32}$/)
    expect(keyOf({ ...ann }, 'pump')).toBe(key)
    const others = [
      keyOf(ann, 'pump2'),
      keyOf({ ...ann, account: 'b' }, 'pump'),
      keyOf({ ...ann, name: 'token:1' }, 'pump'),
      keyOf(undefined, 'pump'),
    ]
    expect(new Set([key, ...others]).size).toBe(5)
  })

  test('of two principals differs, whatever client ids they choose (A13)', () => {
    const part = fc.stringMatching(/^[a-z0-9:-]{1,8}$/)
    const principal = fc.record({ account: part, name: part })
    const id = fc.string({ unit: fc.constantFrom('\0', 'a', ':', '1', '/') })
    fc.assert(
      fc.property(principal, id, principal, id, (a, idOfA, b, idOfB) => {
        const same = a.account === b.account && a.name === b.name && idOfA === idOfB
        expect(keyOf(a, idOfA) === keyOf(b, idOfB)).toBe(same)
      }),
    )
  })
})
