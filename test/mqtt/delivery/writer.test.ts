/** Messages of a room as PUBLISH, for all who share the bytes and for those who get their own. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import fc from 'fast-check'
import { type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { bodyOf, ownContent } from '../../../gateway/ingress/mqtt/delivery/content.ts'
import { mqtt4Lane, mqtt5Lane } from '../../../gateway/ingress/mqtt/delivery/lane.ts'
import { parcelOf, termsOf } from '../../../gateway/ingress/mqtt/delivery/parcel.ts'
import { publishBytes, sizeOf } from '../../../gateway/ingress/mqtt/delivery/publish-bytes.ts'
import { propertiesOf } from '../../../gateway/ingress/mqtt/mapping/published.ts'
import type { EnvelopeBody } from '../../../gateway/protocol/packet-writer.ts'
import { scanEnvelope } from '../../../gateway/protocol/scan-envelope.ts'
import { limits } from '../../support/limits.ts'

type EnvelopeInit = MessageInitShape<typeof EnvelopeSchema>

const NOW = 1_700_000_000_000

const word = fc.string({ unit: fc.constantFrom('a', 'ä', '/', '0'), minLength: 1, maxLength: 200 })
const sent = fc.record({
  channel: fc.constantFrom('', 'a', 'a/b', 'größe/x'),
  content: fc.oneof(
    fc.string().map((value) => ({ case: 'text' as const, value })),
    fc.uint8Array({ maxLength: 300 }).map((value) => ({ case: 'payload' as const, value })),
    fc.constant({ case: undefined }),
  ),
  contentType: fc.option(word, { nil: '' }),
  headers: fc.dictionary(word, word, { maxKeys: 3, noNullPrototype: true }),
  correlationId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 }), {
    nil: new Uint8Array(),
  }),
  expiresAfter: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { nil: 0 }),
  quality: fc.constantFrom(0, 1, 2, 3),
})
const terms = fc.record({
  qos: fc.constantFrom(0, 1, 2),
  dup: fc.boolean(),
  retain: fc.boolean(),
  messageId: fc.integer({ min: 1, max: 65_535 }),
  identifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 4 }),
  alias: fc.nat(65_535),
  knowsAlias: fc.boolean(),
})

function stampOf(channel: string) {
  return {
    id: { bytes: Buffer.alloc(16), at: 0 },
    from: Buffer.from('socket:a'),
    route: 1,
    channel: Buffer.from(channel),
    target: new Uint8Array(),
    sequence: 1,
    timeMs: NOW,
    epoch: 0,
    replay: 0,
  }
}

/** The body of an envelope with routing, which is cut out of it. */
function bodyFor({ channel, ...envelope }: { channel: string } & EnvelopeInit): EnvelopeBody {
  const init = { ...envelope, routing: { route: 1, channel } } as EnvelopeInit
  const bytes = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema, init)))
  return scanEnvelope(bytes, 0, bytes.length, limits)
}

function packetsIn(bytes: Buffer, protocolVersion: number): IPublishPacket[] {
  const packets: Packet[] = []
  const reader = parser({ protocolVersion })
  reader.on('packet', (packet) => packets.push(packet))
  reader.on('error', (error) => {
    throw error
  })
  expect(reader.parse(Buffer.from(bytes))).toBe(0)
  return packets as IPublishPacket[]
}

const topicOf = (channel: string) => (channel === '' ? 'acme/boiler' : `acme/boiler/${channel}`)
const content = (body: EnvelopeBody) => body.bytes.subarray(body.contentStart, body.contentEnd)

test.each([
  [4, mqtt4Lane],
  [5, mqtt5Lane],
] as const)('what MQTT %i reads is what was sent, whole and in parts', (version, lane) => {
  fc.assert(
    fc.property(fc.array(sent, { minLength: 1, maxLength: 8 }), fc.nat(8), (all, cut) => {
      const writer = lane.writer('acme/boiler')
      const wanted = all.map((each) => {
        const body = bodyFor(each)
        writer.envelope(body, stampOf(each.channel))
        const line = [topicOf(each.channel), Buffer.from(content(body)).toString('hex')]
        // The next read may lie in the same memory.
        body.bytes.fill(0xee)
        return line
      })
      const lines = (bytes: Buffer) =>
        packetsIn(bytes, version).map(({ topic, payload }) => [topic, payload.toString('hex')])
      const at = Math.min(cut, all.length)
      expect(lines(writer.whole())).toEqual(wanted)
      expect(lines(writer.part(0, at))).toEqual(wanted.slice(0, at))
      expect(lines(writer.part(at, all.length))).toEqual(wanted.slice(at))
      expect(writer.bytes).toBe(writer.whole().length)
      const sizes = all.map((_, i) => writer.part(i, i + 1).length)
      expect(writer.largest).toBe(Math.max(...sizes))
    }),
  )
})

test('a PUBLISH of its own has its terms, and all that the envelope has', () => {
  fc.assert(
    fc.property(sent, terms, fc.boolean(), (each, own, is5) => {
      const body = bodyFor(each)
      const writer = (is5 ? mqtt5Lane : mqtt4Lane).writer('acme/boiler')
      writer.envelope(bodyFor({ ...each, channel: 'x' }), stampOf('x'))
      writer.envelope(body, stampOf(each.channel))
      const { properties: fields } = propertiesOf(body)
      const { alias, knowsAlias, messageId, qos, ...rest } = own
      const given = { ...rest, dup: own.dup && qos > 0, qos: qos as 0 | 1 | 2, timeMs: NOW }
      const parcel = parcelOf(writer.content(1), given)
      const isKnown = is5 && knowsAlias && alias > 0
      const aliased = is5 ? { alias, knowsAlias: isKnown } : {}
      const how = { ...termsOf(parcel, messageId, is5, NOW), ...aliased }
      const bytes = publishBytes(parcel.content, how)
      expect(bytes.length).toBe(sizeOf(parcel.content, how))
      const [packet] = packetsIn(bytes, is5 ? 5 : 4)
      expect(packet).toMatchObject({
        topic: isKnown ? '' : topicOf(each.channel),
        payload: Buffer.from(content(body)),
        qos,
        dup: given.dup,
        retain: own.retain,
        ...(qos > 0 && { messageId }),
      })
      if (!is5) {
        expect(packet!.properties).toBeUndefined()
        return
      }
      expect(packet!.properties?.messageExpiryInterval ?? 0).toBe(each.expiresAfter)
      expect(packet!.properties?.topicAlias ?? 0).toBe(alias)
      const { subscriptionIdentifier = [] } = packet!.properties ?? {}
      expect([subscriptionIdentifier].flat()).toEqual(own.identifiers)
      expect(bytes.includes(fields)).toBe(true)
    }),
  )
})

test('a message in memory of its own is the envelope that came', () => {
  fc.assert(
    fc.property(sent, fc.boolean(), (each, is5) => {
      const writer = (is5 ? mqtt5Lane : mqtt4Lane).writer('acme/boiler')
      const body = bodyFor(each)
      const { channel: _, ...wanted } = each
      writer.envelope(body, stampOf(each.channel))
      body.bytes.fill(0xee)
      const own = ownContent(writer.content(0))
      writer.whole().fill(0xee)
      const kept = bodyOf(own)
      const bytes = Buffer.concat([
        kept.bytes.subarray(kept.start, kept.cutStart),
        kept.bytes.subarray(kept.cutEnd, kept.end),
      ])
      const read = fromBinary(EnvelopeSchema, new Uint8Array(bytes))
      expect(read).toEqual(create(EnvelopeSchema, wanted as never))
      expect(own.channel).toBe(each.channel)
      const { contentStart, contentEnd, content: field, quality, expiresAfter } = kept
      const scanned = scanEnvelope(bytes, 0, bytes.length, limits)
      expect({ field, quality, expiresAfter, contentStart, contentEnd }).toEqual({
        field: scanned.content,
        quality: scanned.quality,
        expiresAfter: scanned.expiresAfter,
        contentStart: scanned.contentStart,
        contentEnd: scanned.contentEnd,
      })
    }),
  )
})
