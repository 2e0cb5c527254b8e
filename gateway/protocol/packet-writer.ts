/**
 * Writes Packets: frames go in once, end to end, and come out as one packet or as the packet of any
 * run of them (PH-2: joining encoded packets makes a packet). Stamps and receipts are written by
 * hand, for they are on the hot path; test/protocol pins both to the generated codec.
 */
import { Reader } from './reader.ts'
import type { ScannedEnvelope } from './scan-envelope.ts'
import type { MessageId } from './uuid7.ts'

/** What the gateway vouches for; see Stamp in envelope.proto. */
export interface Stamp {
  readonly id: MessageId
  /** UTF-8 of the sender's address. */
  readonly from: Uint8Array
  readonly route: number
  /** UTF-8; empty for the room itself. */
  readonly channel: Uint8Array
  /** UTF-8; empty where sent to a room. */
  readonly target: Uint8Array
  /** At most 2^53. */
  readonly sequence: number
  readonly timeMs: number
  /** 0: the one that Joined told. */
  readonly epoch: number
  /** A Replay; 0 for what is live. */
  readonly replay: number
}

/** What writers need of an envelope: its bytes but the routing, in two spans, and its content. */
export type EnvelopeBody = Pick<
  ScannedEnvelope,
  | 'bytes'
  | 'start'
  | 'cutStart'
  | 'cutEnd'
  | 'end'
  | 'content'
  | 'contentStart'
  | 'contentEnd'
  | 'expiresAfter'
  | 'quality'
  | 'retained'
>

/**
 * The facts of a receipt that has no rejections; those that have go through the generated codec.
 */
export interface ReceiptFacts {
  /** A ReceiptStatus. */
  readonly status: number
  readonly id: MessageId
  readonly sockets: number
  readonly sequence: number
  readonly epoch: number
}

/**
 * Memory that writers share: most packets are small and short-lived, and a view is made of each
 * once, when it is whole. Small enough that a reader that stalls keeps little of what is others'.
 */
const SLAB_BYTES = 16_384
/** What a writer takes at first, in bytes; packets of one message mostly fit. */
const START_BYTES = 256

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
let slabUsed = 0

const ID_BYTES = 16
const PACKET_FRAMES_TAG = 0x0a
const FRAME_ID_TAG = 0x08
const FRAME_ENVELOPE_TAG = 0x2a
const FRAME_RECEIPT_TAG = 0x32
const ENVELOPE_STAMP_TAG = 0x12

export class PacketWriter {
  readonly #headroom: number
  #buffer: Buffer = slab
  /** Where the headroom begins, where the next byte goes, and where this writer's memory ends. */
  #start = 0
  #pos = 0
  #end = 0
  frames = 0

  /** `headroom`: bytes left free before the packet, for a transport's own header. */
  constructor(headroom: number) {
    this.#headroom = headroom
  }

  /** Size of the packet so far, in bytes. */
  get bytes(): number {
    return this.#end === 0 ? 0 : this.#pos - this.#start - this.#headroom
  }

  /** All that was written, behind its header. Nothing may be written afterwards. */
  whole(): Buffer {
    if (this.#end === 0) this.#reserve(0)
    const start = this.header(this.#buffer, this.#start + this.#headroom, this.#pos)
    return this.#buffer.subarray(start, this.#pos)
  }

  /** A copy of frames `from` to `to` (exclusive) as a packet, behind its header. */
  part(from: number, to: number): Buffer {
    const reader = new Reader(this.#buffer, this.#start + this.#headroom, this.#pos)
    skipFrames(reader, from)
    const start = reader.pos
    skipFrames(reader, to - from)
    const part = Buffer.allocUnsafeSlow(this.#headroom + reader.pos - start)
    this.#buffer.copy(part, this.#headroom, start, reader.pos)
    return part.subarray(this.header(part, this.#headroom, part.length))
  }

  /**
   * Writes a transport's header right before the packet in bytes[start, end), within the headroom;
   * returns where it begins. A packet by itself has none.
   */
  protected header(_bytes: Buffer, start: number, _end: number): number {
    return start
  }

  /** A frame by the generated codec. */
  encoded(frame: Uint8Array): void {
    this.#openFrame(frame.length)
    this.#bytes(frame)
  }

  /**
   * The envelope with its routing cut out and the stamp put in; all its other bytes as they came.
   */
  envelope(body: EnvelopeBody, stamp: Stamp, frameId = 0): void {
    const { bytes, start, cutStart, cutEnd, end } = body
    const stampSize = sizeOfStamp(stamp)
    const bodySize = cutStart - start + end - cutEnd
    const envelopeSize = 1 + sizeOfVarint(stampSize) + stampSize + bodySize
    const idSize = frameId === 0 ? 0 : 1 + sizeOfVarint(frameId)
    this.#openFrame(idSize + 1 + sizeOfVarint(envelopeSize) + envelopeSize)
    if (frameId !== 0) this.#tagged(FRAME_ID_TAG, frameId)
    this.#tagged(FRAME_ENVELOPE_TAG, envelopeSize)
    this.#tagged(ENVELOPE_STAMP_TAG, stampSize)
    this.#stamp(stamp)
    this.#pos += bytes.copy(this.#buffer, this.#pos, start, cutStart)
    if (cutEnd < end) this.#pos += bytes.copy(this.#buffer, this.#pos, cutEnd, end)
  }

  receipt(frameId: number, receipt: ReceiptFacts): void {
    const size = sizeOfReceipt(receipt)
    const idSize = frameId === 0 ? 0 : 1 + sizeOfVarint(frameId)
    this.#openFrame(idSize + 1 + sizeOfVarint(size) + size)
    if (frameId !== 0) this.#tagged(FRAME_ID_TAG, frameId)
    this.#tagged(FRAME_RECEIPT_TAG, size)
    this.#tagged(0x08, receipt.status)
    this.#id(0x12, receipt.id)
    if (receipt.sockets > 0) this.#tagged(0x18, receipt.sockets)
    if (receipt.sequence > 0) this.#tagged(0x20, receipt.sequence)
    if (receipt.epoch > 0) this.#tagged(0x28, receipt.epoch)
  }

  #openFrame(size: number): void {
    this.#reserve(1 + sizeOfVarint(size) + size)
    this.#tagged(PACKET_FRAMES_TAG, size)
    this.frames++
  }

  #stamp(stamp: Stamp): void {
    this.#id(0x0a, stamp.id)
    this.#lengthDelimited(0x12, stamp.from)
    if (stamp.route > 0) this.#tagged(0x18, stamp.route)
    if (stamp.channel.length > 0) this.#lengthDelimited(0x22, stamp.channel)
    if (stamp.target.length > 0) this.#lengthDelimited(0x2a, stamp.target)
    if (stamp.sequence > 0) this.#tagged(0x30, stamp.sequence)
    this.#tagged(0x38, stamp.timeMs)
    if (stamp.epoch > 0) this.#tagged(0x40, stamp.epoch)
    if (stamp.replay > 0) this.#tagged(0x48, stamp.replay)
  }

  #id(tag: number, { bytes, at }: MessageId): void {
    this.#tagged(tag, ID_BYTES)
    for (let i = 0; i < ID_BYTES; i++) this.#buffer[this.#pos + i] = bytes[at + i] as number
    this.#pos += ID_BYTES
  }

  #lengthDelimited(tag: number, bytes: Uint8Array): void {
    this.#tagged(tag, bytes.length)
    this.#bytes(bytes)
  }

  #bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#pos)
    this.#pos += bytes.length
  }

  /** A one-byte tag, then a varint. */
  #tagged(tag: number, value: number): void {
    const buffer = this.#buffer
    let pos = this.#pos
    buffer[pos++] = tag
    let rest = value
    while (rest >= 0x80) {
      buffer[pos++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    buffer[pos++] = rest
    this.#pos = pos
  }

  /** Takes memory at the first write, and twice as much whenever it is used up. */
  #reserve(size: number): void {
    if (this.#pos + size <= this.#end && this.#end > 0) return
    const used = this.#end === 0 ? this.#headroom : this.#pos - this.#start
    const wanted = Math.max(
      used + size,
      this.#end === 0 ? START_BYTES : 2 * (this.#end - this.#start),
    )
    const from = this.#start
    const old = this.#buffer
    if (wanted > SLAB_BYTES / 4) {
      this.#buffer = Buffer.allocUnsafeSlow(wanted)
      this.#start = 0
    } else {
      if (slabUsed + wanted > SLAB_BYTES) {
        slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
        slabUsed = 0
      }
      this.#buffer = slab
      this.#start = slabUsed
      slabUsed += wanted
    }
    if (this.#end > 0) old.copy(this.#buffer, this.#start, from, from + used)
    this.#pos = this.#start + used
    this.#end = this.#start + wanted
  }
}

function skipFrames(reader: Reader, count: number): void {
  for (let i = 0; i < count; i++) {
    reader.uint32()
    reader.pos = reader.lengthEnd()
  }
}

function sizeOfStamp(stamp: Stamp): number {
  let size = 2 + ID_BYTES + sizeOfBytes(stamp.from)
  if (stamp.route > 0) size += 1 + sizeOfVarint(stamp.route)
  if (stamp.channel.length > 0) size += sizeOfBytes(stamp.channel)
  if (stamp.target.length > 0) size += sizeOfBytes(stamp.target)
  if (stamp.sequence > 0) size += 1 + sizeOfVarint(stamp.sequence)
  if (stamp.epoch > 0) size += 1 + sizeOfVarint(stamp.epoch)
  if (stamp.replay > 0) size += 1 + sizeOfVarint(stamp.replay)
  return size + 1 + sizeOfVarint(stamp.timeMs)
}

function sizeOfReceipt(receipt: ReceiptFacts): number {
  let size = 1 + sizeOfVarint(receipt.status) + 2 + ID_BYTES
  if (receipt.sockets > 0) size += 1 + sizeOfVarint(receipt.sockets)
  if (receipt.sequence > 0) size += 1 + sizeOfVarint(receipt.sequence)
  if (receipt.epoch > 0) size += 1 + sizeOfVarint(receipt.epoch)
  return size
}

function sizeOfBytes(bytes: Uint8Array): number {
  return 1 + sizeOfVarint(bytes.length) + bytes.length
}

/** Bytes of a varint; values up to 2^53. */
function sizeOfVarint(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}
