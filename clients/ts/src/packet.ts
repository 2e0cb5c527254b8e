import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import type { RoutingSchema } from '@porthouse/proto/v1/envelope'
import { type Frame, FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { PorthouseError } from './error.ts'

export type Body = NonNullable<MessageInitShape<typeof FrameSchema>['body']>
export type Routing = MessageInitShape<typeof RoutingSchema>

/** A larger packet from the gateway is refused; its own outboxes stay far below. */
export const PACKET_BYTES_MAX = 16 * 2 ** 20

/** What takes two bytes on the wire takes hundreds in memory; only messages are large by right. */
const FRAMES_MAX = 65_536
const OTHER_BYTES_MAX = 2 ** 20
const ENVELOPE = FrameSchema.field.envelope.number

/**
 * Throws MALFORMED_PACKET; before anything is decoded PACKET_TOO_LARGE, also of what is no message,
 * and TOO_MANY_FRAMES.
 */
export function decodePacket(bytes: Uint8Array): Frame[] {
  if (bytes.length > PACKET_BYTES_MAX) throw new PorthouseError('PACKET_TOO_LARGE')
  try {
    if (bytes.length > FRAMES_MAX) weigh(new BinaryReader(bytes))
    return fromBinary(PacketSchema, bytes).frames
  } catch (cause) {
    if (cause instanceof PorthouseError) throw cause
    throw new PorthouseError('MALFORMED_PACKET', { cause })
  }
}

function weigh(packet: BinaryReader): void {
  let frames = 0
  let others = 0
  while (packet.pos < packet.len) {
    const [, type] = packet.tag()
    if (type !== WireType.LengthDelimited) {
      packet.skip(type)
      continue
    }
    const end = packet.uint32() + packet.pos
    if (++frames > FRAMES_MAX) throw new PorthouseError('TOO_MANY_FRAMES')
    while (packet.pos < end) {
      const [field, inner] = packet.tag()
      const from = packet.pos
      packet.skip(inner)
      if (field !== ENVELOPE) others += packet.pos - from
    }
    if (others > OTHER_BYTES_MAX) throw new PorthouseError('PACKET_TOO_LARGE')
  }
}

/** A packet of one frame, to be joined with others end to end. */
export function encodeFrame(id: number, body: Body): Uint8Array {
  return toBinary(PacketSchema, create(PacketSchema, { frames: [{ id, body }] }))
}

/** Joins frames end to end into as few packets as the bounds allow. */
export function* packets(
  frames: readonly Uint8Array[],
  bounds: { bytes: number; frames: number },
): Generator<Uint8Array<ArrayBuffer>> {
  let from = 0
  let bytes = 0
  for (const [index, frame] of frames.entries()) {
    if (index > from && (bytes + frame.length > bounds.bytes || index - from >= bounds.frames)) {
      yield join(frames.slice(from, index), bytes)
      from = index
      bytes = 0
    }
    bytes += frame.length
  }
  if (frames.length) yield join(frames.slice(from), bytes)
}

function join(frames: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(bytes)
  let offset = 0
  for (const frame of frames) {
    packet.set(frame, offset)
    offset += frame.length
  }
  return packet
}
