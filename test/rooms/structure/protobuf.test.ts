import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { varint, varintField, field as wire } from '../../support/bytes.ts'
import { LAB, setOf } from './descriptors.ts'
import { contentOf, envelope, payload, reason, scanned, structureOf, text } from './say.ts'

const descriptorSet = setOf(LAB)
const lab = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet))
const reading = lab.getMessage('lab.Reading') as DescMessage
const room = structureOf({
  structure: { case: 'protobuf', value: { descriptorSet, type: 'lab.Reading' } },
})

const leaf = fc.record(
  {
    id: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    sensorName: fc.string({ unit: 'grapheme', maxLength: 10 }),
    values: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 4 }),
    raw: fc.base64String({ maxLength: 8 }),
    state: fc.constantFrom('STATE_UNSPECIFIED', 7),
    states: fc.array(fc.constantFrom(0, 1, 2, -1), { maxLength: 4 }),
    big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    at: fc.constantFrom('2026-11-21T13:49:00Z', '0001-01-01T00:00:00Z'),
    more: fc.dictionary(fc.string({ maxLength: 4 }), fc.constantFrom(null, 1, 'a', [true]), {
      maxKeys: 3,
    }),
  },
  { requiredKeys: [] },
)
const readings: fc.Arbitrary<JsonObject> = fc
  .tuple(leaf, leaf, fc.dictionary(fc.string({ maxLength: 4 }), leaf, { maxKeys: 2 }))
  .map(([outer, inner, byName]) => ({ ...outer, next: inner, parts: [inner, {}], byName }))
const encoded = readings.map((json) =>
  toBinary(reading, fromJson(reading, json, { registry: lab })),
)

describe('a Protobuf room', () => {
  test('takes every message of its type as it came', () => {
    fc.assert(
      fc.property(encoded, fc.uint8Array({ maxLength: 9 }), (bytes, unknown) => {
        const said = payload(Buffer.concat([bytes, wire(999, unknown)]))
        expect(room.admit(said)).toBe(said)
      }),
    )
    const nothing = envelope({})
    expect(room.admit(nothing)).toBe(nothing)
  })

  test('shows a socket of text the JSON of it, and takes that JSON as the same message', () => {
    fc.assert(
      fc.property(encoded, (bytes) => {
        const written = room.textOf(payload(bytes)) as string
        expect(written).toBe(JSON.stringify(toJson(reading, fromBinary(reading, bytes))))
        const admitted = room.admit(text(written))
        expect(admitted.content).toBe(3)
        expect(room.textOf(admitted)).toBe(written)
      }),
    )
  })

  test('takes or refuses what was cut or changed, and never fails', () => {
    fc.assert(
      fc.property(encoded, fc.nat(), fc.nat(), fc.nat(255), (bytes, end, at, byte) => {
        const cut = Buffer.from(bytes.subarray(0, end % (bytes.length + 1)))
        reason(room, payload(cut))
        if (cut.length > 0) cut[at % cut.length] = byte
        if (reason(room, payload(cut)) !== undefined) return
        // What was let in, every reader can read.
        expect(() => fromBinary(reading, cut)).not.toThrow()
      }),
      { numRuns: 2000 },
    )
  })

  test('takes or refuses any bytes and any JSON, and never fails', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void reason(room, payload(bytes))))
    fc.assert(fc.property(fc.jsonValue(), (json) => void reason(room, text(JSON.stringify(json)))))
  })

  const deep = (levels: number) => {
    let bytes: Buffer = Buffer.alloc(0)
    for (let i = 0; i < levels; i++) bytes = wire(4, bytes)
    return bytes
  }

  test.each([
    ['a number as bytes', wire(1, 'x'), '/id: not of the wire type that it has'],
    ['bytes as a number', wire(5, varintField(2, 1)), '/parts/sensor_name: not of the wire type'],
    [
      'a string that is none',
      wire(4, wire(2, Buffer.from([0xff]))),
      '/next/sensor_name: not UTF-8',
    ],
    ['the name of an entry', wire(7, wire(1, Buffer.from([0xff]))), '/by_name/key: not UTF-8'],
    ['an entry within', wire(7, wire(2, wire(1, 'x'))), '/by_name/value/id: not of the wire type'],
    ['packed doubles cut short', wire(3, Buffer.alloc(12)), '/values: a fixed field runs past'],
    ['a varint without end', Buffer.from([0x08, 0x80]), '/id: a varint runs past its end'],
    ['a long varint', Buffer.from([8, ...Array(10).fill(255), 1]), '/id: a varint is over 64 bits'],
    ['a length too far', Buffer.from([0x12, 9, 65]), '/sensor_name: a field is longer than'],
    ['field 0', Buffer.from([0, 0]), 'a field with number 0'],
    ['a group', Buffer.from([0x9b, 0x06, 0x9c, 0x06]), 'a group, or a wire type that does not'],
    ['65 levels', deep(65), 'nested over 64 deep'],
    ['levels to the limit', deep(20_000), 'nested over 64 deep'],
  ])('refuses %s', (_what, bytes, why) => {
    expect(reason(room, payload(bytes))).toContain(why)
  })

  test('takes numbers one by one that it would write together, and the reverse', () => {
    const one = Buffer.concat([varint((3 << 3) | 1), Buffer.alloc(8)])
    const together = wire(13, varint(1), varint(2))
    expect(reason(room, payload(Buffer.concat([one, one, together, deep(64)])))).toBeUndefined()
  })

  test.each([
    ['no JSON', 'id: 1', 'not JSON'],
    ['an unknown field', '{"secret":1}', 'not the Protobuf JSON of lab.Reading'],
    ['a wrong value', '{"next":{"id":"x1 secret"}}', 'not the Protobuf JSON of lab.Reading.id'],
    ['too large a number', '{"id":2147483648}', 'not the Protobuf JSON of lab.Reading.id'],
    [
      'no number that it could mean',
      '{"parts":[{"big":9007199254740993}]}',
      '/parts/0/big: no integer',
    ],
    ['one name twice', '{"id":1,"id":2}', 'an object with one name twice'],
    [
      'a type not known',
      '{"any":{"@type":"x/y.Z"}}',
      'not the Protobuf JSON of google.protobuf.Any',
    ],
    ['a list', '[]', 'not the Protobuf JSON of lab.Reading'],
    ['65 levels', `${'{"next":'.repeat(65)}{}${'}'.repeat(65)}`, 'nested over 64 deep'],
    [
      'what grows',
      `{"sensorName":"${'x'.repeat(200_000)}","states":[${Array(10_000).fill(-1)}]}`,
      'over 262144 bytes as Protobuf',
    ],
    ['many values', `{"states":[${Array(20_000).fill(1)}]}`, 'over 16384 values'],
  ])('refuses as JSON %s', (_what, json, why) => {
    const detail = reason(room, text(json))
    expect(detail).toContain(why)
    expect(detail).not.toContain('secret')
  })

  test('has names of every object in maps, and no prototype but its own', () => {
    const json = '{"byName":{"__proto__":{"id":1},"constructor":{"id":2}},"more":{"__proto__":1}}'
    const admitted = room.admit(text(json))
    expect(room.textOf(admitted)).toBe(json)
    expect(Object.hasOwn(Object.prototype, 'id')).toBe(false)
  })

  test('shows bytes where there is no JSON of them, or too much', () => {
    const unknownAny = payload(wire(11, wire(1, 'x/y.Z')))
    expect(room.admit(unknownAny)).toBe(unknownAny)
    expect(room.textOf(unknownAny)).toBeUndefined()
    for (const values of [10_000, 200_000]) {
      const bomb = payload(wire(13, Buffer.alloc(values, 1)))
      expect(room.admit(bomb)).toBe(bomb)
      expect(room.textOf(bomb)).toBeUndefined()
    }
  })

  test('keeps all of an envelope of JSON but its content and what said that it was JSON', () => {
    const said = envelope({
      content: { case: 'text', value: '{"id":5}' },
      contentType: 'application/json',
      headers: { a: 'b' },
      replyTo: 'client:acme/pump',
      correlationId: new Uint8Array([1]),
      routing: { route: 7, idempotencyKey: 'k', retain: true },
    })
    const admitted = room.admit(said)
    expect(admitted).toEqual(scanned(admitted.bytes))
    expect(admitted).toMatchObject({ route: 7, key: 'k', retain: true, typeStart: 0, typeEnd: 0 })
    expect(contentOf(admitted)).toEqual(varintField(1, 5))
    const { content: _, contentType: __, ...sent } = fromBinary(EnvelopeSchema, said.bytes)
    expect(fromBinary(EnvelopeSchema, admitted.bytes)).toMatchObject(sent)
  })

  test('takes only what has the fields that proto2 asks for', () => {
    const required = setOf({
      name: 'two.proto',
      package: 'two',
      messageType: [
        { name: 'Two', field: [{ name: 'a', number: 1, type: 5, label: 2, jsonName: 'a' }] },
      ],
    })
    const two = structureOf({
      structure: { case: 'protobuf', value: { descriptorSet: required, type: 'two.Two' } },
    })
    expect(reason(two, envelope({}))).toBe('lacks a')
    expect(reason(two, text('{}'))).toBeDefined()
    expect(reason(two, payload(varintField(1, 0)))).toBeUndefined()
  })

  test('has an empty message for create', () => {
    expect(room.textOf(payload(toBinary(reading, create(reading))))).toBe('{}')
  })
})
