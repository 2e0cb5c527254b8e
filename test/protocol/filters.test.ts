/** Which filters hear all that another one hears: what rights to channels rest on (R33). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { coversFilter, matchesChannel } from '../../gateway/protocol/channel.ts'

/** Of few levels and fewer letters, so that they meet often. */
const letter = fc.constantFrom('a', 'b')
const channel = fc.oneof(
  { weight: 1, arbitrary: fc.constant('') },
  {
    weight: 9,
    arbitrary: fc.array(letter, { minLength: 1, maxLength: 4 }).map((all) => all.join('/')),
  },
)
const filter = fc.oneof(
  { weight: 1, arbitrary: fc.constant('') },
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.array(fc.oneof(letter, fc.constant('*')), { maxLength: 3 }), fc.boolean())
      .map(([levels, open]) => [...levels, ...(open ? ['**'] : [])].join('/')),
  },
)

/** All channels of up to five levels in three letters, one more than any filter here has. */
const ALL: readonly string[] = ['', ...grow([''], 5)]

function grow(stems: readonly string[], levels: number): string[] {
  if (levels === 0) return []
  const grown = stems.flatMap((stem) =>
    ['a', 'b', 'c'].map((last) => (stem === '' ? last : `${stem}/${last}`)),
  )
  return [...grown, ...grow(grown, levels - 1)]
}

describe('a filter that covers another one', () => {
  test('hears every channel that the other one hears, and one that does not misses some', () => {
    fc.assert(
      fc.property(filter, filter, (wide, narrow) => {
        const missed = ALL.some(
          (each) => matchesChannel(narrow, each) && !matchesChannel(wide, each),
        )
        expect(coversFilter(wide, narrow)).toBe(!missed)
      }),
      { numRuns: 2000 },
    )
  })

  test('covers a channel if and only if it hears it', () => {
    fc.assert(
      fc.property(filter, channel, (wide, one) => {
        // As a filter, `` is more than the channel ``: the room and all of its channels.
        if (one !== '') expect(coversFilter(wide, one)).toBe(matchesChannel(wide, one))
      }),
    )
  })

  test('is an order', () => {
    fc.assert(
      fc.property(filter, filter, filter, (a, b, c) => {
        expect(coversFilter(a, a)).toBe(true)
        if (coversFilter(a, b) && coversFilter(b, c)) expect(coversFilter(a, c)).toBe(true)
        if (coversFilter(a, b) && coversFilter(b, a)) expect(a).toBe(b)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['a', ''],
    ['**', ''],
    ['*', '**'],
    ['a/*', 'a/**'],
    ['a/**', 'a'],
    ['a/**', '**'],
    ['*/b', 'a/*'],
  ])('%j is no right to %j', (granted, asked) => {
    expect(coversFilter(granted, asked)).toBe(false)
  })
})
