/** Walks the frames of a Packet without decoding them (PH-2). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from './codes.ts'
import type { Limits } from './limits.ts'
import { expectWireType, LENGTH_DELIMITED, malformed, Reader, VARINT } from './reader.ts'

/** Field numbers of Frame.body; NONE for a frame whose body this side does not know. */
export const FrameKind = {
  NONE: 0,
  HELLO: 2,
  WELCOME: 3,
  LOCK_STEP: 4,
  ENVELOPE: 5,
  RECEIPT: 6,
  ROOM: 7,
  DROP: 8,
  COMMAND: 9,
  EVENT: 10,
  RESUME: 11,
} as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

const PACKET_FRAMES = 1
const FRAME_ID = 1

/** One frame: its id, its kind, and where its body lies in the packet. */
export interface ScannedFrame {
  readonly bytes: Buffer
  id: number
  kind: FrameKind
  start: number
  end: number
}

/**
 * Calls `visit` with each frame of the packet in bytes[start, end), reusing one object for all of
 * them, and with `target`; stops early where `visit` returns false. Returns the offset of what was
 * not visited, or `end`. Throws Refusal for bytes that are not a Packet or are over a limit, having
 * visited what came before.
 */
export function scanPacket<Target>(
  bytes: Buffer,
  start: number,
  end: number,
  limits: Limits,
  visit: (frame: ScannedFrame, target: Target) => boolean,
  target: Target,
): number {
  if (end - start > limits.packetBytes) {
    throw new Refusal(Code.PACKET_TOO_LARGE, `over ${limits.packetBytes} bytes`)
  }
  const reader = new Reader(bytes, start, end)
  const frame: ScannedFrame = { bytes, id: 0, kind: FrameKind.NONE, start: 0, end: 0 }
  let frames = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag >>> 3 === PACKET_FRAMES) {
      expectWireType(tag & 7, LENGTH_DELIMITED)
      if (++frames > limits.packetFrames) {
        throw new Refusal(Code.TOO_MANY_FRAMES, `over ${limits.packetFrames} frames`)
      }
      reader.end = reader.lengthEnd()
      if (reader.end - reader.pos > limits.frameBytes) {
        throw new Refusal(Code.FRAME_TOO_LARGE, `over ${limits.frameBytes} bytes`)
      }
      scanFrame(reader, frame)
      reader.end = end
      if (!visit(frame, target)) return reader.pos
    } else {
      skipUnknown(reader, tag)
    }
  }
  return end
}

function scanFrame(reader: Reader, frame: ScannedFrame): void {
  frame.id = 0
  frame.kind = FrameKind.NONE
  while (reader.pos < reader.end) {
    const tag = reader.uint32()
    const field = tag >>> 3
    if (field >= FrameKind.HELLO && field <= FrameKind.RESUME) {
      expectWireType(tag & 7, LENGTH_DELIMITED)
      if (frame.kind !== FrameKind.NONE) throw malformed('two bodies in one frame')
      frame.kind = field as FrameKind
      frame.end = reader.lengthEnd()
      frame.start = reader.pos
      reader.pos = frame.end
    } else if (field === FRAME_ID) {
      expectWireType(tag & 7, VARINT)
      frame.id = reader.uint32()
    } else {
      skipUnknown(reader, tag)
    }
  }
}

/** Moves past a field that this version does not know. */
export function skipUnknown(reader: Reader, tag: number): void {
  if (tag >>> 3 === 0) throw malformed('field number 0')
  reader.skip(tag & 7)
}
