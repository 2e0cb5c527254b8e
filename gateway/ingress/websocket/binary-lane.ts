/** The wire form of `porthouse.v1`: each packet one binary WebSocket message. */
import { create, toBinary } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import { PacketWriter } from '../../protocol/packet-writer.ts'
import type { FrameWriter, Lane } from '../../router/lane.ts'
import { BINARY, frameInPlace, HEADROOM } from './framing.ts'

export const binaryLane: Lane = {
  name: 'porthouse.v1',
  writer: () => new BinaryWriter(),
}

class BinaryWriter extends PacketWriter implements FrameWriter {
  #framed: Buffer | undefined

  constructor() {
    super(HEADROOM)
  }

  frame(frame: Frame): void {
    this.packet(toBinary(PacketSchema, create(PacketSchema, { frames: [frame] })))
  }

  override whole(): Buffer {
    this.#framed ??= frameInPlace(super.whole(), BINARY)
    return this.#framed
  }

  override part(from: number, to: number): Buffer {
    return frameInPlace(super.part(from, to), BINARY)
  }
}
