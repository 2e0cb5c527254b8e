import { Ignore } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'
import { describe, expect, test } from 'vitest'
import { varint, varintField, field as wire } from '../../support/bytes.ts'
import { field, ofType, only, repeated, rules, setOf, Type } from './descriptors.ts'
import { payload, reason, structureOf, text } from './say.ts'

const descriptorSet = setOf(
  only(
    [
      field(
        'id',
        1,
        Type.INT32,
        rules({ ignore: Ignore.IF_ZERO_VALUE, type: { case: 'int32', value: { const: 5 } } }),
      ),
      field('name', 2, Type.STRING, {
        ...rules({ type: { case: 'string', value: { maxLen: 4n, pattern: '^[a-z]*$' } } }),
      }),
      field('parts', 3, Type.MESSAGE, { ...repeated, ...ofType('lab.Only') }),
      field('words', 4, Type.STRING, {
        ...repeated,
        ...rules({
          type: {
            case: 'repeated',
            value: {
              unique: true,
              items: { type: { case: 'string', value: { pattern: '[ab]*a[ab]{99}[cd]' } } },
            },
          },
        }),
      }),
      field('at', 5, Type.MESSAGE, {
        ...ofType('google.protobuf.Timestamp'),
        ...rules({ type: { case: 'timestamp', value: { within: { seconds: 60n } } } }),
      }),
      field('numbers', 6, Type.INT32, repeated),
      field('mail', 7, Type.STRING, {
        ...rules({
          ignore: Ignore.IF_ZERO_VALUE,
          type: { case: 'string', value: { wellKnown: { case: 'email', value: true } } },
        }),
      }),
    ],
    { dependency: ['google/protobuf/timestamp.proto'] },
  ),
)
const room = structureOf({
  structure: { case: 'protobuf', value: { descriptorSet, type: 'lab.Only' } },
})
const fits = varintField(1, 5)

describe('rules of fields', () => {
  test('hold for what fits', () => {
    const good = Buffer.concat([fits, wire(2, 'abc'), wire(7, 'a@example.com')])
    expect(reason(room, payload(good))).toBeUndefined()
    expect(reason(room, text('{"id":5,"parts":[{"id":5}]}'))).toBeUndefined()
    expect(reason(room, payload(''))).toBeUndefined()
  })

  test.each([
    ['a value', varintField(1, 6), '/id: must equal 5'],
    ['a pattern', wire(2, 'AB'), '/name: does not match regex pattern `^[a-z]*$`'],
    ['a length', wire(2, 'abcde'), '/name: must be at most 4 characters'],
    [
      'a field within',
      Buffer.concat([fits, wire(3, fits), wire(3, varintField(1, 1))]),
      '/parts/1/id',
    ],
    ['a format', wire(7, 'x'), '/mail: '],
    ['a time', wire(5, varintField(1, 1)), '/at: must be within 60s of now'],
  ])('refuse %s', (_what, bytes, why) => {
    expect(reason(room, payload(bytes))).toContain(why)
  })

  test('hold for JSON as well, and the message is not repeated', () => {
    expect(reason(room, text('{"id":5,"parts":[{"name":"SECRET"}]}'))).toMatch(
      /^\/parts\/0\/name: /,
    )
    expect(reason(room, text('{"name":"SECRET"}'))).not.toContain('SECRET')
  })

  test('stop at patterns and values that would take too long', () => {
    const busy = wire(4, 'abbab'.repeat(50_000))
    expect(reason(room, payload(busy))).toBe('checking it takes too many steps')
    const many = wire(6, ...Array.from({ length: 20_000 }, () => varint(1)))
    expect(reason(room, payload(many))).toBe('over 16384 values')
  })
})
