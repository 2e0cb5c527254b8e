/** Bytes by chance: whatever comes, it is packets, or one MqttError and then silence. */
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import type { Version } from '../../../gateway/ingress/mqtt/wire/kind.ts'
import { MqttError } from '../../../gateway/ingress/mqtt/wire/mqtt-error.ts'
import { connect, packet, reading, VERSIONS } from './bytes.ts'
import { bare, oracle, packetsIn } from './oracle.ts'
import { connectOf, packetOf } from './packets.ts'

interface Outcome {
  readonly packets: Packet[]
  readonly reason: number | undefined
}

/** Anything but an MqttError is thrown on. */
function outcomeOf(pieces: readonly Buffer[], version?: Version): Outcome {
  const { reader, packets } = reading(version)
  try {
    for (const piece of pieces) reader.read(piece)
    return { packets, reason: undefined }
  } catch (error) {
    if (!(error instanceof MqttError)) throw error
    expect(reader.held).toBe(0)
    return { packets, reason: error.reason }
  }
}

function piecesOf(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
  return pieces
}

/** Bits of a stream, each named by where it stands as a part of the whole. */
const flips = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), {
  minLength: 1,
  maxLength: 3,
})

function flipped(bytes: Buffer, list: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(bytes)
  for (const [where, bit] of list) {
    const at = Math.min(copy.length - 1, Math.floor(where * copy.length))
    copy[at] = (copy[at] as number) ^ (1 << bit)
  }
  return copy
}

/** Without user properties, of which mqtt-packet loses some. */
function compared(each: Packet): object {
  return JSON.parse(JSON.stringify(bare(each)), (name, value) =>
    name === 'userProperties' || (name === 'properties' && isUserAlone(value)) ? undefined : value,
  )
}

function isUserAlone(value: object): boolean {
  return Object.keys(value).every((name) => name === 'userProperties')
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each))
const size = fc.integer({ min: 1, max: 20 })

test('nothing but MqttError is thrown before CONNECT', () => {
  fc.assert(
    fc.property(bytes, size, (each, pieces) => {
      const whole = outcomeOf([each])
      expect(whole.packets).toEqual([])
      expect(outcomeOf(piecesOf(each, pieces))).toEqual(whole)
    }),
    { numRuns: 1_000 },
  )
})

describe.each(VERSIONS)('version %i', (version) => {
  test('nothing but MqttError is thrown after CONNECT, and pieces change nothing', () => {
    fc.assert(
      fc.property(bytes, size, (each, pieces) => {
        expect(outcomeOf(piecesOf(each, pieces), version)).toEqual(outcomeOf([each], version))
      }),
      { numRuns: 1_000 },
    )
  })

  test('nor for any kind of packet with a body by chance', () => {
    const first = fc.integer({ min: 0x20, max: 0xff })
    fc.assert(
      fc.property(first, bytes, (kind, body) => {
        outcomeOf([packet(kind, body.toString('hex'))], version)
      }),
      { numRuns: 3_000 },
    )
  })

  test('bits that tip over: pieces change nothing, and what is read mqtt-packet reads so', () => {
    const packets = fc.array(packetOf(version), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(packets, flips, size, (all, list, pieces) => {
        const options = { protocolVersion: version }
        const right = Buffer.concat(all.map((each) => generate(each, options)))
        const wrong = flipped(right, list)
        const outcome = outcomeOf([wrong], version)
        expect(outcomeOf(piecesOf(wrong, pieces), version)).toEqual(outcome)
        const taken = wrong.subarray(0, sizeOf(wrong, outcome.packets))
        // It knows nothing of what 3.1 marks as sent again.
        if (version === 3 && packetsIn(taken).some(isMarked)) return
        expect(oracle(version, taken).map(compared)).toEqual(outcome.packets.map(compared))
      }),
      { numRuns: 1_000 },
    )
  })

  test('bits of a CONNECT that tip over', () => {
    fc.assert(
      fc.property(connectOf(version), flips, size, (each, list, pieces) => {
        const wrong = flipped(generate(each), list)
        const outcome = outcomeOf([wrong])
        expect(outcomeOf(piecesOf(wrong, pieces))).toEqual(outcome)
        if (outcome.packets.length === 1 && outcome.reason === undefined) {
          const taken = wrong.subarray(0, sizeOf(wrong, outcome.packets))
          expect(oracle(version, taken).map(compared)).toEqual(outcome.packets.map(compared))
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('a shared parser is clean after what was wrong', () => {
    const subscribe = packet(0x82, '0001', version === 5 ? '00' : '', '0001 61 00')
    fc.assert(
      fc.property(bytes, (each) => {
        outcomeOf([packet(0x82, each.toString('hex'))], version)
        expect(outcomeOf([subscribe], version).packets).toMatchObject([
          { messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] },
        ])
      }),
    )
  })
})

test('what 3.1 sends again is read as it was sent first', () => {
  const again = [
    packet(0x8a, '0001 0001 61 00'),
    packet(0xaa, '0002 0001 61'),
    packet(0x6a, '0003'),
  ]
  const { packets } = outcomeOf([connect(3), ...again])
  expect(packets.slice(1)).toMatchObject([
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] },
    { cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a'] },
    { cmd: 'pubrel', messageId: 3 },
  ])
})

/** Of the packets that a stream begins with, their fixed headers included. */
function sizeOf(stream: Buffer, packets: readonly Packet[]): number {
  let at = 0
  for (const { length = 0 } of packets) {
    do at++
    while ((stream[at] as number) >= 0x80)
    at += 1 + length
  }
  return at
}

function isMarked(bytes: Buffer): boolean {
  const first = bytes[0] as number
  return (first & 0x08) !== 0 && first >> 4 !== 3
}
