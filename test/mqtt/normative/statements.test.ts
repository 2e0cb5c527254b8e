/** The table of normative statements is whole, and each of them has its test or its reason. */
import { describe, expect, test } from 'vitest'
import { proofs } from '../../../scripts/render/normative.ts'
import * as v311 from './statements-3.1.1.ts'
import * as v5 from './statements-5.ts'

const proven = proofs()

describe.each([
  ['3.1.1', v311, proven.flatMap((one) => one.v311)],
  ['5', v5, proven.flatMap((one) => one.v5)],
])('MQTT %s', (_version, { sections, statements }, numbers) => {
  const ids = statements.map(([id]) => id)

  test('no statement is left out', () => {
    const all = sections.flatMap(([section, last, first = 1]) =>
      Array.from({ length: last - first + 1 }, (_, i) => `${section}-${first + i}`),
    )
    expect(ids).toEqual(all)
  })

  test('what binds a server is proved by a test, or says why it does not arise', () => {
    const binding = statements.filter(([, on, , moot]) => on !== 'client' && !moot)
    expect(binding.map(([id]) => id).filter((id) => !numbers.includes(id))).toEqual([])
  })

  test('tests name statements that there are', () => {
    expect(numbers.filter((number) => !ids.includes(number))).toEqual([])
  })
})
