/**
 * What one message costs the gateway's codec (G14): the scanner and the stamp as `porthouse`, or
 * decoding and encoding the same packet with the generated code as `protobuf`. Prints one line of
 * JSON, in microseconds a message.
 *
 *   node bench/codec.ts porthouse|protobuf
 */
import assert from 'node:assert/strict'
import { create, equals, fromBinary, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema, StampSchema } from '@porthouse/proto/v1/envelope'
import { FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { schema as configSchema } from '../gateway/config/config.ts'
import { PacketWriter, type Stamp } from '../gateway/protocol/packet-writer.ts'
import { scanEnvelope } from '../gateway/protocol/scan-envelope.ts'
import { type ScannedFrame, scanPacket } from '../gateway/protocol/scan-packet.ts'
import { summarize } from './statistics.ts'

const ROUNDS = 5
const ROUND_US = 250_000
/** Calls between two looks at what was used. */
const BATCH = 1000
/** Bytes of a WebSocket header, which the gateway leaves free before a packet. */
const HEADROOM = 10

const limits = configSchema.parse({ data: '.' }).limits
const stamp: Stamp = {
  id: { bytes: Buffer.from(Array.from({ length: 16 }, (_, n) => n * 15)), at: 0 },
  from: Buffer.from('socket:abcdefghijklmnop'),
  route: 7,
  channel: Buffer.alloc(0),
  target: Buffer.alloc(0),
  sequence: 123_456,
  timeMs: 1_790_000_000_000,
  epoch: 0,
  replay: 0,
}
const stampMessage = {
  id: stamp.id.bytes,
  from: 'socket:abcdefghijklmnop',
  route: stamp.route,
  sequence: BigInt(stamp.sequence),
  timeMs: BigInt(stamp.timeMs),
}

const packet = Buffer.from(
  toBinary(
    PacketSchema,
    create(PacketSchema, {
      frames: [
        {
          id: 300,
          body: {
            case: 'envelope',
            value: {
              routing: { route: 7, receipt: ReceiptLevel.ROUTED },
              content: { case: 'payload', value: new Uint8Array(128).fill(120) },
              contentType: 'application/json',
              replyTo: 'room:acme/boiler',
              correlationId: new Uint8Array(16).fill(9),
            },
          },
        },
      ],
    }),
  ),
)

/** As on the hot path, for a message that is alone in its turn: its writer is not shared. */
function scanAndStamp(): Buffer {
  const writer = new PacketWriter(HEADROOM)
  scanPacket(packet, 0, packet.length, limits, forward, writer)
  return writer.whole()
}

function forward(frame: ScannedFrame, writer: PacketWriter): boolean {
  writer.envelope(scanEnvelope(frame.bytes, frame.start, frame.end, limits), stamp)
  return true
}

/** The same by the generated code. */
function decodeAndEncode(): Uint8Array {
  const frames = fromBinary(PacketSchema, packet).frames.map(({ body }) => {
    assert(body.case === 'envelope')
    const { routing: _, ...rest } = body.value
    const value = create(EnvelopeSchema, { ...rest, stamp: create(StampSchema, stampMessage) })
    return create(FrameSchema, { body: { case: 'envelope', value } })
  })
  return toBinary(PacketSchema, create(PacketSchema, { frames }))
}

const scanned = fromBinary(PacketSchema, scanAndStamp())
assert(equals(PacketSchema, scanned, fromBinary(PacketSchema, decodeAndEncode())))

/** Microseconds of CPU a call. */
function measure(call: () => unknown): number {
  const began = process.cpuUsage()
  let calls = 0
  let used = 0
  while (used < ROUND_US) {
    for (let n = 0; n < BATCH; n++) call()
    calls += BATCH
    const { user, system } = process.cpuUsage(began)
    used = user + system
  }
  return used / calls
}

const call = process.argv[2] === 'porthouse' ? scanAndStamp : decodeAndEncode
measure(call)
const { median } = summarize(Array.from({ length: ROUNDS }, () => measure(call)))
console.log(JSON.stringify({ cpu: median }))
