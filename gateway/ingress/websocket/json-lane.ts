/**
 * The wire form of `porthouse.v1.json`, for people and scripts: each packet one text message, in
 * the Protobuf JSON mapping. Fields that this version does not know have no names in it and are
 * dropped.
 */
import { create, fromBinary, toJsonString } from '@bufbuild/protobuf'
import { type Frame, FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import {
  type EnvelopeBody,
  PacketWriter,
  type ReceiptFacts,
  type Stamp,
} from '../../protocol/packet-writer.ts'
import type { FrameWriter, Lane } from '../../router/lane.ts'
import type { Structure } from '../../router/structure.ts'
import { HEADROOM, TEXT, writeHeader } from './framing.ts'

export const jsonLane: Lane = {
  name: 'porthouse.v1.json',
  medium: 'websocket-json',
  writer: () => new JsonWriter(),
}

/** The message encoded last: one that goes to several audiences is encoded once. */
let latest: { stamp: Stamp; text: string } | undefined

/** A Protobuf room's content is text here, and anybody may read it (R20). */
function encode(
  body: EnvelopeBody,
  stamp: Stamp,
  frameId: number,
  structure: Structure | undefined,
): string {
  const packet = new PacketWriter(0)
  packet.envelope(body, stamp, frameId)
  const frame = onlyFrame(packet)
  const value = structure?.textOf(body)
  if (value !== undefined && frame.body.case === 'envelope') {
    frame.body.value.content = { case: 'text', value }
  }
  return toJsonString(FrameSchema, frame)
}

function onlyFrame(packet: PacketWriter): Frame {
  const [frame] = fromBinary(PacketSchema, packet.whole()).frames
  return frame ?? create(FrameSchema)
}

class JsonWriter implements FrameWriter {
  readonly #texts: string[] = []
  #whole: Buffer | undefined
  bytes = 0

  get frames(): number {
    return this.#texts.length
  }

  envelope(body: EnvelopeBody, stamp: Stamp, frameId = 0, structure?: Structure): void {
    if (frameId !== 0) return this.#add(encode(body, stamp, frameId, structure))
    if (latest?.stamp !== stamp) latest = { stamp, text: encode(body, stamp, 0, structure) }
    this.#add(latest.text)
  }

  receipt(frameId: number, receipt: ReceiptFacts): void {
    const packet = new PacketWriter(0)
    packet.receipt(frameId, receipt)
    this.#add(toJsonString(FrameSchema, onlyFrame(packet)))
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
