/**
 * Reads the Protobuf wire format where it is on the hot path, and refuses what a scanner and a
 * codec could understand differently: groups, tags and lengths over 32 bits, varints over 10 bytes.
 */
import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from './codes.ts'

export const VARINT = 0
const FIXED64 = 1
export const LENGTH_DELIMITED = 2
const FIXED32 = 5

/**
 * A position in bytes that never runs past `end`. To read a message within a message, `end` is set
 * to the inner one's and back again, so that no object is made for it.
 */
export class Reader {
  readonly bytes: Buffer
  end: number
  pos: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.pos = start
    this.end = end
  }

  /** A varint of at most 32 bits: a tag, a length, a uint32, an enum. */
  uint32(): number {
    if (this.pos >= this.end) throw malformed('a varint runs past its end')
    const first = this.bytes[this.pos++] as number
    return first < 0x80 ? first : this.#uint32Rest(first & 0x7f)
  }

  #uint32Rest(value: number): number {
    let result = value
    for (let scale = 0x80; scale <= 0x10000000; scale *= 0x80) {
      if (this.pos >= this.end) throw malformed('a varint runs past its end')
      const byte = this.bytes[this.pos++] as number
      result += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (result > 0xffffffff) break
        return result
      }
    }
    throw malformed('a varint is over 32 bits')
  }

  /** The end of a length-delimited field whose tag was just read; moves to its first byte. */
  lengthEnd(): number {
    const length = this.uint32()
    const end = this.pos + length
    if (end > this.end) throw malformed('a field is longer than what holds it')
    return end
  }

  /** Moves past the value of a field that is of no interest here. */
  skip(wireType: number): void {
    if (wireType === LENGTH_DELIMITED) this.pos = this.lengthEnd()
    else if (wireType === VARINT) this.#skipVarint()
    else if (wireType === FIXED64) this.#advance(8)
    else if (wireType === FIXED32) this.#advance(4)
    else throw malformed('a group, or a wire type that does not exist')
  }

  #skipVarint(): void {
    for (let size = 0; size < 10; size++) {
      if (this.pos >= this.end) throw malformed('a varint runs past its end')
      const byte = this.bytes[this.pos++] as number
      if (byte < 0x80) {
        // The tenth byte holds bit 63 alone.
        if (size === 9 && byte > 1) break
        return
      }
    }
    throw malformed('a varint is over 64 bits')
  }

  #advance(size: number): void {
    if (this.pos + size > this.end) throw malformed('a fixed field runs past its end')
    this.pos += size
  }

  /** The string of a length-delimited field whose tag was just read. */
  string(bytesMax: number, what: string): string {
    const end = this.text(bytesMax, what)
    const text = this.bytes.toString('utf8', this.pos, end)
    this.pos = end
    return text
  }

  /** Checks a string's length and UTF-8 without making it; gives its end and stays at its start. */
  text(bytesMax: number, what: string): number {
    const end = this.lengthEnd()
    if (end - this.pos > bytesMax) {
      throw new Refusal(Code.NAME_TOO_LONG, `${what} is over ${bytesMax} bytes`)
    }
    if (!isUtf8(this.bytes.subarray(this.pos, end))) throw invalidUtf8(what)
    return end
  }
}

/** Refuses a known field of another wire type than its own. */
export function expectWireType(actual: number, expected: number): void {
  if (actual !== expected) throw malformed('a known field with a wrong wire type')
}

export function malformed(detail: string): Refusal {
  return new Refusal(Code.MALFORMED_PACKET, detail)
}

export function invalidUtf8(what: string): Refusal {
  return new Refusal(Code.INVALID_UTF8, `${what} is not UTF-8`)
}
