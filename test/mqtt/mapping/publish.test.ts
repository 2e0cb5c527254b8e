/** PUBLISH and envelopes, both ways: what one medium says, the other one hears. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Envelope, EnvelopeSchema, Quality } from '@porthouse/proto/v1/envelope'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { generate, type IConnectPacket, type IPublishPacket, parser } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import type { Properties } from '../../../gateway/ingress/mqtt/mapping/annex.ts'
import {
  envelopeOf,
  type Publication,
  type Routing,
} from '../../../gateway/ingress/mqtt/mapping/publish.ts'
import { propertiesOf } from '../../../gateway/ingress/mqtt/mapping/published.ts'
import { asksForStamp, stampProperties } from '../../../gateway/ingress/mqtt/mapping/stamp.ts'
import { Refusal } from '../../../gateway/protocol/codes.ts'
import { PacketWriter } from '../../../gateway/protocol/packet-writer.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../../gateway/protocol/scan-envelope.ts'
import { ownBody } from '../../../gateway/router/intake.ts'
import { field } from '../../support/bytes.ts'
import { limits } from '../../support/limits.ts'

const routing: Routing = { route: 7, channel: 'a/b', to: [], key: '', receipt: 2, retain: true }

/** Of MQTT: no NUL, and no half surrogates. */
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((each) => each.replaceAll('\0', ''))
const name = fc.oneof(text, fc.constantFrom('a', 'A', '1', '0', '', '__proto__', 'constructor'))
const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each))
const pairs = fc.array(fc.tuple(name, text), { maxLength: 6 })
const responseTopic = fc.constantFrom(
  'acme/boiler/answers',
  'acme/boiler',
  'ACME/x',
  'answers',
  'room:acme/boiler',
  'client:acme/me',
  'topic:x',
  '$porthouse/v1/message',
  '/',
  'a//b',
)

const properties: fc.Arbitrary<Properties> = fc.record(
  {
    contentType: text,
    responseTopic,
    correlationData: bytes,
    messageExpiryInterval: fc.integer({ min: 1, max: 0xffffffff }),
    userPairs: pairs,
  },
  { requiredKeys: [] },
)

const publications: fc.Arbitrary<Publication> = fc
  .record({
    content: fc.oneof(bytes, text),
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    properties: fc.option(properties, { nil: undefined }),
  })
  .map(({ content, qos, properties: given }) => {
    const isText = typeof content === 'string'
    return {
      payload: Buffer.from(content),
      qos,
      ...((given || isText) && {
        properties: { ...given, ...(isText && { payloadFormatIndicator: true }) },
      }),
    }
  })

const envelopes = fc
  .record({
    content: fc.oneof(
      bytes.map((value) => ({ case: 'payload', value }) as const),
      text.map((value) => ({ case: 'text', value }) as const),
    ),
    contentType: text,
    replyTo: fc.constantFrom(
      '',
      'room:acme/boiler',
      'room:acme/boiler/a/b',
      'client:acme/me',
      'socket:abcdefghijklmnop',
      'token:0192f7a0-5c3e-7d10-8c4b-aabbccddeeff/3',
      'topic:answers',
      'topic:+',
      'room:#',
      'not an address',
    ),
    correlationId: bytes,
    headers: fc.dictionary(name, text, { maxKeys: 5 }),
    expiresAfter: fc.integer({ min: 0, max: 0xffffffff }),
    quality: fc.integer({ min: 1, max: 3 }),
  })
  .map((fields) => create(EnvelopeSchema, fields as MessageInitShape<typeof EnvelopeSchema>))

/** What a v5 client reads of a delivery, and in which order its user properties come. */
function heardBy(body: Parameters<typeof propertiesOf>[0], qos: 0 | 1 | 2) {
  const { payload, properties: encoded } = propertiesOf(body)
  const read = parsed(payload, encoded, qos)
  return { ...read, userPairs: userPairsIn(encoded) }
}

/** As mqtt-packet, which is an implementation of its own, reads it. */
function parsed(payload: Buffer, encoded: Buffer, qos: 0 | 1 | 2): IPublishPacket {
  const topic = Buffer.from('acme/boiler')
  const rest = Buffer.concat([
    Buffer.from([0, topic.length]),
    topic,
    ...(qos > 0 ? [Buffer.from([0, 9])] : []),
    varint(encoded.length),
    encoded,
    payload,
  ])
  const reading = parser({ protocolVersion: 5 })
  let packet: IPublishPacket | undefined
  reading.on('packet', (each) => {
    packet = each as IPublishPacket
  })
  reading.on('error', (error) => {
    throw error
  })
  reading.parse(Buffer.concat([Buffer.from([0x30 | (qos << 1)]), varint(rest.length), rest]))
  if (!packet) throw new Error('not a whole packet')
  return packet
}

function varint(value: number): Buffer {
  const out: number[] = []
  let left = value
  for (; left >= 0x80; left >>>= 7) out.push((left & 0x7f) | 0x80)
  return Buffer.from([...out, left])
}

/** Names and values of the user properties, in their order. */
function userPairsIn(encoded: Buffer): [string, string][] {
  const found: [string, string][] = []
  let pos = 0
  const string = () => {
    const start = pos + 2
    pos = start + encoded.readUInt16BE(pos)
    return encoded.toString('utf8', start, pos)
  }
  while (pos < encoded.length) {
    const id = encoded[pos++]
    if (id === 0x01) pos += 1
    else if (id === 0x26) found.push([string(), string()])
    else string()
  }
  return found
}

/** What a WebSocket client decodes. */
function decoded(body: ScannedEnvelope): Envelope {
  const writer = new PacketWriter(0)
  writer.envelope(body, stamp)
  const [frame] = fromBinary(PacketSchema, writer.whole()).frames
  if (frame?.body.case !== 'envelope') throw new Error('no envelope')
  return frame.body.value
}

const stamp = {
  id: { bytes: Buffer.from('..0192f7a05c3e7d108c4baabbccddeeff', 'latin1'), at: 2 },
  from: Buffer.from('client:acme/me'),
  route: 7,
  channel: Buffer.from('a/b'),
  target: new Uint8Array(),
  sequence: 12,
  timeMs: 1_795_000_000_000,
  epoch: 0,
  replay: 0,
}

function refusalOf(run: () => unknown): Code {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  throw new Error('not refused')
}

function publishing(given: Properties, payload: string | Buffer = 'x') {
  return () => envelopeOf({ payload, qos: 1, properties: given }, routing, limits)
}

describe('a PUBLISH', () => {
  test('is the envelope that the scanner reads from the same in Protobuf', () => {
    fc.assert(
      fc.property(publications, (publication) => {
        const envelope = envelopeOf(publication, routing, limits)
        const scanned = scanEnvelope(envelope.bytes, 0, envelope.end, limits)
        const { typeStart, typeEnd, ...rest } = scanned
        expect(envelope).toMatchObject({ ...rest, ...routing })
        expect(Object.keys(envelope)).toEqual(Object.keys(scanned))
        expect(envelope.bytes.toString('hex', envelope.typeStart, envelope.typeEnd)).toBe(
          envelope.bytes.toString('hex', typeStart, typeEnd),
        )
      }),
    )
  })

  test('is decoded by the generated codec', () => {
    fc.assert(
      fc.property(publications, (publication) => {
        const { payload, qos = 0, properties: given } = publication
        const envelope = decoded(envelopeOf(publication, routing, limits))
        expect(envelope.content.case).toBe(given?.payloadFormatIndicator ? 'text' : 'payload')
        expect(Buffer.from(envelope.content.value as string)).toEqual(payload)
        expect(envelope.contentType).toBe(given?.contentType ?? '')
        expect(Buffer.from(envelope.correlationId)).toEqual(
          given?.correlationData ?? Buffer.alloc(0),
        )
        expect(envelope.expiresAfter).toBe(given?.messageExpiryInterval ?? 0)
        expect(envelope.quality).toBe(Quality.AT_MOST_ONCE + qos)
        const headers = new Map(given?.userPairs)
        expect(new Map(Object.entries(envelope.headers))).toEqual(headers)
      }),
    )
  })

  test('comes out as it came in, its user properties in their order', () => {
    fc.assert(
      fc.property(publications, fc.boolean(), (publication, isKept) => {
        const { payload, qos = 0, properties: given = {} } = publication
        const envelope = envelopeOf(publication, routing, limits)
        const body = isKept ? ownBody(envelope) : envelope
        const { userPairs = [], messageExpiryInterval, ...single } = given
        const heard = heardBy(body, qos)
        const { userProperties: _same, ...properties } = heard.properties ?? {}
        expect(heard.payload).toEqual(payload)
        expect(properties).toEqual(single)
        expect(heard.userPairs).toEqual(userPairs)
        expect(propertiesOf(body)).toMatchObject({
          expiresAfter: messageExpiryInterval ?? 0,
          quality: Quality.AT_MOST_ONCE + qos,
        })
      }),
    )
  })

  test('of mqtt-packet has its repeated user properties repeated', () => {
    const packet: IPublishPacket = {
      cmd: 'publish',
      topic: 'acme/boiler',
      payload: 'x',
      qos: 0,
      dup: false,
      retain: false,
      properties: { userProperties: { a: ['1', '2'], b: '3' } },
    }
    const reading = parser({ protocolVersion: 5 })
    reading.on('packet', (parsedPacket) => {
      const heard = heardBy(envelopeOf(parsedPacket as IPublishPacket, routing, limits), 0)
      expect(heard.userPairs).toEqual([
        ['a', '1'],
        ['a', '2'],
        ['b', '3'],
      ])
    })
    reading.parse(generate(packet, { protocolVersion: 5 }))
    expect.assertions(1)
  })

  test('without properties is content, quality and whether it is retained', () => {
    const hex = (retain: boolean) =>
      envelopeOf({ payload: 'hi', qos: 0 }, { ...routing, retain }, limits).bytes.toString('hex')
    expect(hex(false)).toBe('1a026869' + '5001')
    expect(hex(true)).toBe('1a026869' + '5001' + '5801')
  })

  test('that is empty says so, in text as in bytes', () => {
    const kinds = [undefined, { payloadFormatIndicator: true }]
    for (const given of kinds) {
      const envelope = envelopeOf({ payload: '', properties: given }, routing, limits)
      expect(envelope.contentEnd).toBe(envelope.contentStart)
      expect(decoded(envelope).content.case).toBe(given ? 'text' : 'payload')
      expect(heardBy(envelope, 0).properties).toEqual(given)
    }
  })

  test('that is a will is one all the same', () => {
    const will: NonNullable<IConnectPacket['will']> = {
      topic: 'acme/boiler',
      payload: 'gone',
      qos: 1,
      properties: { willDelayInterval: 5, contentType: 'text/plain', payloadFormatIndicator: true },
    }
    const envelope = decoded(envelopeOf(will, routing, limits))
    expect(envelope.content).toEqual({ case: 'text', value: 'gone' })
    expect(envelope.contentType).toBe('text/plain')
    expect(envelope.quality).toBe(Quality.AT_LEAST_ONCE)
  })

  test('that is worth nothing at once is worth something for a second', () => {
    expect(publishing({ messageExpiryInterval: 0 })().expiresAfter).toBe(1)
  })
})

describe('an envelope', () => {
  test('is the same after it was a PUBLISH', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const encoded = toBinary(EnvelopeSchema, envelope)
        const body = scanEnvelope(Buffer.from(encoded), 0, encoded.length, limits)
        const { expiresAfter, quality } = propertiesOf(body)
        const { payload, properties: heard, userPairs } = heardBy(body, 1)
        const again = envelopeOf(
          {
            payload,
            qos: (quality - Quality.AT_MOST_ONCE) as 0 | 1 | 2,
            properties: {
              ...heard,
              userPairs,
              ...(expiresAfter > 0 && { messageExpiryInterval: expiresAfter }),
            },
          },
          { ...routing, retain: body.retained },
          limits,
        )
        const { stamp: _stamped, ...rest } = decoded(again)
        expect(Buffer.from(toBinary(EnvelopeSchema, rest)).toString('hex')).toBe(
          Buffer.from(encoded).toString('hex'),
        )
      }),
    )
  })

  test('is read on both sides of its routing', () => {
    const body = (number: number, value: string) => field(number, value)
    const sent = Buffer.concat([
      field(5, field(1, 'b'), field(2, '1')),
      body(4, 'text/old'),
      field(1, field(2, 'channel')),
      body(4, 'text/plain'),
      field(99, 'unknown'),
      field(5, field(2, 'before its name'), field(1, 'a'), field(9, 'unknown')),
      field(5, field(2, 'nameless')),
      field(5, field(1, 'b'), field(2, '2')),
      field(6, 'hi'),
    ])
    const heard = heardBy(scanEnvelope(sent, 0, sent.length, limits), 2)
    expect(heard.payload.toString()).toBe('hi')
    expect(heard.properties).toMatchObject({
      payloadFormatIndicator: true,
      contentType: 'text/plain',
    })
    expect(heard.userPairs).toEqual([
      ['b', '1'],
      ['a', 'before its name'],
      ['', 'nameless'],
      ['b', '2'],
    ])
  })

  const heardOf = (fields: MessageInitShape<typeof EnvelopeSchema>, bounds = limits) => {
    const encoded = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema, fields)))
    return heardBy(scanEnvelope(encoded, 0, encoded.length, bounds), 0)
  }

  test('brings no subscriber what ends his connection', () => {
    const long = 'x'.repeat(65_536)
    const wide = { ...limits, headersBytes: 1_000_000, headers: 100 }
    const headers = { 'a\0': '1', b: '\0', [long]: '1', c: long, d: 'x'.repeat(65_535), e: '' }
    const heard = heardOf({ headers, contentType: 'text\0', replyTo: 'topic:\0' }, wide)
    expect(heard.properties?.contentType).toBeUndefined()
    expect(heard.properties?.responseTopic).toBeUndefined()
    expect(heard.userPairs.map(([each]) => each)).toEqual(['d', 'e'])
    for (const replyTo of ['topic:a/#', 'topic:+', 'topic:', 'room:acme/boiler/#', 'room:']) {
      expect(heardOf({ replyTo }).properties?.responseTopic).toBeUndefined()
    }
  })

  test('cannot say who sent it in the words of the stamp', () => {
    const headers = {
      'porthouse-from': 'client:acme/boss',
      'Porthouse-From': 'client:acme/boss',
      'PORTHOUSE-x': '1',
      'porthouse-key': 'k',
      porthouse: 'plain',
    }
    expect(heardOf({ headers }).userPairs).toEqual([['porthouse', 'plain']])
  })
})

describe('the words of the mapping among user properties', () => {
  test('are taken out and mean what the routing means', () => {
    const userProperties = {
      'porthouse-key': 'once',
      a: 'b',
      'porthouse-acting': 'client:acme/me',
      'porthouse-reply-to': 'client:acme/me',
    }
    const envelope = publishing({ userProperties })()
    expect(envelope).toMatchObject({ key: 'once', acting: 'client:acme/me' })
    expect(decoded(envelope)).toMatchObject({ headers: { a: 'b' }, replyTo: 'client:acme/me' })
    expect(heardBy(envelope, 1).userPairs).toEqual([
      ['porthouse-reply-to', 'client:acme/me'],
      ['a', 'b'],
    ])
  })

  test('leave the key that the connection has chosen where they say none', () => {
    const own = { ...routing, key: 'of the packet' }
    expect(envelopeOf({ payload: 'x', qos: 2 }, own, limits).key).toBe('of the packet')
  })

  test.each([
    ['a stamp', { 'porthouse-from': 'client:acme/boss' }, Code.RESERVED_FIELD],
    ['another case', { 'Porthouse-Key': 'k' }, Code.RESERVED_FIELD],
    ['no word at all', { 'porthouse-': '' }, Code.RESERVED_FIELD],
    ['a key twice', { 'porthouse-key': ['a', 'a'] }, Code.MALFORMED_PACKET],
    ['a long key', { 'porthouse-key': 'ü'.repeat(65) }, Code.NAME_TOO_LONG],
    ['a long name', { 'porthouse-acting': 'x'.repeat(513) }, Code.NAME_TOO_LONG],
    ['a long address', { 'porthouse-reply-to': 'x'.repeat(513) }, Code.NAME_TOO_LONG],
  ])('are refused: %s', (_, userProperties, code) => {
    expect(refusalOf(publishing({ userProperties }))).toBe(code)
  })

  test('name one place to answer to, or the response topic does', () => {
    const userProperties = { 'porthouse-reply-to': 'client:acme/me' }
    const both = publishing({ userProperties, responseTopic: 'acme/boiler' })
    expect(refusalOf(both)).toBe(Code.MALFORMED_PACKET)
  })
})

describe('a PUBLISH over a limit is refused as its envelope is', () => {
  const tight = { ...limits, payloadBytes: 4, headers: 2, headersBytes: 6 }
  const sending =
    (given: Properties, payload = 'x') =>
    () =>
      envelopeOf({ payload, properties: given }, routing, tight)

  test.each([
    ['a payload', sending({}, '12345'), Code.PAYLOAD_TOO_LARGE],
    ['a content type', sending({ contentType: 'x'.repeat(129) }), Code.NAME_TOO_LONG],
    ['correlation data', sending({ correlationData: Buffer.alloc(129) }), Code.NAME_TOO_LONG],
    ['a response topic', sending({ responseTopic: 'x'.repeat(65_535) }), Code.NAME_TOO_LONG],
    ['many', sending({ userProperties: { a: ['', '', ''] } }), Code.HEADERS_TOO_LARGE],
    ['long', sending({ userProperties: { ab: 'cdefü' } }), Code.HEADERS_TOO_LARGE],
    [
      'no UTF-8',
      publishing({ payloadFormatIndicator: true }, Buffer.from([0xed, 0xa0, 0x80])),
      Code.INVALID_UTF8,
    ],
  ])('%s', (_, run, code) => expect(refusalOf(run)).toBe(code))

  test('and at the limits it is not', () => {
    const given = {
      contentType: 'x'.repeat(128),
      correlationData: Buffer.alloc(128),
      userProperties: { ab: 'cd', e: 'f' },
    }
    expect(decoded(sending(given, '1234')()).headers).toEqual({ ab: 'cd', e: 'f' })
  })
})

describe('the stamp', () => {
  test('comes as user properties', () => {
    const encoded = stampProperties({ ...stamp, epoch: 5, replay: 3 })
    const uuid = '30313932-6637-6130-3563-336537643130'
    expect(userPairsIn(encoded)).toEqual([
      ['porthouse-id', uuid],
      ['porthouse-from', 'client:acme/me'],
      ['porthouse-sequence', '12'],
      ['porthouse-epoch', '5'],
      ['porthouse-time', '1795000000000'],
      ['porthouse-replay', 'retained'],
    ])
    const bare = { ...stamp, from: new Uint8Array(), sequence: 0 }
    expect(userPairsIn(stampProperties(bare)).map(([each]) => each)).toEqual([
      'porthouse-id',
      'porthouse-time',
    ])
  })

  test.each([
    [{ 'porthouse-stamp': '1' }, true],
    [{ 'porthouse-stamp': '0' }, false],
    [{ 'porthouse-stamp': ['1', '1'] }, false],
    [{}, false],
    [undefined, false],
  ])('%j asks for it: %s', (userProperties, asks) => {
    expect(asksForStamp(userProperties)).toBe(asks)
  })
})
