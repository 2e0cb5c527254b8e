import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Backoff } from '../../clients/ts/src/backoff.ts'

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('each wait lies under a bound that doubles up to the cap, and reaches all below it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.array(fraction, { minLength: 1, maxLength: 200 }),
      (baseMs, capMs, fractions) => {
        const random = fractions.values()
        const backoff = new Backoff({ baseMs, capMs, random: () => random.next().value! })
        fractions.forEach((each, attempt) => {
          const bound = Math.min(capMs, baseMs * 2 ** attempt)
          const wait = backoff.next()
          expect(wait).toBe(each * bound)
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThanOrEqual(bound)
        })
        expect(backoff.attempt).toBe(fractions.length)
      },
    ),
  )
})

test('by itself it spreads over 250 ms first, and over 20 s however often it failed', () => {
  const backoff = new Backoff({ random: () => 0.5 })
  expect(backoff.next()).toBe(125)
  for (let attempt = 0; attempt < 2000; attempt++) backoff.next()
  expect(backoff.next()).toBe(10_000)
  backoff.reset()
  expect(backoff.next()).toBe(125)
})
