/**
 * Bytes of a client to packets, strictly: [MQTT-4.13.1-1], threats M1 to M19. Framing is done here,
 * so that nothing is parsed that is not whole, and nothing is kept for a size that was only said.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Packet } from 'mqtt-packet'
import { checkFirstByte, checkOrder, type Version } from './kind.ts'
import { MqttError, malformed, Reason } from './mqtt-error.ts'
import { readConnect, readPacket, type Span, versionOf } from './packet.ts'

/** Whose packets they are. */
export interface PacketHost {
  /** A packet's greatest size, its fixed header included; asked for each one, in bytes. */
  bytesMax(): number
  /**
   * Called for each packet, in order, from within read() or go(). Buffers of the packet are views
   * of the chunk it came in: copy what is to last, or the whole chunk stays in memory with it.
   */
  onPacket(packet: Packet): void
}

/** Of a CONNECT, whatever bytesMax says: nobody knows yet who it is (M7). */
const CONNECT_BYTES_MAX = 65_536

/** Of the remaining length. */
const LENGTH_BYTES_MAX = 4

const NOTHING = Buffer.alloc(0)

export class PacketReader {
  /** What the client speaks; MQTT 3.1.1 until its CONNECT has said it, right or wrong. */
  version: Version = 4
  readonly #host: PacketHost
  /** What is not handled yet is #bytes[#start, #end). */
  #bytes: Buffer = NOTHING
  #start = 0
  #end = 0
  /** Whether #bytes is memory of the reader's own, and not the chunk it is handed. */
  #own = false
  #connected = false
  #reading = false
  #holding = false
  #stopped = false

  constructor(host: PacketHost) {
    this.#host = host
  }

  /** Memory of its own for packets that are not whole or have to wait, in bytes. */
  get held(): number {
    return this.#own ? this.#bytes.length : 0
  }

  /**
   * Takes the next bytes, which are not kept beyond the call but as views in packets. Throws
   * MqttError for what MQTT does not allow, and whatever onPacket throws; it has stopped then.
   */
  read(chunk: Buffer): void {
    if (this.#stopped) return
    this.#take(chunk)
    this.#run()
  }

  /** Handles no more packets until go(); what is read meanwhile waits as bytes, unbounded here. */
  hold(): void {
    this.#holding = true
  }

  /** Throws as read() does. */
  go(): void {
    this.#holding = false
    this.#run()
  }

  /** Handles nothing more, and lets go what waits. */
  stop(): void {
    this.#stopped = true
    this.#drop()
  }

  #take(chunk: Buffer): void {
    const size = this.#end - this.#start
    if (size === 0) {
      this.#bytes = chunk
      this.#start = 0
      this.#end = chunk.length
      this.#own = false
      return
    }
    const room = this.#own ? this.#bytes.length - this.#end : 0
    // Twice of what came, so that single bytes cost no more than many at once.
    if (chunk.length > room) this.#move(Math.max(size + chunk.length, 2 * size))
    chunk.copy(this.#bytes, this.#end)
    this.#end += chunk.length
  }

  #run(): void {
    // A call from within onPacket leaves the rest to the call that is under way.
    if (this.#reading) return
    this.#reading = true
    try {
      while (!this.#holding && !this.#stopped && this.#next());
    } catch (error) {
      this.stop()
      throw error
    } finally {
      this.#reading = false
      this.#keep()
    }
  }

  /** Handles the next packet, if it is whole. */
  #next(): boolean {
    const size = this.#end - this.#start
    if (size === 0) return false
    const bytes = this.#bytes
    const start = this.#start
    const first = bytes[start] as number
    checkOrder(first, this.#connected)
    checkFirstByte(first, this.version)
    const body = bodyOf(bytes, start, this.#end)
    if (body === 0) return false
    const end = body + lengthOf(bytes, start + 1, body)
    if (end - start > this.#limit()) throw tooLarge()
    if (end > this.#end) return false
    this.#start = end
    this.#host.onPacket(this.#read({ bytes, start, body, end }))
    return true
  }

  #read(span: Span): Packet {
    if (!this.#connected) this.version = versionOf(span)
    // The remaining length has no zeros to spare [MQTT-1.5.5-1]; before MQTT 5 nothing forbids it.
    if (this.version === 5 && span.body - span.start > 2 && span.bytes[span.body - 1] === 0) {
      throw malformed('a remaining length longer than it needs')
    }
    if (this.#connected) return readPacket(span, this.version)
    this.#connected = true
    return readConnect(span, this.version)
  }

  #limit(): number {
    const bytesMax = this.#host.bytesMax()
    return this.#connected ? bytesMax : Math.min(bytesMax, CONNECT_BYTES_MAX)
  }

  /** After a call: what is left of a chunk goes to memory of its own, as small as it is. */
  #keep(): void {
    const size = this.#end - this.#start
    if (size === 0) this.#drop()
    else if (!this.#own || this.#start > size) this.#move(size)
  }

  /** To memory of its own with room for `capacity`; what lies in the old one stays as it is. */
  #move(capacity: number): void {
    const bytes = Buffer.allocUnsafeSlow(capacity)
    this.#end = this.#bytes.copy(bytes, 0, this.#start, this.#end)
    this.#start = 0
    this.#bytes = bytes
    this.#own = true
  }

  #drop(): void {
    this.#bytes = NOTHING
    this.#start = 0
    this.#end = 0
    this.#own = false
  }
}

/** Where the body begins of the packet at `start`; 0 where its fixed header is not there yet. */
function bodyOf(bytes: Buffer, start: number, end: number): number {
  for (let pos = start + 1; pos <= start + LENGTH_BYTES_MAX; pos++) {
    if (pos === end) return 0
    if ((bytes[pos] as number) < 0x80) return pos + 1
  }
  throw malformed('a remaining length over four bytes')
}

/** The remaining length, whose bytes are bytes[start, end). */
function lengthOf(bytes: Buffer, start: number, end: number): number {
  let length = 0
  for (let pos = end - 1; pos >= start; pos--) {
    length = length * 0x80 + ((bytes[pos] as number) & 0x7f)
  }
  return length
}

function tooLarge(): MqttError {
  const detail = 'a packet over the size that is taken'
  return new MqttError(Reason.PACKET_TOO_LARGE, Code.PACKET_TOO_LARGE, detail)
}
