import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { RoutingSchema } from '@porthouse/proto/v1/envelope'
import { type Frame, type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { PorthouseError } from './error.ts'

export type Body = NonNullable<MessageInitShape<typeof FrameSchema>['body']>
export type Routing = MessageInitShape<typeof RoutingSchema>

/** A larger packet from the gateway is refused; its own outboxes stay far below. */
export const PACKET_BYTES_MAX = 16 * 2 ** 20

/** Throws MALFORMED_PACKET, or PACKET_TOO_LARGE before anything is decoded. */
export function decodePacket(bytes: Uint8Array): Frame[] {
  if (bytes.length > PACKET_BYTES_MAX) throw new PorthouseError('PACKET_TOO_LARGE')
  try {
    return fromBinary(PacketSchema, bytes).frames
  } catch (cause) {
    throw new PorthouseError('MALFORMED_PACKET', { cause })
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
