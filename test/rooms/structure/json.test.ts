import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentOf, envelope, jsonRoom, payload, reason, text } from './say.ts'

const room = jsonRoom()
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

describe('a room of JSON', () => {
  test('takes any JSON as it came, and shows it as text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.boolean(), (value, asText) => {
        const written = JSON.stringify(value)
        const said = asText ? text(written) : payload(written)
        expect(room.admit(said)).toBe(said)
        expect(room.textOf(said)).toBe(asText ? undefined : written)
        expect(contentOf(said).toString()).toBe(written)
      }),
    )
  })

  test('refuses or takes any text, and never fails', () => {
    const pieces = fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '1', 'null', '"a"', ' ')
    const nearly = fc.array(pieces, { maxLength: 30 }).map((list) => list.join(''))
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (said) => {
        const why = reason(room, text(said.toWellFormed()))
        if (why === undefined) expect(() => JSON.parse(said.toWellFormed())).not.toThrow()
      }),
    )
  })

  test.each([
    ['nothing', '', 'not JSON'],
    ['no JSON', '{a:1}', 'not JSON'],
    ['two values', '1 2', 'not JSON'],
    ['a byte order mark', '\ufeff1', 'not JSON'],
    ['a bare NUL', '"\0"', 'not JSON'],
    ['no number', '[NaN]', 'not JSON'],
    ['a number beyond doubles', '{"a":[1e400]}', '/a/0: a number beyond all doubles'],
    ['half a pair', '["\\ud800"]', '/0: a string with half a surrogate pair'],
    ['half a pair as a name', '{"\\udc00":1}', '/?: a name with half a surrogate pair'],
    ['one name twice', '{"a":1,"a":2}', 'an object with one name twice'],
    ['it in disguise', '[{"a":1,"\\u0061":2}]', 'an object with one name twice'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'an object with one name twice'],
    ['65 arrays', nested(65), 'nested over 64 deep'],
    ['as many as fit', '['.repeat(262_144), 'nested over 64 deep'],
    ['objects too', '{"a":'.repeat(50_000), 'nested over 64 deep'],
  ])('refuses %s', (_what, said, why) => {
    expect(reason(room, text(said))).toBe(why)
  })

  test('refuses no content, and a payload that is no UTF-8', () => {
    expect(reason(room, envelope({}))).toBe('not JSON')
    expect(reason(room, payload(Buffer.from([0x22, 0xff, 0x22])))).toBe('not JSON: no UTF-8')
  })

  test.each([
    nested(64),
    '{"a:b":":","c":"\\":\\\\"}',
    '["\\u0000"]',
    '9007199254740993',
    '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
    ' \t\n1 ',
  ])('takes %s', (said) => {
    expect(reason(room, text(said))).toBeUndefined()
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('shows of a name only so much, in a detail of at most 256 bytes', () => {
    const bad = '"\\ud800"'
    const name = 'n\u202e'.repeat(5000)
    expect(reason(room, text(`{${JSON.stringify(name)}:${bad}}`))).toMatch(
      /^\/n\?n\?.{1,60}….*half/,
    )
    const path = '{"wwwwwwwwww/~":'.repeat(60) + bad + '}'.repeat(60)
    expect(reason(room, text(path))).toMatch(/^(\/wwwwwwwwww~1~0)+\/…: a string with half/)
  })
})
