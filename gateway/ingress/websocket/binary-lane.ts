/** The wire form of `porthouse.v1`: each packet one binary WebSocket message. */
import { create, toBinary } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import { PacketWriter, type ReceiptFacts, type Stamp } from '../../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../../protocol/scan-envelope.ts'
import type { FrameWriter, Lane } from '../../router/lane.ts'
import { BINARY, frameInPlace, HEADROOM } from './framing.ts'

export const binaryLane: Lane = {
  name: 'porthouse.v1',
  writer: () => new BinaryWriter(),
}

class BinaryWriter implements FrameWriter {
  readonly #packet = new PacketWriter(HEADROOM)
  #whole: Buffer | undefined

  get bytes(): number {
    return this.#packet.bytes
  }

  get frames(): number {
    return this.#packet.frames
  }

  envelope(envelope: ScannedEnvelope, stamp: Stamp): void {
    this.#packet.envelope(envelope, stamp)
  }

  receipt(frameId: number, receipt: ReceiptFacts): void {
    this.#packet.receipt(frameId, receipt)
  }

  frame(frame: Frame): void {
    this.#packet.packet(toBinary(PacketSchema, create(PacketSchema, { frames: [frame] })))
  }

  whole(): Buffer {
    this.#whole ??= frameInPlace(this.#packet.whole(), BINARY)
    return this.#whole
  }

  part(from: number, to: number): Buffer {
    return frameInPlace(this.#packet.part(from, to), BINARY)
  }
}
