import { describe, expect, test } from 'vitest'
import { jsonRoom, reason, structureOf, text } from './say.ts'

type Case = readonly [schema: unknown, fits: unknown[], doesNot: [value: unknown, why: string][]]

const KEYWORDS: Record<string, Case> = {
  type: [{ type: ['string', 'integer'] }, ['', 1, 1.0], [[1.5, 'must be string,integer']]],
  null: [{ type: 'null' }, [null], [[{}, 'must be null']]],
  true: [true, [1, {}], []],
  false: [{ items: false }, [[]], [[[1], '/0: boolean schema is false']]],
  const: [
    { const: { a: [1], b: 2 } },
    [{ b: 2, a: [1] }],
    [[{ a: [1] }, 'must be equal to constant']],
  ],
  enum: [{ enum: [1, null, [2]] }, [1, null, [2]], [['1', 'must be equal to one of']]],
  minimum: [{ minimum: -1.5 }, [-1.5, 'x'], [[-2, 'must be >= -1.5']]],
  exclusiveMinimum: [{ exclusiveMinimum: 0 }, [1], [[0, 'must be > 0']]],
  maximum: [{ maximum: 2 }, [2], [[3, 'must be <= 2']]],
  exclusiveMaximum: [{ exclusiveMaximum: 2 }, [1], [[2, 'must be < 2']]],
  multipleOf: [{ multipleOf: 0.01 }, [4.35, 0, 1e300], [[0.001, 'must be multiple of 0.01']]],
  minLength: [{ minLength: 2 }, ['ab', 1], [['😀', 'fewer than 2 characters']]],
  maxLength: [{ maxLength: 2 }, ['😀😀'], [['abc', 'more than 2 characters']]],
  pattern: [{ pattern: '^\\u00e9\\d{2}$' }, ['é12'], [['é1', 'must match pattern']]],
  format: [{ format: 'date' }, ['2024-02-29', 7], [['2023-02-29', 'must match format "date"']]],
  minProperties: [{ minProperties: 1 }, [{ a: 1 }, []], [[{}, 'fewer than 1 properties']]],
  maxProperties: [{ maxProperties: 0 }, [{}], [[{ a: 1 }, 'more than 0 properties']]],
  required: [{ required: ['a'] }, [{ a: null }, 1], [[{}, "must have required property 'a'"]]],
  dependentRequired: [
    { dependentRequired: { a: ['b'] } },
    [{ b: 1 }, { a: 1, b: 1 }],
    [[{ a: 1 }, 'must have property b when property a']],
  ],
  members: [
    {
      properties: { a: { type: 'null' } },
      patternProperties: { '^x': { type: 'string' } },
      additionalProperties: { type: 'boolean' },
    },
    [{ a: null, x1: '', b: true }],
    [
      [{ a: 1 }, '/a: must be null'],
      [{ x1: 1 }, '/x1: must be string'],
      [{ 'b/~': 1 }, '/b~1~0: must be boolean'],
    ],
  ],
  propertyNames: [
    { propertyNames: { maxLength: 1 } },
    [{ a: 1 }],
    [[{ ab: 1 }, '/ab: property name must be valid']],
  ],
  items: [
    { prefixItems: [{ const: 1 }], items: { type: 'string' } },
    [[], [1], [1, 'a']],
    [[[1, 2], '/1: must be string']],
  ],
  contains: [
    { contains: { const: 1 }, minContains: 2, maxContains: 3 },
    [
      [1, 1, 2],
      [1, 1, 1],
    ],
    [
      [[1], 'must contain at least 2'],
      [[1, 1, 1, 1], 'no more than 3 valid'],
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
        'must NOT have duplicate items',
      ],
    ],
  ],
  combined: [
    { allOf: [{ type: 'integer' }], anyOf: [{ minimum: 5 }, { maximum: 0 }], not: { const: 7 } },
    [5, -1],
    [
      [2, 'must match a schema in anyOf'],
      [7, 'must NOT be valid'],
    ],
  ],
  oneOf: [
    { oneOf: [{ minimum: 5 }, { maximum: 7 }] },
    [1, 9],
    [[6, 'must match exactly one schema in oneOf']],
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
      [{ kind: 'a' }, "property 'x'"],
      [{}, "property 'y'"],
    ],
  ],
  $ref: [
    {
      $id: 'https://example.com/a',
      items: { $ref: '#/$defs/~1%25%2525' },
      $defs: { '/%%25': { $ref: '#n', minimum: 1 }, b: { not: { $anchor: 'n', maximum: 5 } } },
    },
    [[], [5]],
    [
      [[6], '/0: must be <= 5'],
      [[0], '/0: must be >= 1'],
    ],
  ],
  tree: [
    { type: 'object', properties: { next: { $ref: '#' } }, additionalProperties: false },
    [{ next: { next: {} } }],
    [[{ next: { next: { x: 1 } } }, '/next/next/x: must NOT have additional']],
  ],
  unevaluatedProperties: [
    {
      allOf: [{ properties: { a: true } }],
      anyOf: [{ required: ['b'], properties: { b: true } }, { properties: { c: true } }],
      unevaluatedProperties: false,
    },
    [{ a: 1, b: 1, c: 1 }],
    [[{ a: 1, z: 1 }, '/z: must NOT have unevaluated']],
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
      expect(reason(needs, text('{}'))).toBe(`must have required property '${name}'`)
      expect(reason(needs, text(`{"${name}":1}`))).toBeUndefined()
      expect(reason(jsonRoom({ additionalProperties: false }), text(`{"${name}":1}`))).toBe(
        `/${name}: must NOT have additional properties`,
      )
      if (name === '__proto__') continue
      const typed = structureOf({
        structure: {
          case: 'json',
          value: { schema: `{"properties":{"${name}":{"type":"string"}}}` },
        },
      })
      expect(reason(typed, text('{}'))).toBeUndefined()
      expect(reason(typed, text(`{"${name}":1}`))).toBe(`/${name}: must be string`)
    }
  })

  test('cannot be made to run what it says', () => {
    const names = ['"', "'", '`', '\\', '*/', '\n', '\u2028', '$', '{', '");throw 1;("', '}']
    for (const name of [...names, `${names.join('')}globalThis.ran=1`]) {
      const room = jsonRoom({
        $comment: name,
        title: name,
        properties: { [name]: { const: name, enum: [name], $ref: '#/$defs/a' } },
        $defs: { a: { type: 'string', default: name } },
        dependentRequired: { [name]: [name] },
        required: [name],
        additionalProperties: false,
      })
      expect(reason(room, text(JSON.stringify({ [name]: name })))).toBeUndefined()
      expect(reason(room, text('{}'))).toContain('must have required property')
      expect(reason(room, text(JSON.stringify({ [name]: 1 })))).toContain('must be string')
    }
    expect(globalThis).not.toHaveProperty('ran')
  })

  test('tells its patterns apart', () => {
    const room = jsonRoom({ properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } })
    expect(reason(room, text('{"a":"a","b":"b"}'))).toBeUndefined()
    expect(reason(room, text('{"a":"a","b":"a"}'))).toBe('/b: must match pattern "^b$"')
  })

  test('says what is wrong in its own words, not in those of the message', () => {
    const room = jsonRoom({ additionalProperties: { enum: ['a'] } })
    const why = reason(room, text('{"card":"4111 1111 1111 1111"}'))
    expect(why).toBe('/card: must be equal to one of the allowed values')
  })
})

const FORMATS: [name: string, fits: string[], doesNot: string[]][] = [
  [
    'date-time',
    ['2026-11-21T13:49:00.5Z', '1990-12-31t15:59:60-08:00'],
    ['2026-11-21', '2026-11-21T24:00:00Z', '1990-12-31T15:59:60Z'],
  ],
  ['time', ['00:00:00z', '23:59:60Z'], ['1:00:00Z', '00:00:00', '00:00:00+24:00']],
  ['duration', ['P1Y2M3D', 'PT1H', 'P4W', 'P1DT1S'], ['P', 'PT', '1D', 'P1YT', 'P1W1D']],
  ['email', ['a.b+c@example.com'], ['a@', '@b', 'a@b@c', '.a@b', 'a..b@c', 'a b@c']],
  ['hostname', ['a-1.example'], ['-a', 'a-', 'a..b', 'a_b', `${'a'.repeat(64)}.b`, '']],
  ['ipv4', ['127.0.0.1'], ['127.1', '256.0.0.1', '01.2.3.4']],
  ['ipv6', ['::1', '::ffff:1.2.3.4'], ['fe80::1%eth0', ':::', '1']],
  ['uri', ['https://u:p@[::1]:80/a?b#c', 'urn:x:y'], ['/a', 'http://a b', 'a:%z']],
  ['uuid', ['0190ABCD-1234-7abc-8def-0123456789ab'], ['0190abcd12347abc8def0123456789ab']],
  ['json-pointer', ['', '/a~0b/~1'], ['a', '/~2']],
]

test.each(FORMATS)('format %s', (format, fits, doesNot) => {
  const room = jsonRoom({ format })
  const why = (value: string) => [value, reason(room, text(JSON.stringify(value)))]
  for (const value of fits) expect(why(value)).toEqual([value, undefined])
  for (const value of doesNot) expect(why(value)).toEqual([value, `must match format "${format}"`])
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
    ['that is no schema', 7, 'schema /: must be object,boolean'],
    [
      'with a keyword of a wrong kind',
      { items: { minimum: '1' } },
      '/items/minimum: must be number',
    ],
    ['with an unknown type', { type: 'int' }, 'schema /type: must be equal to one of'],
    ['with an inherited type', { type: 'constructor' }, 'schema /type: must be equal to one of'],
    ['with a misspelt keyword', { requierd: [] }, 'schema /requierd: no keyword that is known'],
    ['with __proto__ as a keyword', JSON.parse('{"__proto__":{}}'), '/__proto__: no keyword'],
    ['with an unknown format', { format: 'ssn' }, 'schema /format: none that is checked'],
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
    ['with an $id within', { $defs: { a: { $id: 'x' } } }, '/$defs/a/$id: not of the whole'],
    ['with a dynamic reference', { $dynamicRef: '#x' }, 'no keyword that is known here'],
    ['with what Ajv adds', { nullable: true, type: 'string' }, '/nullable: no keyword'],
    ['that is to be asynchronous', { $async: true }, '/$async: no keyword that is known'],
    ['with a value from the message', { minimum: { $data: '/a' } }, '/minimum: must be number'],
    ['with unevaluated items', { unevaluatedItems: false }, 'no keyword that is known here'],
    [
      'with unevaluated members of conditions',
      { if: true, else: false, unevaluatedProperties: false },
      'unevaluatedProperties besides if',
    ],
    ['with what would be ignored', { if: { type: 'string' } }, '"if" without "then" and "else"'],
    [
      'with items that are compared by halves',
      { uniqueItems: true, prefixItems: [{}], items: { type: 'string' } },
      '/uniqueItems: not checked beside prefixItems',
    ],
    ['with __proto__ as a member', JSON.parse('{"properties":{"__proto__":{}}}'), 'cannot be'],
    ['that looks ahead', { pattern: '(?=a)b' }, 'schema /pattern: error parsing regexp'],
    ['that looks back', { pattern: '(a)\\1' }, 'schema /pattern: error parsing regexp'],
    ['with half a pair', { pattern: '\\ud83d' }, 'half a surrogate pair'],
    ['of 30 doublings', doubled(30), 'takes over 8000 steps for any value'],
    ['of 65 nestings', JSON.parse(`${'{"not":'.repeat(65)}{}${'}'.repeat(65)}`), 'nested over 64'],
    ['of 600 schemas', { prefixItems: Array(600).fill({}) }, 'over 500 schemas'],
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
    expect(reason(jsonRoom(doubled(6)), text('1'))).toBe('must match a schema in anyOf')
  })
})
