import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { newToken, proveToken } from '../../gateway/identity/tokens.ts'
import type { TokenRecord } from '../../gateway/store/store.ts'

const account = { id: randomUUID(), slug: 'acme' }
const given = fc.record({
  id: fc.uuid(),
  random: fc.uint8Array({ minLength: 32, maxLength: 32 }),
})

function stored({ id, hash }: { id: string; hash: Uint8Array }) {
  const token: TokenRecord = { id, account, hash, createdAt: new Date(0), version: 1, grants: [] }
  return { token, find: vi.fn(async (asked: string) => (asked === id ? token : undefined)) }
}

test('a secret proves its token, and no other text does', async () => {
  const characters = fc.constantFrom(...'AQgwBb_-0 ~ä')
  await fc.assert(
    fc.asyncProperty(given, fc.nat(79), characters, async ({ id, random }, at, character) => {
      const { secret, hash } = newToken(id, random)
      const { token, find } = stored({ id, hash })
      expect(await proveToken({ find }, secret, 0)).toEqual({ outcome: 'proved', record: token })
      const other = secret.slice(0, at) + character + secret.slice(at + 1)
      if (other === secret) return
      expect(await proveToken({ find }, other, 0)).toEqual({ outcome: 'unknown' })
    }),
  )
})

test('of the last character two bits are not the secret: only one form of it counts', async () => {
  await fc.assert(
    fc.asyncProperty(given, async ({ id, random }) => {
      const { secret, hash } = newToken(id, random)
      const { find } = stored({ id, hash })
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const proved = []
      for (const last of alphabet) {
        const found = await proveToken({ find }, secret.slice(0, -1) + last, 0)
        if (found.outcome === 'proved') proved.push(last)
      }
      expect(proved).toEqual([secret.at(-1)])
    }),
    { numRuns: 20 },
  )
})
