/** Packets as a list of frames, where none is on a hot path. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { type Frame, type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { malformed } from '../protocol/reader.ts'

/** A client's packet. Throws Refusal MALFORMED_PACKET. */
export function framesOf(packet: Uint8Array): Frame[] {
  try {
    return fromBinary(PacketSchema, packet).frames
  } catch {
    throw malformed('not a Packet')
  }
}

/** A packet of the gateway's own. */
export function packetOf(frames: readonly MessageInitShape<typeof FrameSchema>[]): Buffer {
  return Buffer.from(toBinary(PacketSchema, create(PacketSchema, { frames: [...frames] })))
}
