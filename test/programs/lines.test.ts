/** What programs say comes in chunks of any size, and is cut into lines of a bounded length. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lines } from '../../gateway/programs/lines.ts'

const MAX = 12

const text = fc.string({ unit: fc.constantFrom('\n', 'a', 'ä', '\r', '\u{1F600}'), maxLength: 60 })

/** The same text, cut anywhere, also within a character. */
const chunked = text.chain((whole) =>
  fc
    .array(fc.nat(whole.length), { maxLength: 8 })
    .map((cuts) => [0, ...cuts.toSorted((a, b) => a - b), whole.length])
    .map((at) => at.slice(1).map((end, index) => whole.slice(at[index], end))),
)

/** Whatever could be read, and whether a line was too long. */
function read(chunks: readonly string[]): { lines: string[]; isTooLong: boolean } {
  const reader = new Lines(MAX)
  const lines: string[] = []
  try {
    for (const chunk of chunks) for (const line of reader.take(chunk)) lines.push(line)
    return { lines, isTooLong: false }
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
    return { lines, isTooLong: true }
  }
}

test('lines are the same however they were cut into chunks', () => {
  fc.assert(
    fc.property(chunked, (chunks) => {
      const all = chunks.join('').split('\n')
      const tooLong = all.findIndex((line) => line.length > MAX)
      const whole = all.slice(0, tooLong === -1 ? -1 : tooLong)
      expect(read(chunks)).toEqual({ lines: whole, isTooLong: tooLong !== -1 })
    }),
  )
})

test('a line that never ends is refused at its bound', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constant('x'), minLength: 1 })), (chunks) => {
      const length = chunks.join('').length
      expect(read(chunks)).toEqual({ lines: [], isTooLong: length > MAX })
    }),
  )
})
