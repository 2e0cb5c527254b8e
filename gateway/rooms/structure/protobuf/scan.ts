/**
 * Goes over an encoded message without decoding it: whether its known fields are what the type says
 * they are. Codecs differ in what they make of a wrong wire type; here it is refused.
 */
import { isUtf8 } from 'node:buffer'
import { Refusal } from '../../../protocol/codes.ts'
import { Reader } from '../../../protocol/reader.ts'
import { DEPTH_MAX } from '../json-text.ts'
import { contentInvalid, misfit } from '../misfit.ts'
import { type FieldShape, type Shape, WireKind } from './shape.ts'

/**
 * Values of known fields that a message may have if it has to be decoded, for its rules or as JSON:
 * each may be a message, and take some 10 µs.
 */
export const DECODED_MAX = 16_384

/** Gives the number of values of known fields. Throws Refusal CONTENT_INVALID. */
export function scanMessage(bytes: Buffer, shape: Shape): number {
  const scan = new Scan(bytes)
  try {
    scan.message(shape)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw contentInvalid({ path: scan.path.reverse(), reason: error.detail })
  }
  return scan.values
}

class Scan {
  /** Names of the fields that it is within. */
  readonly path: string[] = []
  values = 0
  readonly #reader: Reader

  constructor(bytes: Buffer) {
    this.#reader = new Reader(bytes)
  }

  message({ fields, required }: Shape): void {
    if (this.path.length > DEPTH_MAX) throw invalid(`nested over ${DEPTH_MAX} deep`)
    const reader = this.#reader
    const found = required.length > 0 ? new Set<number>() : undefined
    while (reader.pos < reader.end) {
      const tag = reader.uint32()
      const number = tag >>> 3
      if (number === 0) throw invalid('a field with number 0')
      const field = fields.get(number)
      if (field) {
        found?.add(number)
        this.path.push(field.name)
        this.#field(field, tag & 7)
        this.path.pop()
      } else {
        reader.skip(tag & 7)
      }
    }
    const missing = required.find((number) => !found?.has(number))
    if (missing !== undefined) throw invalid(`lacks ${fields.get(missing)?.name}`)
  }

  #field(field: FieldShape, wire: number): void {
    this.values++
    if (wire === field.wire && wire !== WireKind.LENGTH) return this.#reader.skip(wire)
    if (wire !== WireKind.LENGTH || (wire !== field.wire && !field.packable)) {
      throw invalid('not of the wire type that it has')
    }
    const outer = this.#reader.end
    const end = this.#reader.lengthEnd()
    this.#reader.end = end
    if (field.packable) this.#packed(field.wire)
    else if (field.shape) this.message(field.shape)
    else this.#text(field)
    this.#reader.pos = end
    this.#reader.end = outer
  }

  #packed(wire: WireKind): void {
    const reader = this.#reader
    for (; reader.pos < reader.end; this.values++) reader.skip(wire)
  }

  #text({ utf8 }: FieldShape): void {
    const { bytes, pos, end } = this.#reader
    if (utf8 && !isUtf8(bytes.subarray(pos, end))) throw invalid('not UTF-8')
  }
}

function invalid(reason: string): Refusal {
  return contentInvalid(misfit(reason))
}
