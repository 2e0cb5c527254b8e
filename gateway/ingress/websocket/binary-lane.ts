/** The wire form of `porthouse.v1`: each packet one binary WebSocket message. */
import { toBinary } from '@bufbuild/protobuf'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import { PacketWriter } from '../../protocol/packet-writer.ts'
import type { FrameWriter, Lane } from '../../router/lane.ts'
import { BINARY, HEADROOM, writeHeader } from './framing.ts'

export const binaryLane: Lane = {
  name: 'porthouse.v1',
  medium: 'websocket',
  writer: () => new BinaryWriter(),
}

class BinaryWriter extends PacketWriter implements FrameWriter {
  #whole: Buffer | undefined

  constructor() {
    super(HEADROOM)
  }

  frame(frame: Frame): void {
    this.encoded(toBinary(FrameSchema, frame))
  }

  override whole(): Buffer {
    this.#whole ??= super.whole()
    return this.#whole
  }

  protected override header(bytes: Buffer, start: number, end: number): number {
    return writeHeader(bytes, start, end, BINARY)
  }
}
