import { randomBytes } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { parseAddress } from '../../gateway/protocol/address.ts'
import { RandomIds } from '../../gateway/protocol/random-ids.ts'

test('ids are those of sockets and locks, all different, of randomness used once', () => {
  const random = vi.fn((size: number) => randomBytes(size))
  const ids = new RandomIds(random)
  const made = Array.from({ length: 1_000 }, () => ids.next())
  for (const id of made) {
    expect(parseAddress(`socket:${id}`)).toEqual({ kind: 'socket', socket: id })
  }
  expect(new Set(made).size).toBe(made.length)
  const bytes = random.mock.calls.reduce((sum, [size]) => sum + size, 0)
  expect(bytes).toBeGreaterThanOrEqual(made.length * 10)
  // Each character and each place is as likely as any other.
  const counts = new Map<string, number>()
  for (const char of made.join('')) counts.set(char, (counts.get(char) ?? 0) + 1)
  expect(counts.size).toBe(32)
  for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(200)
})

test('the same bytes give the same ids, 16 bytes each', () => {
  const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => i)
  const ids = new RandomIds(bytes)
  expect([ids.next(), ids.next(), ids.next()]).toEqual([
    'abcdefghijklmnop',
    'qrstuvwxyz234567',
    'abcdefghijklmnop',
  ])
})
