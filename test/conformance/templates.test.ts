/** The language of the cases: what is filled in, and what is expected (server_suite.proto). */
import type { JsonValue } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fill, mismatch, Variables } from '../../conformance/runner/template.ts'

const variables = () =>
  new Variables({ name: 'anna', 'limits.bytes': 10, epoch: '9007199254740993' })
const filled = (template: JsonValue) => fill(template, variables())
const why = (expected: JsonValue, actual: JsonValue | undefined) =>
  mismatch(expected, actual, variables())

describe('a template', () => {
  test('has its variables filled in, of whatever type', () => {
    expect(filled({ a: 'to ${name}', b: '${limits.bytes}', '${name}': 1 })).toEqual({
      a: 'to anna',
      b: 10,
      anna: 1,
    })
  })

  test('may add to a number, also to one of 64 bits', () => {
    expect(filled(['${limits.bytes + 1}', '${limits.bytes - 10}', '${epoch + 1}'])).toEqual([
      11,
      0,
      '9007199254740994',
    ])
  })

  test('stands for many items, and for texts of a size', () => {
    const times = '${limits.bytes - 8}'
    expect(filled([{ $each: { times, item: 'm${i}' } }, 'end'])).toEqual(['m0', 'm1', 'end'])
    expect(filled({ $fill: { text: 'ab', bytes: 5 } })).toBe('ababa')
    expect(filled({ $fill: { bytes: 3, base64: true } })).toBe('eHh4')
  })

  test('with a name that nobody knows is a fault of the case', () => {
    expect(() => filled('${nobody}')).toThrow(TypeError)
  })
})

describe('what is expected', () => {
  test('is itself, whatever it is', () => {
    const json = fc.jsonValue().filter((value) => !/[$]|__proto__/.test(JSON.stringify(value)))
    fc.assert(
      fc.property(json, (value) => {
        expect(why(value as JsonValue, value as JsonValue)).toBeUndefined()
      }),
    )
  })

  test('may leave fields out, but not items', () => {
    expect(why({ a: 1 }, { a: 1, b: 2 })).toBeUndefined()
    expect(why([1], [1, 2])).toMatch('2 items, not 1')
    expect(why({ a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 2 }] } })).toMatch('.a.b[0].c is 2')
  })

  test('takes what Protobuf JSON leaves out for its default', () => {
    expect(why({ a: 0, b: '', c: false }, {})).toBeUndefined()
    expect(why({ a: 7 }, {})).toMatch('.a is absent')
    expect(why({ a: 7 }, { a: '7' })).toBeUndefined()
  })

  test.each<[JsonValue, JsonValue | undefined, boolean]>([
    [{ $any: true }, 1, true],
    [{ $any: true }, undefined, false],
    [{ $absent: true }, undefined, true],
    [{ $absent: true }, 0, false],
    [{ $match: '^a${name}' }, 'aanna', true],
    [{ $match: '^a' }, 'b', false],
    [{ $above: 10 }, '11', true],
    [{ $above: 10 }, 10, false],
    [{ $not: 'a' }, 'b', true],
    [{ $not: { a: 1 } }, { a: 1, b: 2 }, false],
    [{ $oneOf: ['a', 'b'] }, 'b', true],
    [{ $oneOf: ['a', 'b'] }, 'c', false],
    [{ $set: [{ a: 1 }, { a: 2 }] }, [{ a: 2 }, { a: 1 }], true],
    [{ $set: [{ a: 1 }, { a: 1 }] }, [{ a: 2 }, { a: 1 }], false],
  ])('%j of %j', (expected, actual, isSo) => {
    expect(why(expected, actual) === undefined).toBe(isSo)
  })

  test('may be saved, and is known from then on', () => {
    const known = variables()
    expect(mismatch({ id: { $save: 'id' } }, { id: 'x1' }, known)).toBeUndefined()
    expect(mismatch('${id}', 'x1', known)).toBeUndefined()
    expect(mismatch('${id}', 'x2', known)).toMatch('not "x1"')
  })
})
