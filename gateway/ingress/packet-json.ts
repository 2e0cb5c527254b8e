/** Packets in the Protobuf JSON mapping, for people and scripts. */
import { fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { malformed } from '../protocol/reader.ts'

/** A client's text as the packet that it stands for. Throws Refusal MALFORMED_PACKET. */
export function packetOfJson(text: string): Buffer {
  if (text === '') return Buffer.alloc(0)
  try {
    const packet = fromJsonString(PacketSchema, text, { ignoreUnknownFields: true })
    return Buffer.from(toBinary(PacketSchema, packet))
  } catch {
    throw malformed('not a Packet in Protobuf JSON')
  }
}

/** A packet of the gateway's own as text. */
export function jsonOfPacket(packet: Uint8Array): string {
  return toJsonString(PacketSchema, fromBinary(PacketSchema, packet))
}
