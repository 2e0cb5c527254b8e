/**
 * Writes Packets into one growing buffer: frames go in once, end to end, and come out as one packet or
 * as the packet of any run of them (PH-2: joining encoded packets makes a packet). Stamps and receipts
 * are written by hand, for they are on the hot path; test/protocol pins both to the generated codec.
 */
import type { ScannedEnvelope } from './scan-envelope.ts'

/** What the gateway vouches for; see Stamp in envelope.proto. Sizes in bytes. */
export interface Stamp {
  /** 16. */
  readonly id: Uint8Array
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
}

/** The facts of a receipt that has no rejections; those that have go through the generated codec. */
export interface ReceiptFacts {
  /** A ReceiptStatus. */
  readonly status: number
  readonly id: Uint8Array
  readonly sockets: number
  readonly sequence: number
  readonly epoch: number
}

const START_BYTES = 512

const PACKET_FRAMES_TAG = 0x0a
const FRAME_ID_TAG = 0x08
const FRAME_ENVELOPE_TAG = 0x2a
const FRAME_RECEIPT_TAG = 0x32
const ENVELOPE_STAMP_TAG = 0x12

export class PacketWriter {
  readonly #headroom: number
  #buffer: Buffer
  #pos: number
  /** Where each frame ends. */
  readonly #ends: number[] = []

  /** `headroom`: bytes left free before the packet, for a transport's own header. */
  constructor(headroom: number) {
    this.#headroom = headroom
    this.#buffer = Buffer.allocUnsafe(START_BYTES)
    this.#pos = headroom
  }

  /** Size of the packet so far, in bytes. */
  get bytes(): number {
    return this.#pos - this.#headroom
  }

  get frames(): number {
    return this.#ends.length
  }

  /** Everything written, with its headroom before it. Nothing may be written afterwards. */
  whole(): Buffer {
    return this.#buffer.subarray(0, this.#pos)
  }

  /** A copy of frames `from` to `to` (exclusive) as a packet, with headroom before it. */
  part(from: number, to: number): Buffer {
    const start = this.#startOf(from)
    const end = this.#startOf(to)
    const part = Buffer.allocUnsafe(this.#headroom + end - start)
    this.#buffer.copy(part, this.#headroom, start, end)
    return part
  }

  #startOf(frame: number): number {
    return frame === 0 ? this.#headroom : (this.#ends[frame - 1] as number)
  }

  /** A frame already encoded as a whole Packet by the generated codec. */
  packet(packet: Uint8Array): void {
    this.#reserve(packet.length)
    this.#bytes(packet)
    this.#ends.push(this.#pos)
  }

  /** The envelope with its routing cut out and the stamp put in; all its other bytes as they came. */
  envelope(envelope: ScannedEnvelope, stamp: Stamp): void {
    const { bytes, start, cutStart, cutEnd, end } = envelope
    const bodySize = cutStart - start + end - cutEnd
    const stampSize = sizeOfStamp(stamp)
    const envelopeSize = 1 + sizeOfVarint(stampSize) + stampSize + bodySize
    const frameSize = 1 + sizeOfVarint(envelopeSize) + envelopeSize
    this.#reserve(1 + sizeOfVarint(frameSize) + frameSize)
    this.#tagged(PACKET_FRAMES_TAG, frameSize)
    this.#tagged(FRAME_ENVELOPE_TAG, envelopeSize)
    this.#tagged(ENVELOPE_STAMP_TAG, stampSize)
    this.#stamp(stamp)
    this.#pos += bytes.copy(this.#buffer, this.#pos, start, cutStart)
    this.#pos += bytes.copy(this.#buffer, this.#pos, cutEnd, end)
    this.#ends.push(this.#pos)
  }

  receipt(frameId: number, receipt: ReceiptFacts): void {
    const size = sizeOfReceipt(receipt)
    const idSize = frameId === 0 ? 0 : 1 + sizeOfVarint(frameId)
    const frameSize = idSize + 1 + sizeOfVarint(size) + size
    this.#reserve(1 + sizeOfVarint(frameSize) + frameSize)
    this.#tagged(PACKET_FRAMES_TAG, frameSize)
    if (frameId !== 0) this.#tagged(FRAME_ID_TAG, frameId)
    this.#tagged(FRAME_RECEIPT_TAG, size)
    this.#tagged(0x08, receipt.status)
    this.#lengthDelimited(0x12, receipt.id)
    if (receipt.sockets > 0) this.#tagged(0x18, receipt.sockets)
    if (receipt.sequence > 0) this.#tagged(0x20, receipt.sequence)
    if (receipt.epoch > 0) this.#tagged(0x28, receipt.epoch)
    this.#ends.push(this.#pos)
  }

  #stamp(stamp: Stamp): void {
    this.#lengthDelimited(0x0a, stamp.id)
    this.#lengthDelimited(0x12, stamp.from)
    if (stamp.route > 0) this.#tagged(0x18, stamp.route)
    if (stamp.channel.length > 0) this.#lengthDelimited(0x22, stamp.channel)
    if (stamp.target.length > 0) this.#lengthDelimited(0x2a, stamp.target)
    if (stamp.sequence > 0) this.#tagged(0x30, stamp.sequence)
    this.#tagged(0x38, stamp.timeMs)
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

  #reserve(size: number): void {
    const needed = this.#pos + size
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#pos)
    this.#buffer = grown
  }
}

function sizeOfStamp(stamp: Stamp): number {
  let size = 2 + stamp.id.length + 1 + sizeOfVarint(stamp.from.length) + stamp.from.length
  if (stamp.route > 0) size += 1 + sizeOfVarint(stamp.route)
  if (stamp.channel.length > 0)
    size += 1 + sizeOfVarint(stamp.channel.length) + stamp.channel.length
  if (stamp.target.length > 0) size += 1 + sizeOfVarint(stamp.target.length) + stamp.target.length
  if (stamp.sequence > 0) size += 1 + sizeOfVarint(stamp.sequence)
  return size + 1 + sizeOfVarint(stamp.timeMs)
}

function sizeOfReceipt(receipt: ReceiptFacts): number {
  let size = 1 + sizeOfVarint(receipt.status) + 2 + receipt.id.length
  if (receipt.sockets > 0) size += 1 + sizeOfVarint(receipt.sockets)
  if (receipt.sequence > 0) size += 1 + sizeOfVarint(receipt.sequence)
  if (receipt.epoch > 0) size += 1 + sizeOfVarint(receipt.epoch)
  return size
}

/** Bytes of a varint; values up to 2^53. */
export function sizeOfVarint(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}
