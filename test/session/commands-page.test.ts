/** Pages of lists: every entry once, in order, within both bounds, however they are read. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pageOf } from '../../gateway/session/commands/page.ts'

const ENTRIES = fc.uniqueArray(
  fc.record({
    address: fc.string({
      unit: fc.constantFrom('a', 'b', '-', '/', 'z', '\u{e000}', '\u{1f600}'),
      minLength: 1,
    }),
    bytes: fc.oneof(fc.nat(2_000), fc.constantFrom(0, 65_536, 65_537, 200_000)),
  }),
  { selector: ({ address }) => address, maxLength: 700, size: 'max' },
)

test('read one after the other they are the whole list', () => {
  fc.assert(
    fc.property(ENTRIES, (all) => {
      const read: string[] = []
      for (let more = true; more; ) {
        const page = pageOf(all, read.at(-1) ?? '', {
          address: ({ address }) => address,
          read: (entry) => entry,
          bytes: ({ bytes }) => bytes,
        })
        more = page.more
        const bytes = page.entries.reduce((sum, entry) => sum + entry.bytes, 0)
        expect(page.entries.length).toBeLessThanOrEqual(256)
        expect(bytes <= 65_536 || page.entries.length === 1).toBe(true)
        expect(!more || page.entries.length > 0).toBe(true)
        read.push(...page.entries.map(({ address }) => address))
      }
      const sorted = all.map(({ address }) => Buffer.from(address)).sort(Buffer.compare)
      expect(read).toEqual(sorted.map(String))
    }),
    { numRuns: 50 },
  )
})

test('of many entries only those of the page are read', () => {
  let reads = 0
  const all = Array.from({ length: 10_000 }, (_, i) => `${(i * 7919) % 10_000}`.padStart(5, '0'))
  const page = pageOf(all, '04999', {
    address: (entry) => entry,
    read: (entry) => {
      reads++
      return entry
    },
    bytes: () => 1,
  })
  expect(page).toEqual({
    entries: all.toSorted().slice(5_000, 5_256),
    more: true,
  })
  expect(reads).toBeLessThanOrEqual(257)
})
