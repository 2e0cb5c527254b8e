/** What a password answers to which lock (R4; K15, K17). */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { newToken } from '../../../gateway/identity/tokens.ts'
import { type Claim, claimOf } from '../../../gateway/ingress/mqtt/connect/claim.ts'
import { answerOf, isPossible } from '../../../gateway/ingress/mqtt/connect/password.ts'

const UUID = '0190a5f3-9c5e-7c3a-8b1d-2f6e4d5c6b7a'
const TOKEN = Buffer.from(newToken(UUID, randomBytes(32)).secret)
const WORD = Buffer.from('open sesame')

const account = claimOf({ username: 'acme', clientId: '' })
const client = claimOf({ username: 'acme/ann', clientId: '' })
const device = claimOf({ username: `acme/boiler/${UUID}`, clientId: '' })

function chosen(password: Buffer, claim: Claim, ...acceptors: string[]): string | undefined {
  return answerOf(password, claim, acceptors)?.[0]
}

describe('a password', () => {
  test('that looks like a token is given as nothing else where a token will do', () => {
    for (const claim of [account, client, device]) {
      expect(chosen(TOKEN, claim, 'preset', 'password', 'token')).toBe('token')
    }
  })

  test('of a device answers the preset challenge, or as its password, as the room prefers', () => {
    expect(chosen(WORD, device, 'token', 'preset')).toBe('preset')
    expect(chosen(WORD, device, 'password', 'preset')).toBe('password')
    expect(answerOf(WORD, device, ['password'])?.[1]).toMatchObject({
      value: { values: ['open sesame'] },
    })
    expect(chosen(TOKEN, device, 'preset')).toBe('preset')
  })

  test('of a client goes with its name', () => {
    expect(answerOf(WORD, client, ['key', 'ssh-key', 'token', 'password'])).toMatchObject([
      'password',
      { case: 'responses', value: { values: ['client:acme/ann', 'open sesame'] } },
    ])
  })

  test('of an account is a token’s secret, right or wrong', () => {
    expect(chosen(WORD, account, 'key', 'ssh-key', 'token', 'password')).toBe('token')
  })

  test('answers nothing that it cannot answer', () => {
    expect(chosen(WORD, device, 'knock', 'oidc')).toBeUndefined()
    expect(chosen(WORD, account, 'preset')).toBeUndefined()
    expect(chosen(Buffer.from([0xff, 0xfe]), device, 'password')).toBeUndefined()
  })

  test('is not looked at where it is empty, or so long that hashing is work (K17)', () => {
    expect(isPossible(Buffer.alloc(0))).toBe(false)
    expect(isPossible(Buffer.alloc(65_535))).toBe(false)
    expect(isPossible(WORD)).toBe(true)
  })
})
