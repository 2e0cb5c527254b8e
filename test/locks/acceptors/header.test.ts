import { createHash } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { beforeEach, describe, expect, test } from 'vitest'
import type { LockStep } from '../../../gateway/locks/acceptor.ts'
import { headerAcceptor } from '../../../gateway/locks/acceptors/header.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { contextOf, PLACE } from '../../support/lock-context.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const value_sha256 = createHash('sha256').update('s3cret').digest('hex')
const wrong = { outcome: 'failed', code: Code.UNAUTHENTICATED }

let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore()
  store.room('acme/boiler')
  store.client('acme/alice', ['boiler'])
  store.client('other/mallory')
})

function begin(options: object, headers: Record<string, string>, remote = '10.1.2.3') {
  const acceptor = headerAcceptor({ store: store as unknown as Store })
  return acceptor.begin(contextOf(acceptor, options, { handshake: { headers, remote } }))
}

describe('a secret header', () => {
  const options = { name: 'X-Door', value_sha256 }

  test('lets into this very place, as nobody', async () => {
    expect(await begin(options, { 'x-door': 's3cret' })).toEqual({
      outcome: 'passed',
      proof: { acceptor: 'header', values: {}, place: PLACE.address, grants: [] },
    })
  })

  test.each([{}, { 'x-door': '' }, { 'x-door': 'S3cret' }, { 'x-door': 's3cret, s3cret' }])(
    '%j does not',
    async (headers) => {
      expect(await begin(options, headers as Record<string, string>)).toEqual(wrong)
    },
  )
})

test('a secret header that was shown is not the word of a proxy, nor another secret', async () => {
  const acceptor = headerAcceptor({ store: store as unknown as Store })
  const step = await begin({ name: 'x-door', value_sha256 }, { 'x-door': 's3cret' })
  const { proof } = step as Extract<LockStep, { outcome: 'passed' }>
  const handshake = { headers: { 'x-door': 's3cret', 'x-user': 'alice' }, remote: '10.1.2.3' }
  const finished = (options: object) =>
    acceptor.finished(contextOf(acceptor, options, { proofs: [proof], handshake }))
  expect(finished({ name: 'x-door', value_sha256 })).toBe(true)
  expect(finished({ name: 'x-door', value_sha256: '0'.repeat(64) })).toBe(false)
  expect(finished({ name: 'x-user', trust: ['10.0.0.0/8'] })).toBe(false)
})

describe('a header of a trusted proxy', () => {
  const options = { name: 'x-user', trust: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'] }

  test.each(['10.1.2.3', '::ffff:10.1.2.3', '2001:db8:1::5', '192.0.2.7'])(
    'names the client, from %s',
    async (remote) => {
      expect(await begin(options, { 'x-user': 'alice' }, remote)).toMatchObject({
        outcome: 'passed',
        proof: {
          client: { slug: 'alice' },
          account: { slug: 'acme' },
          grants: [{ room: 'boiler' }],
        },
      })
    },
  )

  test.each(['11.0.0.1', '192.0.2.8', '::1', '2001:db9::1', 'unknown', '', '10.1.2.3, 8.8.8.8'])(
    'is ignored from %s (H14)',
    async (remote) => {
      const headers = {
        'x-user': 'alice',
        'x-forwarded-for': '10.1.2.3',
        forwarded: 'for=10.1.2.3',
      }
      expect(await begin(options, headers, remote)).toEqual(wrong)
    },
  )

  test('is that of the proxy, whomever it speaks for', () => {
    const acceptor = headerAcceptor({ store: store as unknown as Store })
    const begun = (remote: string, peer: string) => {
      const handshake = { headers: { 'x-user': 'alice' }, remote, peer }
      return acceptor.begin(contextOf(acceptor, options, { handshake }))
    }
    return Promise.all([
      expect(begun('203.0.113.9', '10.1.2.3')).resolves.toMatchObject({ outcome: 'passed' }),
      expect(begun('10.1.2.3', '203.0.113.9')).resolves.toEqual(wrong),
    ])
  })

  test.each(['', 'mallory', 'alice, mallory', 'acme/alice', '../alice', 'Alice', '__proto__'])(
    'that says %j names nobody of this account',
    async (name) => {
      expect(await begin(options, { 'x-user': name })).toEqual(wrong)
    },
  )

  test('is not asked for twice, where the same proxies name the same client', async () => {
    const acceptor = headerAcceptor({ store: store as unknown as Store })
    const step = await begin(options, { 'x-user': 'alice' })
    const { proof } = step as Extract<LockStep, { outcome: 'passed' }>
    const finished = (other: object, name = 'alice') => {
      const handshake = { headers: { 'x-user': name, 'x-door': 's3cret' }, remote: '10.1.2.3' }
      return acceptor.finished(contextOf(acceptor, other, { proofs: [proof], handshake }))
    }
    expect(finished(options)).toBe(true)
    expect(finished(options, 'bob')).toBe(false)
    expect(finished({ ...options, trust: ['192.0.2.0/24'] })).toBe(false)
    expect(finished({ ...options, name: 'x-other' })).toBe(false)
  })

  test('is no pass while the store is away', async () => {
    store.away = true
    await expect(begin(options, { 'x-user': 'alice' })).rejects.toThrow('away')
  })
})

test.each([
  { name: 'x-user' },
  { name: 'x-user', value_sha256, trust: ['10.0.0.0/8'] },
  { name: 'x-user', trust: [] },
  { name: 'x-user', trust: ['10.0.0.0/33'] },
  { name: 'x-user', trust: ['10.0.0.0/'] },
  { name: 'x-user', trust: ['10.0.0/8'] },
  { name: 'x-user', trust: ['example.org'] },
  { name: 'x-user', trust: ['10.0.0.0/8/8'] },
  { name: 'x user', value_sha256 },
  { name: 'Cookie', value_sha256 },
  { name: 'X-Forwarded-For', trust: ['10.0.0.0/8'] },
])('options %j are refused', (options) => {
  const acceptor = headerAcceptor({ store: store as unknown as Store })
  expect(() => acceptor.readOptions(options)).toThrow('options')
})
