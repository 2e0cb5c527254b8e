/**
 * The wire form of `porthouse.v1.json`, for people and scripts: each packet one text message, in
 * the Protobuf JSON mapping. Fields that this version does not know have no names in it and are
 * dropped.
 */
import { create, fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf'
import { type Frame, FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { PacketWriter, type ReceiptFacts, type Stamp } from '../../protocol/packet-writer.ts'
import { malformed } from '../../protocol/reader.ts'
import type { ScannedEnvelope } from '../../protocol/scan-envelope.ts'
import type { FrameWriter, Lane } from '../../router/lane.ts'
import { HEADROOM, TEXT, writeHeader } from './framing.ts'

export const jsonLane: Lane = {
  name: 'porthouse.v1.json',
  writer: () => new JsonWriter(),
}

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

/** The message encoded last: one that goes to several audiences is encoded once. */
let latest: { stamp: Stamp; text: string } | undefined

function textOf(envelope: ScannedEnvelope, stamp: Stamp): string {
  if (latest?.stamp !== stamp) {
    const packet = new PacketWriter(0)
    packet.envelope(envelope, stamp)
    latest = { stamp, text: textOfPacket(packet) }
  }
  return latest.text
}

function textOfPacket(packet: PacketWriter): string {
  const [frame] = fromBinary(PacketSchema, packet.whole()).frames
  return toJsonString(FrameSchema, frame ?? create(FrameSchema))
}

class JsonWriter implements FrameWriter {
  readonly #texts: string[] = []
  #whole: Buffer | undefined
  bytes = 0

  get frames(): number {
    return this.#texts.length
  }

  envelope(envelope: ScannedEnvelope, stamp: Stamp): void {
    this.#add(textOf(envelope, stamp))
  }

  receipt(frameId: number, receipt: ReceiptFacts): void {
    const packet = new PacketWriter(0)
    packet.receipt(frameId, receipt)
    this.#add(textOfPacket(packet))
  }

  frame(frame: Frame): void {
    this.#add(toJsonString(FrameSchema, frame))
  }

  #add(text: string): void {
    this.#texts.push(text)
    this.bytes += text.length
  }

  whole(): Buffer {
    this.#whole ??= this.part(0, this.#texts.length)
    return this.#whole
  }

  /** No frames: the empty packet, which is an empty text. */
  part(from: number, to: number): Buffer {
    const texts = this.#texts.slice(from, to)
    const text = texts.length === 0 ? '' : `{"frames":[${texts.join(',')}]}`
    const buffer = Buffer.allocUnsafeSlow(HEADROOM + Buffer.byteLength(text))
    buffer.write(text, HEADROOM)
    return buffer.subarray(writeHeader(buffer, HEADROOM, buffer.length, TEXT))
  }
}
