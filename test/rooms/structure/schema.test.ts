import { describe, expect, test } from 'vitest'
import { jsonRoom, reason, structureOf, text } from './say.ts'

type Case = readonly [schema: unknown, fits: unknown[], doesNot: [value: unknown, why: string][]]

const KEYWORDS: Record<string, Case> = {
  type: [{ type: ['string', 'integer'] }, ['', 1, 1.0], [[1.5, 'not of type string or integer']]],
  null: [{ type: 'null' }, [null], [[{}, 'not of type null']]],
  true: [true, [1, {}], []],
  false: [{ items: false }, [[]], [[[1], '/0: not allowed']]],
  const: [{ const: { a: [1], b: 2 } }, [{ b: 2, a: [1] }], [[{ a: [1] }, 'not the one value']]],
  enum: [{ enum: [1, null, [2]] }, [1, null, [2]], [['1', 'none of the values']]],
  minimum: [{ minimum: -1.5 }, [-1.5, 'x'], [[-2, 'under -1.5']]],
  exclusiveMinimum: [{ exclusiveMinimum: 0 }, [1], [[0, 'not over 0']]],
  maximum: [{ maximum: 2 }, [2], [[3, 'over 2']]],
  exclusiveMaximum: [{ exclusiveMaximum: 2 }, [1], [[2, 'not under 2']]],
  multipleOf: [{ multipleOf: 0.01 }, [4.35, 0, 1e300], [[0.001, 'not a multiple of 0.01']]],
  minLength: [{ minLength: 2 }, ['ab', 1], [['😀', 'shorter than 2 characters']]],
  maxLength: [{ maxLength: 2 }, ['😀😀'], [['abc', 'longer than 2 characters']]],
  pattern: [{ pattern: '^\\u00e9\\d{2}$' }, ['é12'], [['é1', 'does not match the pattern']]],
  format: [{ format: 'date' }, ['2024-02-29', 7], [['2023-02-29', 'not of format date']]],
  minProperties: [{ minProperties: 1 }, [{ a: 1 }, []], [[{}, 'fewer than 1 members']]],
  maxProperties: [{ maxProperties: 0 }, [{}], [[{ a: 1 }, 'more than 0 members']]],
  required: [{ required: ['a'] }, [{ a: null }, 1], [[{}, 'lacks a']]],
  dependentRequired: [
    { dependentRequired: { a: ['b'] } },
    [{ b: 1 }, { a: 1, b: 1 }],
    [[{ a: 1 }, 'lacks b']],
  ],
  members: [
    {
      properties: { a: { type: 'null' } },
      patternProperties: { '^x': { type: 'string' } },
      additionalProperties: { type: 'boolean' },
    },
    [{ a: null, x1: '', b: true }],
    [
      [{ a: 1 }, '/a: not of type null'],
      [{ x1: 1 }, '/x1: not of type string'],
      [{ 'b/~': 1 }, '/b~1~0: not of type boolean'],
    ],
  ],
  propertyNames: [
    { propertyNames: { maxLength: 1 } },
    [{ a: 1 }],
    [[{ ab: 1 }, '/ab: its name is longer than 1 characters']],
  ],
  items: [
    { prefixItems: [{ const: 1 }], items: { type: 'string' } },
    [[], [1], [1, 'a']],
    [[[1, 2], '/1: not of type string']],
  ],
  contains: [
    { contains: { const: 1 }, minContains: 2, maxContains: 3 },
    [
      [1, 1, 2],
      [1, 1, 1],
    ],
    [
      [[1], 'contains what it must under 2 times'],
      [[1, 1, 1, 1], 'contains what it may over 3 times'],
    ],
  ],
  uniqueItems: [
    { uniqueItems: true },
    [
      [1, '1', true, [1]],
      [{ a: 1 }, { a: 2 }],
    ],
    [
      [
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
        '/1: there before',
      ],
    ],
  ],
  combined: [
    { allOf: [{ type: 'integer' }], anyOf: [{ minimum: 5 }, { maximum: 0 }], not: { const: 7 } },
    [5, -1],
    [
      [2, 'fits none of anyOf'],
      [7, 'fits what it must not be'],
    ],
  ],
  oneOf: [
    { oneOf: [{ minimum: 5 }, { maximum: 7 }] },
    [1, 9],
    [[6, 'fits more than one of oneOf']],
  ],
  if: [
    {
      if: { properties: { kind: { const: 'a' } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
      then: { required: ['x'] },
      else: { required: ['y'] },
    },
    [
      { kind: 'a', x: 1 },
      { kind: 'b', y: 1 },
    ],
    [
      [{ kind: 'a' }, 'lacks x'],
      [{}, 'lacks y'],
    ],
  ],
  $ref: [
    {
      $id: 'https://example.com/a',
      items: { $ref: 'b#/$defs/~1%25' },
      $defs: { b: { $id: '/b', $defs: { '/%': { $ref: '#n' } }, not: { $anchor: 'n' } } },
    },
    [[]],
    [],
  ],
  tree: [
    { type: 'object', properties: { next: { $ref: '#' } }, additionalProperties: false },
    [{ next: { next: {} } }],
    [[{ next: { next: { x: 1 } } }, '/next/next/x: not allowed']],
  ],
  unevaluatedProperties: [
    {
      allOf: [{ properties: { a: true } }],
      anyOf: [{ required: ['b'], properties: { b: true } }, { properties: { c: true } }],
      unevaluatedProperties: false,
    },
    [{ a: 1, b: 1, c: 1 }],
    [[{ a: 1, z: 1 }, '/z: not allowed']],
  ],
  unevaluatedItems: [
    { prefixItems: [true], contains: { type: 'string' }, unevaluatedItems: { type: 'null' } },
    [[1, 'a', null]],
    [[[1, 'a', 2], '/2: not of type null']],
  ],
}

describe('a schema', () => {
  test.each(Object.entries(KEYWORDS))('checks %s', (_name, [schema, fits, doesNot]) => {
    const room = jsonRoom(schema)
    for (const value of fits) {
      expect([value, reason(room, text(JSON.stringify(value)))]).toEqual([value, undefined])
    }
    for (const [value, why] of doesNot) {
      expect(reason(room, text(JSON.stringify(value)))).toContain(why)
    }
  })

  test('knows members of its own from those of every object', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    for (const name of names) {
      const needs = jsonRoom({ required: [name] })
      expect(reason(needs, text('{}'))).toBe(`lacks ${name}`)
      expect(reason(needs, text(`{"${name}":1}`))).toBeUndefined()
      const typed = structureOf({
        structure: {
          case: 'json',
          value: { schema: `{"properties":{"${name}":{"type":"string"}}}` },
        },
      })
      expect(reason(typed, text('{}'))).toBeUndefined()
      expect(reason(typed, text(`{"${name}":1}`))).toBe(`/${name}: not of type string`)
      expect(reason(jsonRoom({ additionalProperties: false }), text(`{"${name}":1}`))).toBe(
        `/${name}: not allowed`,
      )
    }
  })

  test('says what is wrong in its own words, not in those of the message', () => {
    const room = jsonRoom({ additionalProperties: { enum: ['a'] } })
    const why = reason(room, text('{"card":"4111 1111 1111 1111"}'))
    expect(why).toBe('/card: none of the values that it may have')
  })
})

const FORMATS: [name: string, fits: string[], doesNot: string[]][] = [
  [
    'date-time',
    ['2026-11-21T13:49:00.5Z', '1990-12-31t15:59:60-08:00'],
    ['2026-11-21', '2026-11-21T24:00:00Z', '1990-12-31T15:59:60Z', '2026-11-21 13:49:00Z'],
  ],
  ['time', ['00:00:00z', '23:59:60Z'], ['1:00:00Z', '00:00:00', '00:00:00+24:00']],
  ['duration', ['P1Y2M3D', 'PT1H', 'P4W', 'P1DT1S'], ['P', 'PT', '1D', 'P1YT', 'P1Y1D', 'P1W1D']],
  ['email', ['a.b+c@example.com'], ['a@', '@b', 'a@b@c', '.a@b', 'a..b@c', 'a b@c']],
  ['hostname', ['a-1.example'], ['-a', 'a-', 'a..b', 'a_b', `${'a'.repeat(64)}.b`, '']],
  ['ipv4', ['127.0.0.1'], ['127.1', '256.0.0.1', '01.2.3.4']],
  ['ipv6', ['::1', '::ffff:1.2.3.4'], ['fe80::1%eth0', ':::', '1']],
  ['uri', ['https://u:p@[::1]:80/a?b#c', 'urn:x:y'], ['/a', 'http://a b', 'http://a:b/', 'a:%z']],
  ['uuid', ['0190ABCD-1234-7abc-8def-0123456789ab'], ['0190abcd12347abc8def0123456789ab']],
  ['json-pointer', ['', '/a~0b/~1'], ['a', '/~2']],
]

test.each(FORMATS)('format %s', (format, fits, doesNot) => {
  const room = jsonRoom({ format })
  const why = (value: string) => [value, reason(room, text(JSON.stringify(value)))]
  for (const value of fits) expect(why(value)).toEqual([value, undefined])
  for (const value of doesNot) expect(why(value)).toEqual([value, `not of format ${format}`])
})

const doubled = (levels: number) => ({
  $ref: `#/$defs/${levels}`,
  $defs: Object.fromEntries([
    [0, { type: 'string' }],
    ...Array.from({ length: levels }, (_, i) => [
      i + 1,
      { anyOf: [{ $ref: `#/$defs/${i}` }, { $ref: `#/$defs/${i}` }] },
    ]),
  ]),
})

describe('a schema is refused', () => {
  test.each<[what: string, schema: unknown, why: string]>([
    ['that is no schema', 7, 'schema /: neither an object nor true or false'],
    ['with a keyword of a wrong kind', { items: { minimum: '1' } }, '/items/minimum: not a number'],
    ['with an unknown type', { type: 'int' }, 'schema /type: no type of JSON: array'],
    ['with an inherited type', { type: 'constructor' }, 'schema /type: no type of JSON'],
    ['with a misspelt keyword', { requierd: [] }, 'schema /requierd: no keyword that is known'],
    ['with __proto__ as a keyword', JSON.parse('{"__proto__":{}}'), '/__proto__: no keyword'],
    ['with an unknown format', { format: 'ssn' }, 'schema /format: no format that is checked'],
    ['of another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, 'not draft 2020'],
    ['that refers to elsewhere', { $ref: 'https://example.com/x' }, '/$ref: refers to no schema'],
    ['that refers to a file', { $ref: 'file:///etc/passwd' }, '/$ref: refers to no schema'],
    ['that refers to nothing', { $ref: '#/$defs/x' }, '/$ref: refers to no schema in this text'],
    ['that refers to no schema', { enum: [{}], $ref: '#/enum/0' }, 'refers to no schema'],
    ['with a broken reference', { $ref: '#/%E0%A4%A' }, 'refers to no schema in this text'],
    ['that is itself', { $ref: '#' }, 'leads to itself without a step into the value'],
    ['that is itself by a detour', { anyOf: [{ not: { $ref: '#' } }] }, 'leads to itself'],
    [
      'with an anchor twice',
      { $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } },
      'given twice',
    ],
    ['with an $id twice', { $defs: { a: { $id: 'x' }, b: { $id: 'x' } } }, 'given twice'],
    ['with a dynamic reference', { $dynamicRef: '#x' }, 'no keyword that is known here'],
    ['that looks ahead', { pattern: '(?=a)b' }, 'schema /pattern: error parsing regexp'],
    ['that looks back', { pattern: '(a)\\1' }, 'schema /pattern: error parsing regexp'],
    ['with half a pair', { pattern: '\\ud83d' }, 'half a surrogate pair'],
    ['of 30 doublings', doubled(30), 'over 2000 schemas may apply to one value'],
    ['of 65 nestings', JSON.parse(`${'{"not":'.repeat(65)}{}${'}'.repeat(65)}`), 'nested over 64'],
    ['of 3,000 schemas', { prefixItems: Array(3000).fill({}) }, 'over 2000 schemas'],
    ['of 70,000 bytes', { title: 'x'.repeat(70_000) }, 'schema /: over 65536 bytes'],
    ['with a long pattern', { pattern: 'a'.repeat(513) }, 'over 512 characters'],
    ['with a large pattern', { pattern: 'a{300}b{300}' }, 'over 500 instructions'],
    ['with a vast pattern', { pattern: '((a{99}){99}){99}' }, 'invalid repeat count'],
    [
      'with 65 patterns',
      {
        patternProperties: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, {}])),
      },
      'over 64 patterns',
    ],
  ])('%s', (_what, schema, why) => {
    expect(() => jsonRoom(schema)).toThrow(why)
  })

  test.each([
    ['{"a":1', 'not JSON'],
    ['{"type":"string","type":"number"}', 'an object with one name twice'],
  ])('as it is written: %s', (schema, why) => {
    expect(() => structureOf({ structure: { case: 'json', value: { schema } } })).toThrow(why)
  })

  test('but not where it says more than it checks', () => {
    const said = { $comment: '', title: '', examples: [1], 'x-unit': 'K', default: 1 }
    expect(reason(jsonRoom({ ...said, definitions: { a: {} } }), text('2'))).toBeUndefined()
    expect(reason(jsonRoom(doubled(8)), text('1'))).toBe('fits none of anyOf')
  })
})
