/** The body of POST /v1/messages as an envelope: what goes in comes out, or it is refused. */
import { fromBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formOf, wantedForm } from '../../gateway/ingress/http/media-type.ts'
import { extrasOf } from '../../gateway/ingress/http/messages/extras.ts'
import { type Extras, readMessage } from '../../gateway/ingress/http/messages/read-message.ts'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { limits } from '../support/limits.ts'

const NOTHING: Extras = { key: undefined, trace: {} }

function read(body: string | Buffer, form: 'json' | 'protobuf' = 'json', extras = NOTHING) {
  const scanned = readMessage(Buffer.from(body), form, extras, limits)
  const { bytes, start, end } = scanned
  return { scanned, envelope: fromBinary(EnvelopeSchema, bytes.subarray(start, end)) }
}

const text = fc.string({ unit: 'binary', maxLength: 100 })
const message = fc.record(
  {
    to: fc.array(fc.string({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 5 }),
    contentType: fc.string({ maxLength: 30 }),
    headers: fc.dictionary(fc.string({ maxLength: 10 }), fc.string({ maxLength: 20 })),
    replyTo: fc.string({ maxLength: 50 }),
    expiresAfter: fc.nat(),
    idempotencyKey: fc.string({ maxLength: 40 }),
    retain: fc.boolean(),
  },
  { requiredKeys: ['to'] },
)

test('every field comes out as it went in', () => {
  fc.assert(
    fc.property(message, text, (fields, content) => {
      const { scanned, envelope } = read(JSON.stringify({ ...fields, text: content }))
      const { to, idempotencyKey = '', retain = false, ...rest } = fields
      expect(scanned).toMatchObject({ to, key: idempotencyKey, retain })
      expect(scanned.receipt).toBe(ReceiptLevel.ROUTED)
      expect(envelope).toMatchObject(rest)
      expect(envelope.content).toEqual({ case: 'text', value: content })
    }),
  )
})

test('bytes come out of base64, and JSON as its text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
      const body = { to: ['x'], payload: Buffer.from(payload).toString('base64') }
      const { content } = read(JSON.stringify(body)).envelope
      const value = content.case === undefined ? new Uint8Array() : content.value
      expect(Buffer.from(value as Uint8Array)).toEqual(Buffer.from(payload))
    }),
  )
  fc.assert(
    fc.property(fc.json(), (json) => {
      const { content, contentType } = read(`{"to":["x"],"json":${json}}`).envelope
      const value = JSON.stringify(JSON.parse(json))
      expect([content.value, contentType]).toEqual([value, 'application/json'])
    }),
  )
})

test('whatever else comes is refused, and nothing but refused', () => {
  const refused = (run: () => unknown) => {
    try {
      run()
      return true
    } catch (error) {
      return error instanceof Refusal
    }
  }
  fc.assert(fc.property(fc.uint8Array(), (body) => refused(() => read(Buffer.from(body)))))
  fc.assert(
    fc.property(fc.uint8Array(), (body) => refused(() => read(Buffer.from(body), 'protobuf'))),
  )
  const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` }
  const traced = { key: undefined, trace }
  fc.assert(
    fc.property(fc.uint8Array(), (body) =>
      refused(() => read(Buffer.from(body), 'protobuf', traced)),
    ),
  )
  fc.assert(fc.property(fc.jsonValue(), (body) => refused(() => read(JSON.stringify(body)))))
  const fields = fc.constantFrom('to', 'text', 'payload', 'headers', 'receipt', 'retain', 'x')
  fc.assert(
    fc.property(fc.dictionary(fields, fc.jsonValue()), (body) =>
      refused(() => read(JSON.stringify(body))),
    ),
  )
})

describe('headers of a request', () => {
  test('any key that can be quoted comes out', () => {
    const printable = fc.string({ unit: fc.constantFrom(...' !"#abc\\~'), minLength: 1 })
    fc.assert(
      fc.property(printable, (key) => {
        const quoted = `"${key.replace(/["\\]/g, '\\$&')}"`
        expect(extrasOf({ 'idempotency-key': quoted }).key).toBe(key)
      }),
    )
  })

  test('what is no media type is none, and never more than refused', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (type, accept) => {
        expect([undefined, 'json', 'protobuf']).toContain(formOf(type))
        expect([undefined, 'json', 'protobuf']).toContain(wantedForm(accept, 'json'))
      }),
    )
  })
})
