/** What a gateway makes of bytes from a client, up to the frames' handlers. */
import { codeInfo, Refusal } from '../../gateway/protocol/codes.ts'
import type { Limits } from '../../gateway/protocol/limits.ts'
import { scanEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import { FrameKind, type ScannedFrame, scanPacket } from '../../gateway/protocol/scan-packet.ts'

/** Those of a gateway whose config says nothing of them. */
export const defaultLimits: Limits = {
  packetBytes: 1_048_576,
  packetFrames: 1024,
  frameBytes: 524_288,
  payloadBytes: 262_144,
  headersBytes: 8192,
  headers: 64,
  destinations: 64,
  rooms: 1024,
  subscriptions: 1024,
}

/** The number of frames that are taken. Throws Refusal. */
export function framesTaken(bytes: Buffer, limits = defaultLimits): number {
  let frames = 0
  const visit = (frame: ScannedFrame) => {
    frames++
    if (frame.kind === FrameKind.ENVELOPE) scanEnvelope(bytes, frame.start, frame.end, limits)
    return true
  }
  scanPacket(bytes, 0, bytes.length, limits, visit, undefined)
  return frames
}

/** Name of the code with which something is refused; undefined where it is not. */
export function refusalOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return codeInfo(error.code).name
    throw error
  }
}
