/** What the specification forbids, as bytes, and the reason that each is refused with. */
import type { Packet } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import type { Version } from '../../../gateway/ingress/mqtt/wire/kind.ts'
import { MqttError } from '../../../gateway/ingress/mqtt/wire/mqtt-error.ts'
import { PacketReader } from '../../../gateway/ingress/mqtt/wire/reader.ts'
import { connect, number, packet, properties, reading, text, VERSIONS } from './bytes.ts'

/** What, and the packet; 0x81 where no other reason stands. */
type Row = readonly [what: string, bytes: Buffer, reason?: number]

/** The variable header of a CONNECT up to its flags, and what stands behind them. */
const MQTT = text('MQTT')
const V3 = `${text('MQIsdp')}03`
const V4 = `${MQTT}04`
const V5 = `${MQTT}05`
const KEEP = '003c'
/** Keep alive, no properties, the client id. */
const V5_TAIL = `${KEEP}00${text('d')}`
const V4_TAIL = `${KEEP}${text('d')}`

const connectV5 = (...list: string[]) =>
  packet(0x10, V5, '02', KEEP, properties(...list), text('d'))
const connectWill = (...list: string[]) =>
  packet(0x10, V5, '06', V5_TAIL, properties(...list), text('w'), text('gone'))

/** Strings that no packet may hold (M6), and what is wrong with each. */
const BAD_TEXTS: readonly (readonly [string, Buffer])[] = [
  ['U+0000', Buffer.from('a\0b')],
  ['a lone 0xFF', Buffer.from([0x61, 0xff])],
  ['an overlong slash', Buffer.from([0xc0, 0xaf])],
  ['an overlong U+0000', Buffer.from([0xc0, 0x80])],
  ['a surrogate, U+D800', Buffer.from([0xed, 0xa0, 0x80])],
  ['a surrogate, U+DFFF', Buffer.from([0xed, 0xbf, 0xbf])],
  ['a pair of surrogates', Buffer.from([0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80])],
  ['beyond U+10FFFF', Buffer.from([0xf4, 0x90, 0x80, 0x80])],
  ['a character cut short', Buffer.from([0x61, 0xe2, 0x82])],
  ['a character continued', Buffer.from([0x80, 0x61])],
]

function expectRefused({ reader }: ReturnType<typeof reading>, bytes: Buffer, reason: number) {
  let thrown: unknown
  try {
    reader.read(bytes)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(MqttError)
  expect(thrown).toMatchObject({ reason, detail: expect.stringMatching(/^\w.{4,}[^.]$/) })
  expect(reader.held).toBe(0)
}

function refused(version: Version | undefined, rows: readonly Row[]) {
  const full = rows.map(([what, bytes, reason = 0x81]) => [what, bytes, reason] as const)
  test.each(full)('%s', (_, bytes, reason) => {
    const it = reading(version)
    expectRefused(it, bytes, reason)
    expect(it.packets).toEqual([])
    // Nothing that comes behind it is read.
    it.reader.read(packet(0xc0))
    it.reader.read(connect(version ?? 4))
    expect(it.packets).toEqual([])
  })
}

describe('CONNECT', () => {
  refused(undefined, [
    ['another packet first', packet(0xc0), 0x82],
    ['PUBLISH first', packet(0x30, text('a/b')), 0x82],
    ['AUTH first', packet(0xf0), 0x82],
    ['a reserved type first', packet(0x00), 0x82],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 0x82],
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex')],
    ['flags in its header', packet(0x11, V4, '02', V4_TAIL)],
    ['DUP in its header', packet(0x18, V4, '02', V4_TAIL)],
    ['level 99', packet(0x10, MQTT, '63', '02', V4_TAIL), 0x84],
    ['level 0', packet(0x10, MQTT, '00', '02', V4_TAIL), 0x84],
    ['level 6', packet(0x10, MQTT, '06', '02', V5_TAIL), 0x84],
    ["a bridge's level", packet(0x10, MQTT, '84', '02', V4_TAIL), 0x84],
    ['the name of 3.1 with the level of 3.1.1', packet(0x10, text('MQIsdp'), '04', '02'), 0x84],
    ['the name of 3.1.1 with the level of 3.1', packet(0x10, MQTT, '03', '02'), 0x84],
    ['another name', packet(0x10, text('MQTTX'), '04', '02', V4_TAIL), 0x84],
    ['the name in small letters', packet(0x10, text('mqtt'), '04', '02', V4_TAIL), 0x84],
    ['an empty name', packet(0x10, text(''), '04', '02', V4_TAIL), 0x84],
    ['nothing', packet(0x10)],
    ['a name cut short', packet(0x10, '0004 4d51')],
    ['no level', packet(0x10, MQTT)],
    ['no flags', packet(0x10, V4)],
    ['no keep alive', packet(0x10, V4, '02')],
    ['no client id', packet(0x10, V4, '02', KEEP)],
    ['the reserved flag, 3.1', packet(0x10, V3, '03', V4_TAIL)],
    ['the reserved flag, 3.1.1', packet(0x10, V4, '03', V4_TAIL)],
    ['the reserved flag, 5', packet(0x10, V5, '03', V5_TAIL)],
    ['will QoS 3', packet(0x10, V4, '1e', V4_TAIL, text('w'), text('gone'))],
    ['will QoS 3, without a will', packet(0x10, V4, '1a', V4_TAIL)],
    ['will QoS 1, without a will', packet(0x10, V4, '0a', V4_TAIL)],
    ['will retained, without a will', packet(0x10, V4, '22', V4_TAIL)],
    ['a password without a user name, 3.1', packet(0x10, V3, '42', V4_TAIL, text('p'))],
    ['a password without a user name, 3.1.1', packet(0x10, V4, '42', V4_TAIL, text('p'))],
    ['a user name that is not there', packet(0x10, V4, '82', V4_TAIL)],
    ['a password that is not there', packet(0x10, V4, 'c2', V4_TAIL, text('u'))],
    ['a will that is not there', packet(0x10, V4, '06', V4_TAIL)],
    ['a will without a payload', packet(0x10, V4, '06', V4_TAIL, text('w'))],
    ['a client id longer than the packet', packet(0x10, V4, '02', KEEP, 'ffff 61')],
    ['bytes behind', packet(0x10, V4, '02', V4_TAIL, '00')],
    ['an empty client id, 3.1', packet(0x10, V3, '02', KEEP, text('')), 0x85],
    ['an empty client id, 3.1.1, session kept', packet(0x10, V4, '00', KEEP, text('')), 0x85],
    ['a will without a topic', packet(0x10, V4, '06', V4_TAIL, text(''), text('gone'))],
    ['a will to a/+', packet(0x10, V4, '06', V4_TAIL, text('a/+'), text('gone'))],
    ['a will to a/#', packet(0x10, V4, '06', V4_TAIL, text('a/#'), text('gone'))],
    ['a will to a#b', packet(0x10, V4, '06', V4_TAIL, text('a#b'), text('gone'))],
    ['over 64 KiB', packet(0x10, V4, '02', KEEP, text('x'.repeat(65_535))), 0x95],
  ])

  describe.each(BAD_TEXTS)('with %s in', (_, bad) => {
    refused(undefined, [
      ['the client id', packet(0x10, V4, '02', KEEP, text(bad))],
      ['the user name', packet(0x10, V4, '82', V4_TAIL, text(bad))],
      ['the will topic', packet(0x10, V4, '06', V4_TAIL, text(bad), text('gone'))],
      ['the name of a user property', connectV5('26', text(bad), text('v'))],
      ['the value of a user property', connectV5('26', text('n'), text(bad))],
      ['the authentication method', connectV5('15', text(bad))],
      ["the will's content type", connectWill('03', text(bad))],
      ["the will's response topic", connectWill('08', text(bad))],
    ])
  })

  describe('its properties', () => {
    refused(undefined, [
      ['a size over the packet', packet(0x10, V5, '02', KEEP, '7f', text('d'))],
      ['a size of five bytes', packet(0x10, V5, '02', KEEP, '8080808001', text('d'))],
      ['a size longer than it needs', packet(0x10, V5, '02', KEEP, '8000', text('d'))],
      ['an identifier of 0', connectV5('00 01')],
      ['an unknown one', connectV5('7e 01')],
      ['one of PUBLISH', connectV5('01 01')],
      ['one of CONNACK', connectV5('24 01')],
      ['one of the will', connectV5('18 00000001')],
      ['a value cut short by the size', connectV5('11 0000')],
      ['a value that reaches beyond the size', packet(0x10, V5, '02', KEEP, '0311 0000 0001')],
      ['session expiry twice', connectV5('11 00000000', '11 00000000'), 0x82],
      ['receive maximum twice', connectV5('21 0001', '21 0001'), 0x82],
      ['a flag twice, as 0', connectV5('17 00', '17 00'), 0x82],
      ['the method twice', connectV5('15', text('a'), '15', text('a')), 0x82],
      ['the data twice', connectV5('15', text('a'), '16 0000', '16 0000'), 0x82],
      ['receive maximum 0', connectV5('21 0000'), 0x82],
      ['maximum packet size 0', connectV5('27 00000000'), 0x82],
      ['request problem information 2', connectV5('17 02'), 0x82],
      ['request response information 255', connectV5('19 ff'), 0x82],
      ['authentication data without a method', connectV5('16', text('x')), 0x82],
      ['a will property of PUBLISH', connectWill('23 0001')],
      ['a will property of CONNECT', connectWill('11 00000001')],
      ['will delay twice', connectWill('18 00000001', '18 00000001'), 0x82],
      ['a format of 2', connectWill('01 02'), 0x82],
      ['a response topic with +', connectWill('08', text('a/+')), 0x82],
      ['a response topic with #', connectWill('08', text('#')), 0x82],
      ['an empty response topic', connectWill('08', text('')), 0x82],
      [
        'a will that is not the UTF-8 it says',
        packet(0x10, V5, '06', V5_TAIL, properties('01 01'), text('w'), '0001 ff'),
        0x99,
      ],
      [
        'too many user properties',
        connectV5(...Array.from({ length: 4_097 }, () => `26${text('')}${text('')}`)),
        0x95,
      ],
    ])
  })

  test.each(VERSIONS)('a second one, of version %i, ends it', (version) => {
    expectRefused(reading(version), connect(version), 0x82)
  })

  test('tells the version for the answer, even if the rest of it is wrong', () => {
    const { reader } = reading()
    expect(reader.version).toBe(4)
    expectRefused({ reader, packets: [] }, connectV5('21 0000'), 0x82)
    expect(reader.version).toBe(5)
    const unknown = reading()
    expectRefused(unknown, packet(0x10, MQTT, '63', '02', V4_TAIL), 0x84)
    expect(unknown.reader.version).toBe(4)
  })

  test.each([
    ['an empty client id and a clean session, 3.1.1', packet(0x10, V4, '02', KEEP, text(''))],
    ['an empty client id and a kept session, 5', packet(0x10, V5, '00', KEEP, '00', text(''))],
    ['a password without a user name, 5', packet(0x10, V5, '42', V5_TAIL, text('p'))],
    ['empty credentials', packet(0x10, V4, 'c2', V4_TAIL, text(''), text(''))],
    ['an empty will', packet(0x10, V4, '06', V4_TAIL, text('w'), '0000')],
    ['a receive maximum of 1', connectV5('21 0001')],
    ['a topic alias maximum of 0', connectV5('22 0000')],
    ['an expiry of never', connectV5('11 ffffffff')],
    ['a method without data', connectV5('15', text('ed25519'))],
  ])('%s is taken', (_, bytes) => {
    const { reader, packets } = reading()
    reader.read(bytes)
    expect(packets).toMatchObject([{ cmd: 'connect' }])
  })
})

describe.each(VERSIONS)('framing, version %i', (version) => {
  refused(version, [
    ['a remaining length of five bytes', Buffer.from('308080808001', 'hex')],
    ['a remaining length that never ends', Buffer.from('30ffffffff', 'hex')],
    ['256 MiB declared', Buffer.from('30ffffff7f', 'hex'), 0x95],
    ['one byte over the size', Buffer.from('30ffff3f', 'hex'), 0x95],
    ['type 0', packet(0x00)],
    ['CONNACK', packet(0x20, '0000'), 0x82],
    ['SUBACK', packet(0x90, '0001 00'), 0x82],
    ['UNSUBACK', packet(0xb0, '0001'), 0x82],
    ['PINGRESP', packet(0xd0), 0x82],
    ['PINGREQ with a body', packet(0xc0, '00')],
    ['PINGREQ with flags', packet(0xc1)],
    ['PUBACK with flags', packet(0x42, '0001')],
    ['PUBREC with flags', packet(0x51, '0001')],
    ['PUBREL without its flag', packet(0x60, '0001')],
    ['PUBREL with more flags', packet(0x63, '0001')],
    ['PUBCOMP with flags', packet(0x78, '0001')],
    ['SUBSCRIBE without its flag', packet(0x80, '0001', text('a/b'), '00')],
    ['UNSUBSCRIBE without its flag', packet(0xa0, '0001', text('a/b'))],
    ['DISCONNECT with flags', packet(0xe1)],
    ['PUBLISH of QoS 3', packet(0x36, text('a/b'), '0001')],
    ['PUBLISH of QoS 3, again', packet(0x3e, text('a/b'), '0001')],
    ['PUBLISH of QoS 0, again', packet(0x38, text('a/b'))],
  ])

  if (version > 3) {
    refused(version, [
      ['PUBREL as sent again', packet(0x6a, '0001')],
      ['SUBSCRIBE as sent again', packet(0x8a, '0001', text('a/b'), '00')],
    ])
  }
  if (version < 5) refused(version, [['AUTH', packet(0xf0)]])
})

describe.each(VERSIONS)('version %i', (version) => {
  /** An empty list of properties, where the version has them. */
  const none = version === 5 ? '00' : ''

  refused(version, [
    ['PUBLISH of nothing', packet(0x30)],
    ['PUBLISH with a topic cut short', packet(0x30, '0005 61')],
    ['PUBLISH to a/+', packet(0x30, text('a/+'), none)],
    ['PUBLISH to #', packet(0x30, text('#'), none)],
    ['PUBLISH to a#b', packet(0x30, text('a#b'), none)],
    ['PUBLISH without a topic', packet(0x30, text(''), none), version === 5 ? 0x82 : 0x81],
    ['PUBLISH without its identifier', packet(0x32, text('a/b'))],
    ['PUBLISH with half an identifier', packet(0x32, text('a/b'), '00')],
    ['PUBLISH with identifier 0', packet(0x32, text('a/b'), '0000', none)],
    ['PUBLISH with identifier 0, QoS 2', packet(0x34, text('a/b'), '0000', none)],
    ...[0x40, 0x50, 0x62, 0x70].flatMap((first): Row[] => [
      [`0x${first.toString(16)} of nothing`, packet(first)],
      [`0x${first.toString(16)} of half an identifier`, packet(first, '00')],
      [`0x${first.toString(16)} with identifier 0`, packet(first, '0000')],
      [`0x${first.toString(16)} with more behind`, packet(first, '0001 00 00 00')],
    ]),
    ['SUBSCRIBE of nothing', packet(0x82)],
    ['SUBSCRIBE without a filter', packet(0x82, '0001', none), 0x82],
    ['SUBSCRIBE with identifier 0', packet(0x82, '0000', none, text('a/b'), '00')],
    ['SUBSCRIBE with an empty filter', packet(0x82, '0001', none, text(''), '00')],
    ['SUBSCRIBE with a filter cut short', packet(0x82, '0001', none, '0009 61')],
    ['SUBSCRIBE without options', packet(0x82, '0001', none, text('a/b'))],
    ['SUBSCRIBE with half a second filter', packet(0x82, '0001', none, text('a/b'), '00 00')],
    [
      'SUBSCRIBE of QoS 3',
      packet(0x82, '0001', none, text('a/b'), '03'),
      version === 5 ? 0x82 : 0x81,
    ],
    ['SUBSCRIBE with a reserved bit', packet(0x82, '0001', none, text('a/b'), '40')],
    ['SUBSCRIBE with all bits', packet(0x82, '0001', none, text('a/b'), 'ff')],
    ['SUBSCRIBE with a bad second', packet(0x82, '0001', none, text('a'), '00', text(''), '00')],
    ['SUBSCRIBE to too many', packet(0x82, '0001', none, `${text('a')}00`.repeat(4_097)), 0x97],
    ['UNSUBSCRIBE of nothing', packet(0xa2)],
    ['UNSUBSCRIBE without a filter', packet(0xa2, '0001', none), 0x82],
    ['UNSUBSCRIBE with identifier 0', packet(0xa2, '0000', none, text('a/b'))],
    ['UNSUBSCRIBE with an empty filter', packet(0xa2, '0001', none, text(''))],
    ['UNSUBSCRIBE with a filter cut short', packet(0xa2, '0001', none, '0009 61')],
    ['UNSUBSCRIBE of too many', packet(0xa2, '0001', none, text('a').repeat(4_097)), 0x97],
  ])

  describe.each(BAD_TEXTS)('with %s in', (_, bad) => {
    refused(version, [
      ['a topic', packet(0x30, text(bad), none)],
      ['a filter to hear', packet(0x82, '0001', none, text(bad), '00')],
      ['a filter to hear no more', packet(0xa2, '0001', none, text(bad))],
    ])
  })

  if (version === 5) return
  refused(version, [
    ['SUBSCRIBE with options of MQTT 5', packet(0x82, '0001', text('a/b'), '04')],
    ['DISCONNECT with a body', packet(0xe0, '00')],
  ])
})

describe('MQTT 5', () => {
  const publish = (...list: string[]) => packet(0x30, text('a/b'), properties(...list))
  const subscribe = (list: string, filter: string, options: string) =>
    packet(0x82, '0001', list, text(filter), options)

  refused(5, [
    ['a remaining length longer than it needs', Buffer.from('c08000', 'hex')],
    ['PUBLISH without the size of its properties', packet(0x30, text('a/b'))],
    ['PUBLISH with a size beyond the packet', packet(0x30, text('a/b'), '05 01')],
    ['PUBLISH with alias 0', publish('23 0000'), 0x94],
    ['PUBLISH with alias 0 and no topic', packet(0x30, text(''), properties('23 0000')), 0x94],
    ['PUBLISH with two aliases', publish('23 0001', '23 0002'), 0x82],
    ['PUBLISH with two expiries', publish('02 00000001', '02 00000001'), 0x82],
    ['PUBLISH with two formats', publish('01 00', '01 00'), 0x82],
    ['PUBLISH with two content types', publish('03 0000', '03 0000'), 0x82],
    ['PUBLISH with two correlations', publish('09 0000', '09 0000'), 0x82],
    ['PUBLISH with two response topics', publish('08', text('a'), '08', text('a')), 0x82],
    ['PUBLISH with a format of 2', publish('01 02'), 0x82],
    ['PUBLISH with an identifier of a subscription', publish('0b 01'), 0x82],
    ['PUBLISH with one of 0', publish('0b 00'), 0x82],
    ['PUBLISH with a response topic a/+', publish('08', text('a/+')), 0x82],
    ['PUBLISH with an empty response topic', publish('08 0000'), 0x82],
    ['PUBLISH with a property of CONNECT', publish('11 00000001')],
    ['PUBLISH with a reason', publish('1f', text('because'))],
    ['PUBLISH with half a user property', publish('26', text('name'))],
    [
      'PUBLISH with too many user properties',
      publish(`26${text('')}${text('')}`.repeat(4_097)),
      0x95,
    ],
    ['PUBACK with an unknown reason', packet(0x40, '0001 42')],
    ['PUBACK with a reason of PUBREL', packet(0x40, '0001 92')],
    ['PUBREC with a reason of DISCONNECT', packet(0x50, '0001 8e')],
    ['PUBREL with a reason of PUBACK', packet(0x62, '0001 10')],
    ['PUBCOMP with a reason of PUBACK', packet(0x70, '0001 80')],
    ['PUBACK with a size beyond the packet', packet(0x40, '0001 00 05')],
    ['PUBACK with two reasons', packet(0x40, '0001 00', properties('1f 0000', '1f 0000')), 0x82],
    ['PUBACK with a topic alias', packet(0x40, '0001 00', properties('23 0001'))],
    ['SUBSCRIBE with retain handling 3', subscribe('00', 'a/b', '30'), 0x82],
    ['SUBSCRIBE with reserved bits', subscribe('00', 'a/b', 'c0')],
    ['SUBSCRIBE shared, no local', subscribe('00', '$share/g/a/b', '04'), 0x82],
    ['SUBSCRIBE with identifier 0', subscribe(properties('0b 00'), 'a/b', '00'), 0x82],
    ['SUBSCRIBE with two identifiers', subscribe(properties('0b 01', '0b 02'), 'a/b', '00'), 0x82],
    ['SUBSCRIBE with an endless identifier', subscribe(properties('0b ffffffff01'), 'a', '00')],
    ['SUBSCRIBE with a reason', subscribe(properties('1f 0000'), 'a/b', '00')],
    ['UNSUBSCRIBE with an identifier', packet(0xa2, '0001', properties('0b 01'), text('a'))],
    ['DISCONNECT with an unknown reason', packet(0xe0, '42')],
    ['DISCONNECT with a reason of the server', packet(0xe0, '8e')],
    ['DISCONNECT with bytes behind', packet(0xe0, '00 00 00')],
    [
      'DISCONNECT with two expiries',
      packet(0xe0, '00', properties('1100000000', '1100000000')),
      0x82,
    ],
    ['DISCONNECT with a method', packet(0xe0, '00', properties('15', text('a')))],
    ['AUTH of nothing', packet(0xf0), 0x82],
    ['AUTH with a reason alone', packet(0xf0, '18'), 0x82],
    ['AUTH without a method', packet(0xf0, '18', properties('16', text('x'))), 0x82],
    ['AUTH that says success', packet(0xf0, '00', properties('15', text('a')))],
    ['AUTH with an unknown reason', packet(0xf0, '1a', properties('15', text('a')))],
    ['AUTH with two methods', packet(0xf0, '18', properties('150000', '150000')), 0x82],
    ['AUTH with bytes behind', packet(0xf0, '18', properties('15', text('a')), '00')],
  ])

  describe.each(BAD_TEXTS)('with %s in', (_, bad) => {
    refused(5, [
      ['the name of a user property', publish('26', text(bad), text('v'))],
      ['the value of a user property', publish('26', text('n'), text(bad))],
      ['a content type', publish('03', text(bad))],
      ['a response topic', publish('08', text(bad))],
      ['a reason', packet(0x40, '0001 00', properties('1f', text(bad)))],
      ['a reason to go', packet(0xe0, '00', properties('1f', text(bad)))],
      ['a method', packet(0xf0, '18', properties('15', text(bad)))],
    ])
  })
})

describe('sizes', () => {
  test('a packet as large as is taken is read', () => {
    const body = text('a/b') + '00'.repeat(1_000)
    const bytes = packet(0x30, body)
    const { reader, packets } = reading(4, bytes.length)
    reader.read(bytes)
    expect(packets).toHaveLength(1)
    expectRefused({ reader, packets }, packet(0x30, body, '00'), 0x95)
  })

  test('the bound is asked for each packet, so that it may rise once somebody is known', () => {
    let bytesMax = 100
    const packets: Packet[] = []
    const onPacket = (each: Packet) => packets.push(each)
    const reader = new PacketReader({ bytesMax: () => bytesMax, onPacket })
    reader.read(connect(4))
    bytesMax = 2_000
    reader.read(packet(0x30, text('a/b'), '00'.repeat(1_000)))
    expect(packets).toHaveLength(2)
    bytesMax = 100
    expectRefused({ reader, packets }, packet(0x30, text('a/b'), '00'.repeat(1_000)), 0x95)
  })

  test('a topic may have all 65,535 bytes; how long it may be is told by the room', () => {
    const { reader, packets } = reading(4)
    reader.read(packet(0x30, number(65_535), '61'.repeat(65_535)))
    expect(packets).toMatchObject([{ topic: 'a'.repeat(65_535) }])
  })
})
