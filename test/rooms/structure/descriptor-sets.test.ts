import { create, setExtension } from '@bufbuild/protobuf'
import { MessageOptionsSchema } from '@bufbuild/protobuf/wkt'
import {
  MessageRulesSchema,
  message as messageRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type FileInit,
  field,
  LAB,
  ofType,
  only,
  repeated,
  rules,
  setOf,
  Type,
} from './descriptors.ts'
import { structureOf } from './say.ts'

const roomOf = (descriptorSet: Uint8Array<ArrayBuffer>, type = 'lab.Only') =>
  structureOf({ structure: { case: 'protobuf', value: { descriptorSet, type } } })

const cel = rules({ celExpression: ['this > 1'] })
const celOptions = create(MessageOptionsSchema)
setExtension(
  celOptions,
  messageRules,
  create(MessageRulesSchema, { cel: [{ id: 'x', expression: 'true' }] }),
)
const listed = Array.from({ length: 101 }, (_, i) => i)
const patterned = (pattern: string) =>
  only([field('a', 1, Type.STRING, rules({ type: { case: 'string', value: { pattern } } }))])

describe('a descriptor set is refused', () => {
  test.each<[what: string, files: FileInit[], why: string]>([
    ['without the type', [LAB], 'type: no message lab.Only in descriptor_set'],
    [
      'without what it imports',
      [only([], { dependency: ['x/y.proto'] })],
      'descriptor_set: x/y.proto, which only.proto imports, is not there before it',
    ],
    [
      'with what it imports after it',
      [only([], { dependency: ['lab.proto'] }), LAB],
      'lab.proto, which only.proto imports, is not there before it',
    ],
    ['that imports itself', [only([], { dependency: ['only.proto'] })], 'is not there before it'],
    [
      'with a field of no known type',
      [only([field('a', 1, Type.MESSAGE, ofType('lab.None'))])],
      'descriptor_set: ',
    ],
    [
      'with a group',
      [only([field('a', 1, Type.GROUP, ofType('lab.Only'))], { syntax: 'proto2' })],
      'is a group, which are not taken',
    ],
    [
      'with an expression on a field',
      [only([field('a', 1, Type.INT32, cel)])],
      'expressions (cel)',
    ],
    [
      'with an expression on a message',
      [only([], { messageType: [{ name: 'Only', options: celOptions }] })],
      'expressions (cel) are not taken',
    ],
    [
      'with an expression on items',
      [
        only([
          field('a', 1, Type.INT32, {
            ...repeated,
            ...rules({
              type: {
                case: 'repeated',
                value: { items: { cel: [{ id: 'x', expression: 'this == 1' }] } },
              },
            }),
          }),
        ]),
      ],
      'expressions (cel) are not taken',
    ],
    [
      'with a long list of values',
      [
        only([
          field('a', 1, Type.INT32, rules({ type: { case: 'int32', value: { in: listed } } })),
        ]),
      ],
      'over 100 values in a list',
    ],
    [
      'with messages to be compared',
      [
        only([
          field('a', 1, Type.MESSAGE, {
            ...repeated,
            ...ofType('lab.Only'),
            ...rules({ type: { case: 'repeated', value: { unique: true } } }),
          }),
        ]),
      ],
      'messages are not compared',
    ],
    ['with a pattern that looks ahead', [patterned('(?=a)')], 'field lab.Only.a: error parsing'],
    ['with a large pattern', [patterned('a{400}b{400}')], 'over 500 instructions'],
    [
      'with rules of another type',
      [only([field('a', 1, Type.STRING, rules({ type: { case: 'int32', value: { const: 1 } } }))])],
      'descriptor_set: ',
    ],
    ['with names that are none', [only([field('a b', 1, Type.INT32)])], 'invalid field name "a b"'],
  ])('%s', (_what, files, why) => {
    expect(() => roomOf(setOf(...files))).toThrow(why)
  })

  test.each([
    ['that is none', new Uint8Array([0xff, 0xff]), 'not a google.protobuf.FileDescriptorSet'],
    ['of 10 MB', new Uint8Array(10_000_000), 'over 262144 bytes'],
    ['that is empty', new Uint8Array(), 'no message lab.Only in descriptor_set'],
  ])('%s', (_what, bytes, why) => {
    expect(() => roomOf(bytes)).toThrow(why)
  })

  test('in a sentence that is short, whatever it names', () => {
    const name = 'x'.repeat(200_000)
    expect(() => roomOf(setOf(only([], { dependency: [name] })))).toThrow(/^.{1,250}$/u)
    expect(() => roomOf(setOf(), name)).toThrow(/^.{1,250}$/u)
    expect(() => roomOf(setOf(only([field(`${name} `, 1, Type.INT32)])))).toThrow(/^.{1,250}$/u)
  })
})

test('any bytes are a descriptor set, or are refused with an Error', () => {
  const known = Buffer.from(setOf(LAB))
  fc.assert(
    fc.property(fc.nat(known.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const bytes = new Uint8Array(cut ? known.subarray(0, at) : known)
      if (!cut) bytes[at] = byte
      try {
        roomOf(bytes, 'lab.Reading')
      } catch (error) {
        expect((error as Error).message).toMatch(/^(descriptor_set|type): .{1,300}$/u)
      }
    }),
    { numRuns: 500 },
  )
})

test('a type may be as long as a set: names, fields, and messages within messages', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
  const fields = names.map((name, i) => field(name, i + 1, Type.STRING, { jsonName: name }))
  const many = Array.from({ length: 2000 }, (_, i) => field(`f${i}`, i + 10, Type.INT32))
  const room = roomOf(setOf(only([...fields, ...many])))
  expect(room).toBeDefined()
})
