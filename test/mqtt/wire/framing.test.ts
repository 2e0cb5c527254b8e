/** How packets are cut out of what comes, in whatever pieces it comes. */
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import { MqttError } from '../../../gateway/ingress/mqtt/wire/mqtt-error.ts'
import { PacketReader } from '../../../gateway/ingress/mqtt/wire/reader.ts'
import { connect, packet, properties, reading, text, VERSIONS } from './bytes.ts'

const PING = packet(0xc0)

/** A PUBLISH of 3.1.1 with its number as payload. */
const numbered = (i: number) => packet(0x30, text('a/b'), i.toString(16).padStart(8, '0'))

describe('pieces', () => {
  describe.each(VERSIONS)('version %i', (version) => {
    const none = version === 5 ? '00' : ''
    const all = Buffer.concat([
      connect(version),
      packet(0x33, text('a/b'), '0001', none, 'cafe'),
      packet(0x30, text('a/b'), version === 5 ? properties('26', text('n'), text('v')) : ''),
      packet(0x82, '0002', none, text('a/#'), '01', text('b'), '00'),
      packet(0x40, '0003'),
      packet(0x62, '0003'),
      PING,
      packet(0x30, text('a/b'), none, 'ab'.repeat(300)),
      packet(0xa2, '0004', none, text('a/#')),
      packet(0xe0),
    ])

    function readIn(pieces: readonly Buffer[]): Packet[] {
      const { reader, packets } = reading()
      for (const piece of pieces) reader.read(piece)
      expect(reader.held).toBe(0)
      return packets
    }

    const whole = readIn([all])

    test('gives all that is in one chunk, in order', () => {
      expect(whole.map(({ cmd }) => cmd).join(' ')).toBe(
        'connect publish publish subscribe puback pubrel pingreq publish unsubscribe disconnect',
      )
    })

    test('gives the same split at any byte', () => {
      for (let at = 1; at < all.length; at++) {
        expect(readIn([all.subarray(0, at), all.subarray(at)])).toEqual(whole)
      }
    })

    test('gives the same byte by byte (M15)', () => {
      expect(readIn([...all].map((byte) => Buffer.from([byte])))).toEqual(whole)
    })

    test('gives the same in any pieces', () => {
      const cuts = fc.array(fc.nat(all.length), { maxLength: 20 })
      fc.assert(
        fc.property(cuts, (at) => {
          const ends = [0, ...at.toSorted((a, b) => a - b), all.length]
          const pieces = ends.slice(1).map((end, i) => all.subarray(ends[i], end))
          expect(readIn(pieces)).toEqual(whole)
        }),
      )
    })
  })

  test('an empty chunk is nothing', () => {
    const { reader, packets } = reading()
    reader.read(Buffer.alloc(0))
    reader.read(connect(4))
    reader.read(Buffer.alloc(0))
    expect(packets).toHaveLength(1)
    expect(reader.held).toBe(0)
  })

  test('a chunk may be written over after the call: what waits is memory of its own', () => {
    const { reader, packets } = reading(4)
    const bytes = numbered(7)
    const first = Buffer.from(bytes.subarray(0, 5))
    reader.read(first)
    first.fill(0xff)
    reader.read(bytes.subarray(5))
    expect(packets).toMatchObject([{ topic: 'a/b', payload: Buffer.from('00000007', 'hex') }])
  })

  test('payloads of packets before stay what they are', () => {
    const { reader, packets } = reading(4)
    const all = Buffer.concat(Array.from({ length: 200 }, (_, i) => numbered(i)))
    for (let at = 0; at < all.length; at += 13) reader.read(all.subarray(at, at + 13))
    expect(packets).toHaveLength(200)
    for (const [i, each] of packets.entries()) {
      expect(each).toMatchObject({ payload: numbered(i).subarray(-4) })
    }
  })
})

describe('memory', () => {
  test('grows with what comes and not with what is declared (M7)', () => {
    const { reader } = reading(4)
    reader.read(Buffer.from('30ffff3e', 'hex'))
    expect(reader.held).toBeLessThanOrEqual(8)
    reader.read(Buffer.alloc(100))
    expect(reader.held).toBeLessThanOrEqual(208)
  })

  test('stays within twice of what came, however it drips', () => {
    const { reader, packets } = reading(4)
    const bytes = packet(0x30, text('a/b'), 'ab'.repeat(10_000))
    for (let at = 0; at < bytes.length - 1; at++) {
      reader.read(bytes.subarray(at, at + 1))
      expect(reader.held).toBeLessThanOrEqual(2 * (at + 1))
    }
    reader.read(bytes.subarray(-1))
    expect(packets).toHaveLength(1)
    expect(reader.held).toBe(0)
  })

  test('moves bytes a bounded number of times, however they drip', () => {
    const { reader } = reading(4)
    const bytes = packet(0x30, text('a/b'), 'ab'.repeat(200_000))
    let moved = 0
    let before = 0
    for (let at = 0; at < bytes.length - 1; at++) {
      reader.read(bytes.subarray(at, at + 1))
      if (reader.held !== before) moved += at
      before = reader.held
    }
    expect(moved).toBeLessThan(3 * bytes.length)
  })

  test.each([
    ['before CONNECT, of 256 MiB', undefined, '10ffffff7f'],
    ['before CONNECT, of 64 KiB and a byte', undefined, '10fdff03'],
    ['after it, of 256 MiB', 4, '30ffffff7f'],
    ['after it, a byte over', 4, '30fdff3f'],
  ] as const)('a size %s is refused as soon as it is said', (_, version, hex) => {
    const { reader } = reading(version)
    const bytes = Buffer.from(hex, 'hex')
    for (const byte of bytes.subarray(0, -1)) reader.read(Buffer.from([byte]))
    const last = () => reader.read(bytes.subarray(-1))
    expect(last).toThrow(expect.objectContaining({ reason: 0x95 }))
    expect(reader.held).toBe(0)
  })

  test('a size just within is waited for', () => {
    const early = reading()
    early.reader.read(Buffer.from('10fcff03', 'hex'))
    const later = reading(4)
    later.reader.read(Buffer.from('30fcff3f', 'hex'))
    expect([early.packets, later.packets]).toEqual([[], []])
  })

  test('is let go when a packet is whole, but for what came behind it', () => {
    const { reader, packets } = reading(4)
    const bytes = packet(0x30, text('a/b'), 'ab'.repeat(50_000))
    reader.read(bytes.subarray(0, 40_000))
    reader.read(Buffer.concat([bytes.subarray(40_000), PING.subarray(0, 1)]))
    expect(packets).toHaveLength(1)
    expect(reader.held).toBe(1)
    reader.read(PING.subarray(1))
    expect(reader.held).toBe(0)
  })
})

describe('holding', () => {
  /** Holds at each packet, and so after its CONNECT. */
  function halting() {
    const packets: Packet[] = []
    const reader: PacketReader = new PacketReader({
      bytesMax: () => 1 << 20,
      onPacket: (each) => {
        packets.push(each)
        reader.hold()
      },
    })
    reader.read(connect(4))
    return { reader, packets }
  }

  test('keeps whole packets back, and gives them one by one', () => {
    const { reader, packets } = halting()
    reader.read(Buffer.concat([numbered(1), numbered(2), numbered(3).subarray(0, 3)]))
    expect(packets).toHaveLength(1)
    reader.go()
    expect(packets).toHaveLength(2)
    reader.go()
    expect(packets).toHaveLength(3)
    reader.go()
    reader.go()
    expect(packets).toHaveLength(3)
    reader.read(numbered(3).subarray(3))
    expect(packets).toHaveLength(4)
    expect(reader.held).toBe(0)
  })

  test('what comes meanwhile stands behind', () => {
    const { reader, packets } = halting()
    const all = Array.from({ length: 20 }, (_, i) => numbered(i))
    for (const bytes of all) reader.read(bytes)
    for (const _ of all) reader.go()
    expect(packets.slice(1)).toMatchObject(all.map((bytes) => ({ payload: bytes.subarray(-4) })))
  })

  test('costs no more for many small packets than they are', () => {
    const { reader, packets } = halting()
    reader.read(Buffer.concat(Array.from({ length: 30_000 }, () => PING)))
    let moved = 0
    let before = reader.held
    while (packets.length < 30_001) {
      reader.go()
      if (reader.held !== before) moved += reader.held
      before = reader.held
    }
    expect(moved).toBeLessThan(2 * 60_000)
    expect(reader.held).toBe(0)
  })

  test('and going within one call goes on', () => {
    const seen: string[] = []
    const reader: PacketReader = new PacketReader({
      bytesMax: () => 1 << 20,
      onPacket: ({ cmd }) => {
        reader.hold()
        reader.go()
        seen.push(cmd)
      },
    })
    reader.read(Buffer.concat([connect(4), PING, numbered(1), PING]))
    expect(seen).toEqual(['connect', 'pingreq', 'publish', 'pingreq'])
  })

  test('what is read from within a packet stands behind all that was there', () => {
    const seen: Packet[] = []
    const reader: PacketReader = new PacketReader({
      bytesMax: () => 1 << 20,
      onPacket: (each) => {
        seen.push(each)
        if (seen.length === 2) reader.read(Buffer.concat([numbered(3), numbered(4).subarray(0, 5)]))
      },
    })
    reader.read(Buffer.concat([connect(4), numbered(1), numbered(2)]))
    reader.read(numbered(4).subarray(5))
    const payloads = [1, 2, 3, 4].map((i) => ({ payload: numbered(i).subarray(-4) }))
    expect(seen.slice(1)).toMatchObject(payloads)
  })

  test('what is wrong is thrown by go', () => {
    const { reader, packets } = halting()
    reader.read(Buffer.concat([PING, packet(0x00), PING]))
    reader.go()
    expect(() => reader.go()).toThrow(MqttError)
    reader.go()
    expect(packets).toHaveLength(2)
    expect(reader.held).toBe(0)
  })
})

describe('stopping', () => {
  test('gives none of the packets behind, of this chunk or another', () => {
    const seen: string[] = []
    const reader: PacketReader = new PacketReader({
      bytesMax: () => 1 << 20,
      onPacket: ({ cmd }) => {
        seen.push(cmd)
        if (cmd === 'disconnect') reader.stop()
      },
    })
    reader.read(Buffer.concat([connect(4), packet(0xe0), numbered(1), packet(0x00)]))
    reader.read(packet(0x00))
    reader.go()
    expect(seen).toEqual(['connect', 'disconnect'])
    expect(reader.held).toBe(0)
  })

  test('comes of whatever onPacket throws', () => {
    const { reader, packets } = reading(4)
    const failing = new PacketReader({
      bytesMax: () => 1 << 20,
      onPacket: () => {
        throw new Error('not today')
      },
    })
    expect(() => failing.read(Buffer.concat([connect(4), PING]))).toThrow('not today')
    failing.read(PING)
    expect(failing.held).toBe(0)
    reader.read(PING)
    expect(packets).toHaveLength(1)
  })
})

describe('many readers', () => {
  test('do not meet, though they share a parser', () => {
    const subscribe = (topic: string) =>
      generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
    const seen: string[] = []
    const make = (name: string, inner?: () => void) => {
      const reader = new PacketReader({
        bytesMax: () => 1 << 20,
        onPacket: (each) => {
          if (each.cmd !== 'subscribe') return
          seen.push(`${name} ${each.subscriptions[0]?.topic}`)
          inner?.()
        },
      })
      reader.read(connect(4))
      return reader
    }
    const inner = make('inner')
    const outer = make('outer', () => {
      inner.read(subscribe('x'))
      const broken = make('broken')
      expect(() => broken.read(packet(0x82, '0001', text('a')))).toThrow(MqttError)
    })
    outer.read(Buffer.concat([subscribe('a'), subscribe('b')]))
    expect(seen).toEqual(['outer a', 'inner x', 'outer b', 'inner x'])
  })
})
