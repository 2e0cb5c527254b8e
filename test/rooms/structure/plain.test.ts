import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { field } from '../../support/bytes.ts'
import { contentOf, envelope, payload, reason, scanned, structureOf, text } from './say.ts'

const bytesRoom = structureOf({ structure: { case: 'bytes', value: {} } })
const textRoom = structureOf({ structure: { case: 'text', value: {} } })

test('a block that names no structure asks for none', () => {
  expect(structureOf({})).toBeUndefined()
})

describe('a room of bytes', () => {
  test('takes any payload as it is', () => {
    const said = payload(Buffer.from([0, 255, 128]))
    expect(bytesRoom.admit(said)).toBe(said)
    const nothing = envelope({})
    expect(bytesRoom.admit(nothing)).toBe(nothing)
    expect(bytesRoom.textOf(said)).toBeUndefined()
  })

  test('has what was sent as text as a payload of the same bytes', () => {
    const admitted = bytesRoom.admit(text('grüße\0'))
    expect(admitted.content).toBe(3)
    expect(contentOf(admitted).toString()).toBe('grüße\0')
  })
})

describe('a room of text', () => {
  test('takes text as it is, also none', () => {
    for (const said of [text('hello'), text(''), envelope({})]) {
      expect(textRoom.admit(said)).toBe(said)
    }
  })

  test('has a payload of UTF-8 as text', () => {
    const admitted = textRoom.admit(payload('grüße'))
    expect(admitted.content).toBe(6)
    expect(contentOf(admitted).toString()).toBe('grüße')
  })

  test.each([
    ['a lone byte', Buffer.from([0xff])],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['an overlong NUL', Buffer.from([0xc0, 0x80])],
  ])('refuses %s', (_what, bytes) => {
    expect(reason(textRoom, payload(bytes))).toBe('not text: no UTF-8')
  })
})

describe('an envelope whose content moves to another field', () => {
  const others = fc.record({
    contentType: fc.string({ maxLength: 20 }),
    headers: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), {
      maxKeys: 3,
    }),
    replyTo: fc.string({ maxLength: 20 }),
    correlationId: fc.uint8Array({ maxLength: 20 }),
    routing: fc.option(
      fc.record({ route: fc.nat(), idempotencyKey: fc.string({ maxLength: 9 }) }),
      {
        nil: undefined,
      },
    ),
  })
  const unknown = fc.uint8Array({ maxLength: 20 }).map((bytes) => field(4000, bytes))

  test('keeps all else, also what nobody knows, in any order', () => {
    fc.assert(
      fc.property(others, unknown, unknown, fc.string(), (init, before, after, value) => {
        const rest = toBinary(EnvelopeSchema, create(EnvelopeSchema, init))
        const content = field(6, value.toWellFormed())
        const said = scanned(Buffer.concat([before, content, rest, after]))
        const admitted = bytesRoom.admit(said)
        // What was scanned is what a scan of the new bytes finds.
        expect(admitted).toEqual(scanned(admitted.bytes))
        const got = fromBinary(EnvelopeSchema, admitted.bytes)
        const sent = fromBinary(EnvelopeSchema, said.bytes)
        expect(got.content.case).toBe('payload')
        expect(contentOf(admitted)).toEqual(contentOf(said))
        expect({ ...got, content: undefined }).toEqual({ ...sent, content: undefined })
      }),
    )
  })

  test('keeps the last content_type of several', () => {
    const said = scanned(
      Buffer.concat([field(4, 'a/b'), field(6, 'x'), field(4, 'text/plain'), field(8, 'y')]),
    )
    const { bytes, typeStart, typeEnd } = bytesRoom.admit(said)
    expect(bytes.toString('utf8', typeStart, typeEnd)).toBe('text/plain')
  })
})
