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
const a = { $ref: '#/$defs/text' }
const nested = (inner: string) => '['.repeat(60) + inner + ']'.repeat(60)

const CASES: Record<string, [schema: unknown, message: string]> = {
  'a tree of two ways at every level': [
    { type: 'array', anyOf: [{ items: { $ref: '#' } }, { items: { $ref: '#' }, minItems: 1 }] },
    nested('1'),
  ],
  'many alternatives for many values': [
    { items: { anyOf: Array.from({ length: 400 }, (_, i) => ({ const: i })) } },
    list('399'),
  ],
  'alternatives by reference': [
    { items: { anyOf: [...Array(400).fill(a), { minimum: 0 }] } },
    list('1'),
  ],
  'all of a long text, often': [
    { allOf: Array(490).fill({ minLength: 1 }) },
    JSON.stringify('é'.repeat(131_000)),
  ],
  'a long text in each of many ways': [
    { anyOf: Array(240).fill({ items: { minLength: 200_000, maxLength: 9 } }) },
    JSON.stringify(['é'.repeat(130_000)]),
  ],
  'a format of a long text': [
    { anyOf: [...Array(30).fill({ format: 'date-time' }), { minLength: 1 }] },
    JSON.stringify('t'.repeat(262_000)),
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
    { patternProperties: each(60, (i) => [`[ab]{9}${i}$`, true]), additionalProperties: false },
    members(20_000),
  ],
  'dependencies of empty objects': [
    { items: { dependentRequired: each(400, (i) => [`k${i}`, ['a']]) } },
    list('{}'),
  ],
  'schemas that depend on nothing': [
    { items: { dependentSchemas: each(400, (i) => [`k${i}`, { minProperties: 2 }]) } },
    list('{}'),
  ],
  'each compared with each': [{ uniqueItems: true }, list('{"a":1}')],
  'one set compared at each level': [
    {
      $defs: { text: { type: 'string' }, a: { uniqueItems: true, items: { $ref: '#/$defs/a' } } },
      allOf: Array(30).fill({ $ref: '#/$defs/a' }),
    },
    nested(JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `n${i}`))),
  ],
  'many objects that it may be': [
    { enum: Array.from({ length: 500 }, (_, i) => ({ a: { [`b${i}`]: 1 } })) },
    `{"a":${members(20_000)}}`,
  ],
  'what is sought and not found': [{ anyOf: Array(200).fill({ contains: a }) }, list('1')],
  'a long name, escaped often': [
    { allOf: Array(200).fill({ additionalProperties: a }) },
    JSON.stringify({ ['~/'.repeat(60_000)]: 1 }),
  ],
  'what each of many has looked at': [
    {
      allOf: Array(160).fill({ anyOf: [{ patternProperties: { '^k': true } }] }),
      unevaluatedProperties: false,
    },
    members(20_000),
  ],
}

test.each(Object.entries(CASES))('%s', (_what, [schema, message]) => {
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(LARGEST)
  const room = jsonRoom({ $defs: { text: { type: 'string' } }, ...(schema as object) })
  expect(reason(room, text(message))).toBe(TOO_MUCH)
})

test('the stack ends in many references at each of many levels', () => {
  const chain = each(240, (i) => [`a${i}`, { allOf: [{ $ref: `#/$defs/a${i + 1}` }] }])
  const room = jsonRoom({ $defs: { ...chain, a240: { items: { $ref: '#' } } }, $ref: '#/$defs/a0' })
  // Long enough that the bound of steps is not met before.
  expect(reason(room, text(nested(JSON.stringify('x'.repeat(200_000)))))).toBe(
    'checking it nests too deep',
  )
  expect(reason(room, text('[[1]]'))).toBeUndefined()
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
  const readings = jsonRoom({
    type: 'array',
    items: {
      type: 'object',
      properties: {
        t: { type: 'integer' },
        unit: { enum: ['K', '°C', '%', 'hPa', 'lx'] },
        v: { anyOf: [{ type: 'number' }, { type: 'null' }, { type: 'string', maxLength: 20 }] },
      },
      required: ['t', 'v'],
      additionalProperties: false,
    },
  })
  expect(reason(readings, text(list('{"t":1,"v":2,"unit":"lx"}')))).toBeUndefined()
  const shapes = jsonRoom({
    items: { oneOf: Array.from({ length: 20 }, (_, i) => shape(i)) },
  })
  expect(reason(shapes, text(list('{"kind":"k19","x":1,"y":2,"label":"a point"}')))).toBeUndefined()
})

function shape(i: number): object {
  return {
    properties: { kind: { const: `k${i}` }, x: { type: 'number' }, y: { type: 'number' } },
    required: ['kind', 'x'],
  }
}
