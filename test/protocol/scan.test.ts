import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { Code } from '@porthouse/proto/v1/code'
import { type Envelope, EnvelopeSchema, Replay, StampSchema } from '@porthouse/proto/v1/envelope'
import { FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { type ReceiptStatus, ReceiptStatusSchema } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { PacketWriter } from '../../gateway/protocol/packet-writer.ts'
import { scanEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import { FrameKind, type ScannedFrame, scanPacket } from '../../gateway/protocol/scan-packet.ts'
import { limits } from '../support/limits.ts'

const shortText = fc.string({ unit: 'grapheme', maxLength: 12 })

const routing = fc.record(
  {
    route: fc.nat(),
    channel: shortText,
    receipt: fc.integer({ min: 0, max: 3 }),
    idempotencyKey: shortText,
  },
  { requiredKeys: [] },
)

const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((value) => ({ case: 'payload', value }) as const),
  shortText.map((value) => ({ case: 'text', value }) as const),
  fc.constant({ case: undefined, value: undefined } as const),
)

const envelopes = fc
  .record({
    content,
    routing: fc.option(routing, { nil: undefined }),
    contentType: shortText,
    replyTo: shortText,
    headers: fc.dictionary(shortText, shortText, { maxKeys: 4 }),
    correlationId: fc.uint8Array({ maxLength: 20 }),
  })
  .map((fields) => create(EnvelopeSchema, fields as MessageInitShape<typeof EnvelopeSchema>))

/** A field that no version knows, outside the numbers set aside for the gateway. */
const unknownFields = fc
  .tuple(fc.integer({ min: 32, max: 5000 }), fc.uint8Array({ maxLength: 30 }))
  .map(([field, value]) => new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(value))
  .map((writer) => writer.finish())

/** Each field of the envelope encoded by itself, so that they can be put in any order. */
function fieldsOf(envelope: Envelope): Uint8Array[] {
  const { routing, headers, content, contentType, replyTo, correlationId } = envelope
  const parts = [
    ...(routing ? [{ routing }] : []),
    ...Object.entries(headers).map(([name, value]) => ({ headers: { [name]: value } })),
    { content },
    { contentType },
    { replyTo },
    { correlationId },
  ]
  return parts.map((part) => toBinary(EnvelopeSchema, create(EnvelopeSchema, part)))
}

/** Bytes of an envelope with its fields in any order and unknown ones between them. */
const shuffled = fc
  .tuple(envelopes, fc.array(unknownFields, { maxLength: 3 }))
  .chain(([envelope, unknown]) => {
    const fields = [...fieldsOf(envelope), ...unknown]
    return fc.shuffledSubarray(fields, { minLength: fields.length, maxLength: fields.length })
  })
  .map((fields) => Buffer.concat(fields))

const stamp = {
  id: { bytes: Buffer.from([...Array(20).keys()]), at: 2 },
  from: Buffer.from('socket:abcdefghijklmnop'),
  route: 300,
  channel: Buffer.from('a/b'),
  target: new Uint8Array(),
  sequence: 2 ** 40,
  timeMs: 1_795_000_000_000,
  epoch: 1_790_000_000_001,
  replay: Replay.HISTORY,
}

const decodedStamp = create(StampSchema, {
  id: stamp.id.bytes.subarray(2, 18),
  from: 'socket:abcdefghijklmnop',
  route: stamp.route,
  channel: 'a/b',
  sequence: BigInt(stamp.sequence),
  timeMs: BigInt(stamp.timeMs),
  epoch: BigInt(stamp.epoch),
  replay: stamp.replay,
})

function framesOf(packet: Buffer): ScannedFrame[] {
  const frames: ScannedFrame[] = []
  scanPacket(packet, 0, packet.length, limits, (frame) => frames.push({ ...frame }) > 0, frames)
  return frames
}

describe('scanEnvelope', () => {
  test('reads the routing that the generated codec reads, whatever the order of fields', () => {
    fc.assert(
      fc.property(shuffled, (bytes) => {
        const scanned = scanEnvelope(bytes, 0, bytes.length, limits)
        const { routing } = fromBinary(EnvelopeSchema, bytes)
        expect(scanned).toMatchObject({
          route: routing?.route ?? 0,
          channel: routing?.channel ?? '',
          to: routing?.to ?? [],
          receipt: routing?.receipt ?? 0,
          key: routing?.idempotencyKey ?? '',
        })
      }),
    )
  })

  test('routing out, stamp in, every other byte as it came', () => {
    fc.assert(
      fc.property(shuffled, (bytes) => {
        const writer = new PacketWriter(0)
        writer.envelope(scanEnvelope(bytes, 0, bytes.length, limits), stamp)
        const [frame] = fromBinary(PacketSchema, writer.whole()).frames
        const { routing: _cut, ...sent } = fromBinary(EnvelopeSchema, bytes)
        expect(frame?.id).toBe(0)
        expect(hexOf(EnvelopeSchema, frame?.body.value as Envelope)).toBe(
          hexOf(EnvelopeSchema, { ...sent, stamp: decodedStamp }),
        )
      }),
    )
  })

  test('what it takes, the generated codec takes: no sender can poison a receiver', () => {
    fc.assert(
      fc.property(shuffled, fc.array(fc.tuple(fc.nat(), fc.nat(255))), (bytes, changes) => {
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
        const refusal = refusalOf(() => scanEnvelope(bytes, 0, bytes.length, limits))
        if (!refusal) expect(() => fromBinary(EnvelopeSchema, bytes)).not.toThrow()
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['a stamp', { stamp: {} }, Code.RESERVED_FIELD],
    ['a payload over its size', { payload: limits.payloadBytes + 1 }, Code.PAYLOAD_TOO_LARGE],
    ['too many destinations', { to: limits.destinations + 1 }, Code.TOO_MANY_DESTINATIONS],
    ['too many headers', { headers: limits.headers + 1 }, Code.HEADERS_TOO_LARGE],
    ['too large a header', { header: limits.headersBytes + 1 }, Code.HEADERS_TOO_LARGE],
    ['too long a key', { key: 129 }, Code.NAME_TOO_LONG],
    ['too long an address', { address: 513 }, Code.NAME_TOO_LONG],
  ])('refuses %s', (_, size, code) => {
    const bytes = toBinary(EnvelopeSchema, envelopeOf(size))
    expect(refusalOf(() => scanEnvelope(Buffer.from(bytes), 0, bytes.length, limits))).toBe(code)
  })

  test('refuses every number set aside for the gateway', () => {
    for (let field = 16; field <= 31; field++) {
      const bytes = new BinaryWriter().tag(field, WireType.Varint).uint32(1).finish()
      const refusal = refusalOf(() => scanEnvelope(Buffer.from(bytes), 0, bytes.length, limits))
      expect(refusal).toBe(Code.RESERVED_FIELD)
    }
  })
})

describe('scanPacket', () => {
  test('finds the frames that the generated codec finds, also where packets are joined', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), envelopes)), (frames) => {
        const packets = frames.map(([id, value]) =>
          toBinary(
            PacketSchema,
            create(PacketSchema, { frames: [{ id, body: { case: 'envelope', value } }] }),
          ),
        )
        const joined = Buffer.concat(packets)
        const found = framesOf(joined)
        expect(found.map(({ id }) => id)).toEqual(frames.map(([id]) => id))
        expect(found.every(({ kind }) => kind === FrameKind.ENVELOPE)).toBe(true)
        expect(fromBinary(PacketSchema, joined).frames.length).toBe(frames.length)
      }),
    )
  })

  test('any bytes are refused with a code, or understood as the generated codec does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (random) => {
        const packet = Buffer.from(random)
        let ids: number[] = []
        const refusal = refusalOf(() => {
          ids = framesOf(packet).map(({ id }) => id)
        })
        const bodies = refusal === undefined ? codecIds(packet) : undefined
        if (bodies) expect(ids).toEqual(bodies)
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    ['a truncated frame', '0a05', Code.MALFORMED_PACKET],
    ['an eleven-byte varint', `10${'ff'.repeat(10)}01`, Code.MALFORMED_PACKET],
    ['a ten-byte varint over 64 bits', `10${'ff'.repeat(9)}02`, Code.MALFORMED_PACKET],
    ['a tag over 32 bits', 'ffffffffff01', Code.MALFORMED_PACKET],
    ['a group', '0b0c', Code.MALFORMED_PACKET],
    ['field number 0', '0000', Code.MALFORMED_PACKET],
    ['frames as a varint', '0801', Code.MALFORMED_PACKET],
    ['two bodies in one frame', '0a0412002a00', Code.MALFORMED_PACKET],
    ['the same body twice', '0a042a002a00', Code.MALFORMED_PACKET],
    ['a frame longer than its packet', '0a7f2a00', Code.MALFORMED_PACKET],
  ])('refuses %s', (_, hex, code) => {
    expect(refusalOf(() => framesOf(Buffer.from(hex, 'hex')))).toBe(code)
  })

  test.each([
    ['a packet over its size', Buffer.alloc(limits.packetBytes + 1), Code.PACKET_TOO_LARGE],
    ['too many frames', Buffer.alloc(2 * (limits.packetFrames + 1), '0a00', 'hex'), 26],
    ['a frame over its size', frameOf(limits.frameBytes + 1), Code.FRAME_TOO_LARGE],
  ])('refuses %s', (_, packet, code) => {
    expect(refusalOf(() => framesOf(packet))).toBe(code)
  })

  test('stops where told to, and goes on from there', () => {
    const packet = Buffer.from('0a020801'.repeat(3), 'hex')
    const rest = scanPacket(packet, 0, packet.length, limits, () => false, undefined)
    expect(rest).toBe(4)
    const ids: number[] = []
    scanPacket(packet, rest, packet.length, limits, ({ id }) => ids.push(id) > 0, ids)
    expect(ids).toEqual([1, 1])
  })
})

test('a receipt written by hand is what the generated codec reads', () => {
  const facts = fc.record({
    status: fc.constantFrom(
      ...ReceiptStatusSchema.values.map(({ number }) => number as ReceiptStatus),
    ),
    id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    sockets: fc.nat(),
    sequence: fc.maxSafeNat(),
    epoch: fc.maxSafeNat(),
  })
  fc.assert(
    fc.property(fc.nat(), facts, (id, receipt) => {
      const writer = new PacketWriter(0)
      writer.receipt(id, { ...receipt, id: { bytes: Buffer.from(receipt.id), at: 0 } })
      const [frame] = fromBinary(PacketSchema, writer.whole()).frames
      const { sequence, epoch, ...rest } = receipt
      const value = { ...rest, sequence: BigInt(sequence), epoch: BigInt(epoch) }
      const expected = create(FrameSchema, { id, body: { case: 'receipt', value } })
      expect(frame && hexOf(FrameSchema, frame)).toBe(hexOf(FrameSchema, expected))
    }),
  )
})

/** The one encoding of a message, to compare by. */
function hexOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): string {
  return Buffer.from(toBinary(schema, message)).toString('hex')
}

function refusalOf(run: () => void): Code | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

/**
 * Ids by the generated codec; undefined where it refuses a body, which scanPacket leaves closed.
 */
function codecIds(packet: Buffer): number[] | undefined {
  try {
    return fromBinary(PacketSchema, packet).frames.map(({ id }) => id)
  } catch {
    return undefined
  }
}

function envelopeOf(size: Record<string, unknown>): Envelope {
  const n = (name: string) => Number(size[name] ?? 0)
  return create(EnvelopeSchema, {
    ...(size.stamp ? { stamp: {} } : {}),
    content: { case: 'payload', value: new Uint8Array(n('payload')) },
    headers: {
      ...Object.fromEntries(Array.from({ length: n('headers') }, (_, i) => [`h${i}`, ''])),
      ...(n('header') > 0 ? { big: 'x'.repeat(n('header')) } : {}),
    },
    routing: {
      to: n('address') > 0 ? ['x'.repeat(n('address'))] : Array(n('to')).fill('room:a/b'),
      idempotencyKey: 'k'.repeat(n('key')),
    },
  })
}

function frameOf(size: number): Buffer {
  return Buffer.from(
    new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(new Uint8Array(size)).finish(),
  )
}
