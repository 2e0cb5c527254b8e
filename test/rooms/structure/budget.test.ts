/**
 * The most work that a schema and a message of the largest size can make together (threats.md, S):
 * each case would take from seconds to for ever without a bound.
 */
import { expect, test } from 'vitest'
import { jsonRoom, reason, text } from './say.ts'

const LARGEST = 262_144
const TOO_MUCH = 'checking it takes too many steps'

const list = (item: string) => {
  const count = Math.floor((LARGEST - 2) / (item.length + 1))
  return `[${Array(count).fill(item).join()}]`
}
const each = (count: number, make: (i: number) => [string, unknown]) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => make(i)))
const members = (count: number) => JSON.stringify(each(count, (i) => [`k${i}`, 1]))
const nested = (inner: string) => '['.repeat(60) + inner + ']'.repeat(60)

const CASES: Record<string, [schema: unknown, message: string]> = {
  'a tree of two ways at every level': [
    { type: 'array', anyOf: [{ items: { $ref: '#' }, minItems: 2 }, { items: { $ref: '#' } }] },
    nested('1'),
  ],
  'many alternatives for many values': [
    { items: { anyOf: Array.from({ length: 1500 }, (_, i) => ({ const: `x${i}` })) } },
    list('1').replace('1]', '[]]'),
  ],
  'all of a long text, often': [
    { allOf: Array(1500).fill({ minLength: 1 }) },
    JSON.stringify('é'.repeat(131_000)),
  ],
  'a text that keeps an engine busy': [
    { pattern: '[ab]*a[ab]{100}[cd]' },
    JSON.stringify('abbab'.repeat(52_000)),
  ],
  'nested repetitions': [
    { pattern: '^(a+)+(a|aa)+(.*a){20}$' },
    JSON.stringify('a'.repeat(262_000)),
  ],
  'many patterns for many names': [
    { patternProperties: each(60, (i) => [`[ab]{9}${i}$`, true]) },
    members(20_000),
  ],
  'dependencies of empty objects': [
    { items: { dependentRequired: each(1900, (i) => [`k${i}`, ['a']]) } },
    list('{}'),
  ],
  'schemas that depend on nothing': [
    { items: { dependentSchemas: each(1500, (i) => [`k${i}`, true]) } },
    list('{}'),
  ],
  'one set compared at each level': [
    {
      $defs: { a: { uniqueItems: true, items: { $ref: '#/$defs/a' } } },
      allOf: Array(30).fill({ $ref: '#/$defs/a' }),
    },
    nested(JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `n${i}`))),
  ],
  'what each of many has looked at': [
    {
      allOf: Array(300).fill({ anyOf: [{ additionalProperties: true }] }),
      unevaluatedProperties: false,
    },
    members(20_000),
  ],
  'multiples of next to nothing': [
    { items: { allOf: Array(9).fill({ multipleOf: 1e-300 }) } },
    list('1e300'),
  ],
}

test.each(Object.entries(CASES))('%s', (_what, [schema, message]) => {
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(LARGEST)
  const why = reason(jsonRoom(schema), text(message))
  expect(why).toMatch(new RegExp(`${TOO_MUCH}|fits none of anyOf$`))
})

test('what is large and of one kind is checked to its end', () => {
  const numbers = jsonRoom({ items: { type: 'integer', minimum: 0 } })
  expect(reason(numbers, text(list('1')))).toBeUndefined()
  const objects = jsonRoom({
    items: { properties: { a: { type: 'string', maxLength: 9 } }, required: ['a'] },
    uniqueItems: false,
  })
  expect(reason(objects, text(list('{"a":"x"}')))).toBeUndefined()
  const letters = jsonRoom({ pattern: '^[a-z]*$' })
  expect(reason(letters, text(JSON.stringify('x'.repeat(262_000))))).toBeUndefined()
})
