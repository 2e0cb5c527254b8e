/** What mqtt-packet writes is read as it reads it; what is written here is read by it. */
import fc from 'fast-check'
import { generate, type IPublishPacket } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import { encode, encodeAck } from '../../../gateway/ingress/mqtt/wire/write.ts'
import { packet, properties, readAll, reading, text, VERSIONS } from './bytes.ts'
import { bare, oracle } from './oracle.ts'
import { answerOf, connectOf, messageId, packetOf } from './packets.ts'

describe.each(VERSIONS)('version %i', (version) => {
  test('a CONNECT is read as mqtt-packet reads it, and as it was', () => {
    fc.assert(
      fc.property(connectOf(version), (each) => {
        const bytes = generate(each)
        const { reader, packets } = reading()
        reader.read(bytes)
        expect(packets.map(bare)).toEqual(oracle(version, bytes).map(bare))
        expect(packets[0]).toMatchObject(each)
        expect(reader.version).toBe(version)
      }),
    )
  })

  test('all else is read as mqtt-packet reads it, and as it was', () => {
    fc.assert(
      fc.property(fc.array(packetOf(version), { minLength: 1, maxLength: 5 }), (all) => {
        const protocolVersion = version
        const bytes = Buffer.concat(all.map((each) => generate(each, { protocolVersion })))
        const read = readAll(version, bytes)
        expect(read.map(bare)).toEqual(oracle(version, bytes).map(bare))
        expect(read).toMatchObject(all)
      }),
      { numRuns: 500 },
    )
  })

  test('what is written reads as it was', () => {
    fc.assert(
      fc.property(answerOf(version), (each) => {
        const bytes = encode(each, version)
        expect(oracle(version, bytes)).toMatchObject([each])
      }),
      { numRuns: 500 },
    )
  })

  test('an acknowledgement is what mqtt-packet reads of it', () => {
    const cmd = fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp')
    fc.assert(
      fc.property(cmd, messageId, fc.constantFrom(0, 0x92, 0x97), (each, id, reason) => {
        const late = each === 'pubrel' || each === 'pubcomp'
        fc.pre(reason === 0 || (reason === 0x92) === late)
        const bytes = encodeAck(each, id, reason, version)
        const reasonCode = version === 5 ? { reasonCode: reason } : {}
        expect(oracle(version, bytes)).toMatchObject([{ cmd: each, messageId: id, ...reasonCode }])
      }),
    )
  })
})

describe('what mqtt-packet does not give', () => {
  const user = (...pairs: readonly (readonly [string, string])[]) =>
    properties(...pairs.map(([name, value]) => `26${text(name)}${text(value)}`))

  test.each([
    ['PUBLISH', packet(0x30, text('a'), user(['k', ''], ['k', 'x'], ['k', '']))],
    ['SUBSCRIBE', packet(0x82, '0001', user(['k', ''], ['k', 'x'], ['k', '']), text('a'), '00')],
    ['DISCONNECT', packet(0xe0, '00', user(['k', ''], ['k', 'x'], ['k', '']))],
  ])('all values of a name that is repeated, the empty ones too: %s', (_, bytes) => {
    const userProperties = { k: ['', 'x', ''] }
    expect(readAll(5, bytes)).toMatchObject([{ properties: { userProperties } }])
  })

  test('those of CONNECT and of its will, each their own', () => {
    const { reader, packets } = reading()
    const list = user(['k', ''], ['k', '1'])
    const will = user(['w', ''], ['w', '2'])
    const head = [text('MQTT'), '05', '06', '0000', list, text('d')]
    reader.read(packet(0x10, ...head, will, text('gone'), '0000'))
    expect(packets).toMatchObject([
      {
        properties: { userProperties: { k: ['', '1'] } },
        will: { properties: { userProperties: { w: ['', '2'] } } },
      },
    ])
  })

  test('names of the language are plain data (M13)', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']
    const list = user(...names.map((name) => [name, 'v'] as const))
    const [read] = readAll(5, packet(0x30, text('__proto__'), list)) as IPublishPacket[]
    expect(read?.topic).toBe('__proto__')
    const userProperties = read?.properties?.userProperties ?? {}
    expect(Object.getPrototypeOf(userProperties)).toBe(null)
    expect(Object.keys(userProperties)).toEqual(names)
    expect(Object.values(userProperties)).toEqual(names.map(() => 'v'))
    expect(({} as Record<string, unknown>).v).toBe(undefined)
  })
})
