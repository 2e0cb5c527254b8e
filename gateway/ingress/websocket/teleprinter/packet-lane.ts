/**
 * The lane of teleprinters: bare packets, which never leave the process. A teleprinter is a client
 * that happens to live in the gateway; what it shows depends on what it was shown before, so each
 * reads its packets for itself.
 */
import { toBinary } from '@bufbuild/protobuf'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import { PacketWriter } from '../../../protocol/packet-writer.ts'
import type { FrameWriter, Lane } from '../../../router/lane.ts'

export const packetLane: Lane = {
  name: 'teleprinter',
  medium: 'teleprinter',
  writer: () => new BarePacketWriter(),
}

class BarePacketWriter extends PacketWriter implements FrameWriter {
  constructor() {
    super(0)
  }

  frame(frame: Frame): void {
    this.encoded(toBinary(FrameSchema, frame))
  }
}
