import type { Packet } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import { encode, encodeAck, encodeWithin } from '../../../gateway/ingress/mqtt/wire/write.ts'
import { oracle } from './oracle.ts'

describe('acknowledgements', () => {
  test.each([
    ['puback', 0, 5, '40020102'],
    ['pubrec', 0, 5, '50020102'],
    ['pubrel', 0, 5, '62020102'],
    ['pubcomp', 0, 5, '70020102'],
    ['puback', 0x10, 5, '4003010210'],
    ['pubrec', 0x97, 5, '5003010297'],
    ['pubrel', 0x92, 5, '6203010292'],
    ['puback', 0x97, 4, '40020102'],
    ['pubcomp', 0x92, 3, '70020102'],
  ] as const)('%s with 0x%x, version %i', (cmd, reason, version, hex) => {
    expect(encodeAck(cmd, 0x0102, reason, version).toString('hex')).toBe(hex)
    const packet = { cmd, messageId: 0x0102, reasonCode: reason } as Packet
    expect(encode(packet, version).toString('hex')).toBe(hex)
  })

  test('are of no reason where none is given', () => {
    expect(encode({ cmd: 'puback', messageId: 1 }, 5).toString('hex')).toBe('40020001')
  })
})

describe('what is sent', () => {
  test('PINGRESP', () => {
    expect(encode({ cmd: 'pingresp' }, 4).toString('hex')).toBe('d000')
  })

  test('goes without properties before MQTT 5', () => {
    const connack = { cmd: 'connack', sessionPresent: true, returnCode: 0 } as const
    const properties = { reasonString: 'fine' }
    expect(encode({ ...connack, properties }, 4).toString('hex')).toBe('20020100')
  })

  test('may have a list of user properties that is empty', () => {
    const properties = { reasonString: 'why', userProperties: {} }
    const bytes = encode({ cmd: 'disconnect', reasonCode: 0x8b, properties }, 5)
    expect(oracle(5, bytes)).toMatchObject([
      { cmd: 'disconnect', reasonCode: 0x8b, properties: { reasonString: 'why' } },
    ])
    const bare = encode({ cmd: 'puback', messageId: 1, properties: { userProperties: {} } }, 5)
    expect(oracle(5, bare)).toMatchObject([{ cmd: 'puback', messageId: 1, reasonCode: 0 }])
  })

  test('keeps text that is not well-formed as replacement characters', () => {
    const properties = { reasonString: 'a\ud800b' }
    const bytes = encode({ cmd: 'disconnect', reasonCode: 0x80, properties }, 5)
    expect(oracle(5, bytes)).toMatchObject([{ properties: { reasonString: 'a\ufffdb' } }])
  })
})

describe('a client that takes little', () => {
  const packet: Packet = {
    cmd: 'suback',
    messageId: 1,
    granted: [0x87],
    properties: { reasonString: 'because'.repeat(10), userProperties: { name: 'x'.repeat(100) } },
  }
  const sizeOf = (each: Packet) => encode(each, 5).length

  test('gets all that fits', () => {
    expect(encodeWithin(packet, 5, sizeOf(packet))).toEqual(encode(packet, 5))
  })

  test('goes without user properties, then without the reason', () => {
    const read = (bytesMax: number) => oracle(5, encodeWithin(packet, 5, bytesMax) as Buffer)[0]
    const { reasonString } = packet.properties ?? {}
    const some = read(sizeOf(packet) - 1)
    expect(some).toMatchObject({ granted: [0x87], properties: { reasonString } })
    expect(some).not.toHaveProperty('properties.userProperties')
    expect(read(6)).not.toHaveProperty('properties')
    // What was given is as it was, for the next client.
    expect(packet.properties).toHaveProperty('userProperties.name')
  })

  test('gets a message whole or not at all', () => {
    const { properties } = packet
    const publish = { cmd: 'publish', topic: 'a', payload: 'x', qos: 0 } as const
    const message = { ...publish, dup: false, retain: false, properties } as Packet
    expect(encodeWithin(message, 5, sizeOf(message))).toEqual(encode(message, 5))
    expect(encodeWithin(message, 5, sizeOf(message) - 1)).toBe(undefined)
  })

  test('gets nothing where even that is too much', () => {
    expect(encodeWithin(packet, 5, 5)).toBe(undefined)
    expect(encodeWithin({ cmd: 'pingresp' }, 5, 1)).toBe(undefined)
    expect(encodeWithin({ cmd: 'pingresp' }, 5, 2)).toHaveLength(2)
  })
})
