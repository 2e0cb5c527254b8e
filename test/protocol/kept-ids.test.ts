/** Ids that are kept stay what they were, and hold no more memory than a few ids take. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { copyId, keepId, Uuid7Source } from '../../gateway/protocol/uuid7.ts'

test('a kept id stays what it was, whatever is made after it', () => {
  const source = new Uuid7Source(Date.now, randomBytes)
  const made = Array.from({ length: 1_000 }, () => {
    const id = source.next()
    return { kept: keepId(id), hex: copyId(id).toString('hex') }
  })
  expect(made.map(({ kept }) => copyId(kept).toString('hex'))).toEqual(made.map(({ hex }) => hex))
})

test('a kept id does not hold a pool of memory', () => {
  const source = new Uuid7Source(Date.now, randomBytes)
  const kept = Array.from({ length: 100 }, () => keepId(source.next()))
  for (const { bytes } of kept) expect(bytes.buffer.byteLength).toBeLessThanOrEqual(1_024)
})
