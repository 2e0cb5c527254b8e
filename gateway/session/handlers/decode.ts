/** Decodes the body of a frame that is off the hot path. */
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import { malformed } from '../../protocol/reader.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'

/** Throws Refusal MALFORMED_PACKET. */
export function decode<Desc extends DescMessage>(
  schema: Desc,
  frame: ScannedFrame,
): MessageShape<Desc> {
  try {
    return fromBinary(schema, frame.bytes.subarray(frame.start, frame.end))
  } catch {
    throw malformed(`not a ${schema.name}`)
  }
}
