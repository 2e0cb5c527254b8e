/**
 * What a wire form gives to fan-out. Each transport declares its own; the router knows none of
 * them.
 */
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Medium } from '../observe/counts.ts'
import type { EnvelopeBody, ReceiptFacts, Stamp } from '../protocol/packet-writer.ts'
import type { Structure } from './structure.ts'

/** One wire form, for instance binary WebSocket: an object that all of its sockets share. */
export interface Lane {
  readonly name: string
  readonly medium: Medium
  /** `place`: `{account}/{room}` of the room that all messages are of, if they are of one. */
  writer(place?: string): FrameWriter
}

/**
 * Gathers frames of one lane, each encoded once, into bytes that a socket of that lane can write.
 */
export interface FrameWriter {
  /** So far, in bytes, before the transport's own framing. */
  readonly bytes: number
  readonly frames: number
  /**
   * `frameId`: of the request that it answers. `structure`: of the room that it was sent to, if
   * that has one.
   */
  envelope(body: EnvelopeBody, stamp: Stamp, frameId?: number, structure?: Structure): void
  receipt(frameId: number, receipt: ReceiptFacts): void
  frame(frame: Frame): void
  /** All frames, ready for the wire, the same bytes at each call. Nothing is added afterwards. */
  whole(): Buffer
  /** Frames `from` to `to` (exclusive) alone, ready for the wire. */
  part(from: number, to: number): Buffer
}
