import { createHash } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { expect, test } from 'vitest'
import type { LockStep } from '../../../gateway/locks/acceptor.ts'
import { urlAcceptor } from '../../../gateway/locks/acceptors/url.ts'
import { contextOf, PLACE } from '../../support/lock-context.ts'

const sha256 = createHash('sha256').update('s3cret').digest('hex')
const acceptor = urlAcceptor()
const begin = (secret?: string, place: typeof PLACE | undefined = PLACE) =>
  acceptor.begin(contextOf(acceptor, { sha256 }, { place, handshake: secret ? { secret } : {} }))

test('the secret of the path lets into this very place, as nobody', () => {
  const proof = { acceptor: 'url', values: {}, place: PLACE.address, grants: [] }
  expect(begin('s3cret')).toEqual({ outcome: 'passed', proof })
})

test.each([undefined, 'S3cret', 's3cret ', 's3cre', sha256, 'x'.repeat(10_000)])(
  '%j does not',
  (secret) => {
    expect(begin(secret)).toEqual({ outcome: 'failed', code: Code.UNAUTHENTICATED })
  },
)

test('is not asked for twice, and each secret is its own', () => {
  const step = begin('s3cret') as Extract<LockStep, { outcome: 'passed' }>
  const finished = (options: object, place = PLACE) =>
    acceptor.finished(
      contextOf(acceptor, options, {
        proofs: [step.proof],
        handshake: { secret: 's3cret' },
        place,
      }),
    )
  expect(finished({ sha256 })).toBe(true)
  expect(finished({ sha256: '0'.repeat(64) })).toBe(false)
  expect(finished({ sha256 }, { ...PLACE, address: 'room:acme/attic' })).toBe(false)
})

test('nothing that is answered helps', () => {
  const context = contextOf(acceptor, { sha256 })
  expect(acceptor.answer({ case: 'text', value: 's3cret' }, context, undefined)).toEqual({
    outcome: 'failed',
    code: Code.UNAUTHENTICATED,
  })
})

test.each([{}, { sha256: 's3cret' }, { sha256, more: 1 }, null, [], 'x'])(
  'options %j are refused',
  (options) => {
    expect(() => acceptor.readOptions(options)).toThrow('options')
  },
)
