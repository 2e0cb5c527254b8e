/**
 * Reads the fields of one whole packet in their order (MQTT 5 section 1.5), and never beyond it.
 * Throws MqttError 0x81 for whatever is cut short or not of its type.
 */
import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import { malformed } from '../mqtt-error.ts'

export class Cursor {
  readonly bytes: Buffer
  readonly end: number
  pos: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes
    this.pos = start
    this.end = end
  }

  get left(): number {
    return this.end - this.pos
  }

  byte(): number {
    return this.bytes[this.#advance(1)] as number
  }

  int16(): number {
    const pos = this.#advance(2)
    return ((this.bytes[pos] as number) << 8) | (this.bytes[pos + 1] as number)
  }

  int32(): number {
    return this.bytes.readUInt32BE(this.#advance(4))
  }

  /** A variable byte integer, as short as it can be [MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw malformed('a variable byte integer longer than it needs')
        return value
      }
    }
    throw malformed('a variable byte integer over four bytes')
  }

  /** A view of what was read. */
  binary(): Buffer {
    const size = this.int16()
    const start = this.#advance(size)
    return this.bytes.subarray(start, start + size)
  }

  /**
   * A string: well-formed UTF-8 without U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2] (M6). Control
   * characters and noncharacters may stand in it; a BOM stays [MQTT-1.5.4-3].
   */
  text(): string {
    const size = this.int16()
    const start = this.#advance(size)
    return textOf(this.bytes, start, start + size)
  }

  /** A packet identifier, which is never 0 [MQTT-2.2.1-3]. */
  messageId(): number {
    const id = this.int16()
    if (id === 0) throw malformed('a packet identifier of 0')
    return id
  }

  /** One over the next `size` bytes, which are behind this one then. */
  inner(size: number): Cursor {
    const start = this.#advance(size)
    return new Cursor(this.bytes, start, start + size)
  }

  /** The bytes that are left, as a view of what was read. */
  rest(): Buffer {
    return this.bytes.subarray(this.pos, this.end)
  }

  /** Nothing may follow the last field. */
  finish(): void {
    if (this.pos < this.end) throw malformed('bytes after the last field')
  }

  /** Where the next `size` bytes begin; they are behind it then. */
  #advance(size: number): number {
    const { pos } = this
    if (size > this.end - pos) throw malformed('a field is cut short')
    this.pos = pos + size
    return pos
  }
}

function textOf(bytes: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if (byte === 0 || byte > 0x7f) return checkedText(bytes.subarray(start, end))
  }
  return bytes.toString('latin1', start, end)
}

function checkedText(bytes: Buffer): string {
  if (bytes.includes(0)) throw malformed('a string holds U+0000', Code.INVALID_UTF8)
  if (!isUtf8(bytes)) throw malformed('a string is not UTF-8', Code.INVALID_UTF8)
  return bytes.toString()
}
