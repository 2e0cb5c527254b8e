/** What differs between two revisions is shown as `diff -u` shows it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unifiedDiff } from '../../gateway/rooms/unified-diff.ts'

/** Applies hunks as `patch` does, and holds each line and count against the text. */
function patched(before: readonly string[], diff: readonly string[]): string[] {
  const after: string[] = []
  let at = 0
  for (let i = 0; i < diff.length; ) {
    const head = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/.exec(diff[i++]!)
    const [old, olds, now, nows] = head!.slice(1).map(Number) as [number, number, number, number]
    const start = olds === 0 ? old : old - 1
    expect(start).toBeGreaterThanOrEqual(at)
    after.push(...before.slice(at, start))
    expect(after).toHaveLength(nows === 0 ? now : now - 1)
    at = start
    const until = after.length + nows
    while (at < start + olds || after.length < until) {
      const [sign, line] = [diff[i]![0], diff[i++]!.slice(1)]
      if (sign !== '+') expect(before[at++]).toBe(line)
      if (sign !== '-') after.push(line)
    }
  }
  return [...after, ...before.slice(at)]
}

const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', '@@', '-'), { maxLength: 40 })

test('a diff makes the one text of the other, and is empty where they are the same', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = unifiedDiff(before, after)
      expect(patched(before, diff)).toEqual(after)
      expect(unifiedDiff(before, before)).toEqual([])
    }),
    { numRuns: 1_000 },
  )
})

test('a change comes with three lines around it, and far ones are apart', () => {
  const before = Array.from({ length: 30 }, (_, i) => `${i}`)
  const after = before.with(5, 'five').toSpliced(20, 1)
  expect(unifiedDiff(before, after)).toEqual([
    '@@ -3,7 +3,7 @@',
    ...[' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8'],
    '@@ -18,7 +18,6 @@',
    ...[' 17', ' 18', ' 19', '-20', ' 21', ' 22', ' 23'],
  ])
})

test('texts too long to compare line by line are one change', () => {
  const [before, after] = ['x', 'y'].map((name) => Array.from({ length: 3_000 }, () => name))
  const diff = unifiedDiff(['same', ...before!], ['same', ...after!])
  expect(diff).toHaveLength(6_002)
  expect(patched(['same', ...before!], diff)).toEqual(['same', ...after!])
})
