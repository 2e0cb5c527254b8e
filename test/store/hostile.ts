/** Text that has broken databases before (threat S2). */
import fc from 'fast-check'

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    "'; drop table rooms; --",
    "' or true --",
    '$1 %s \\',
    'a\0b',
    '\\u0000',
    '\ud800',
    'a\udc00b',
    '\u202eevil',
    '🛶',
    'x'.repeat(10_000_000),
  ),
)
