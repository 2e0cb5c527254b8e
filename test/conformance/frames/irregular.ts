/**
 * What Protobuf's decoders understand differently, or not at all. A gateway refuses it in Packet,
 * Frame, Envelope, Routing and headers [PH-2.6]; what else a client sends nobody but it reads.
 */
import { isUtf8 } from 'node:buffer'
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'

/** Each by its name, and who does what with it. */
export const IRREGULAR = {
  'another wire type': 'TypeScript reads on as if it were its own, Go skips the field, C refuses',
  group: 'TypeScript and Go skip one of a field they do not know, C refuses',
  'too large a number':
    'where it is over 32 bits, TypeScript and Go cut it; C refuses, or keeps it',
  'past its end': 'TypeScript reads on behind the end of a message within another; Go and C refuse',
  'not UTF-8': 'C hands a text over as it is; TypeScript and Go refuse',
  'no field': 'a wire type or a number that there is not; all refuse',
} as const

export type Irregularity = keyof typeof IRREGULAR

/** A message by the numbers of its fields; undefined for one that it does not have. */
type Shape = (number: number) => Kind | undefined

interface Kind {
  readonly wire: number
  /** Of a varint. */
  readonly highest?: bigint
  readonly isText?: boolean
  readonly inner?: Shape
}

const [VARINT, FIXED64, DELIMITED, GROUP, GROUP_END, FIXED32] = [0, 1, 2, 3, 4, 5]
const BITS_32 = 0xffff_ffffn
const BITS_64 = 0xffff_ffff_ffff_ffffn

/** The first irregularity; messages for which `isOpaque` says so are not looked into. */
export function irregularity(
  desc: DescMessage,
  bytes: Uint8Array,
  isOpaque = (_: DescMessage) => false,
): Irregularity | undefined {
  return inMessage(shapeOf(desc, isOpaque), bytes)
}

function inMessage(shape: Shape | undefined, bytes: Uint8Array): Irregularity | undefined {
  const reader = { bytes, at: 0 }
  while (reader.at < bytes.length) {
    const found = inField(shape, reader)
    if (found) return found
  }
  return undefined
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
}

function inField(shape: Shape | undefined, reader: Reader): Irregularity | undefined {
  const start = reader.at
  const tag = varint(reader)
  if (tag === undefined) return 'past its end'
  // TypeScript refuses a tag of more bytes than it may need, whatever it says.
  if (tag > BITS_32 || reader.at > start + 5) return 'too large a number'
  const [number, wire] = [Number(tag >> 3n), Number(tag & 7n)]
  if (number === 0 || wire > FIXED32) return 'no field'
  if (wire === GROUP || wire === GROUP_END) return 'group'
  const kind = shape?.(number)
  if (kind && kind.wire !== wire) return 'another wire type'
  if (wire === VARINT || wire === DELIMITED) return inValue(kind, wire, reader)
  reader.at += wire === FIXED64 ? 8 : 4
  return reader.at > reader.bytes.length ? 'past its end' : undefined
}

function inValue(kind: Kind | undefined, wire: number, reader: Reader): Irregularity | undefined {
  const value = varint(reader)
  if (value === undefined) return 'past its end'
  if (wire === VARINT) {
    return value > (kind?.highest ?? BITS_64) ? 'too large a number' : undefined
  }
  if (value > BITS_32) return 'too large a number'
  const inner = reader.bytes.subarray(reader.at, reader.at + Number(value))
  reader.at += Number(value)
  if (reader.at > reader.bytes.length) return 'past its end'
  if (kind?.isText && !isUtf8(inner)) return 'not UTF-8'
  return kind?.inner && inMessage(kind.inner, inner)
}

/** Undefined where the bytes end; over 64 bits for one of more than 64 bits or 10 bytes. */
function varint(reader: Reader): bigint | undefined {
  let value = 0n
  for (let length = 0; ; length++) {
    const byte = reader.bytes[reader.at++]
    if (byte === undefined) return undefined
    if (length === 10) return BITS_64 + 1n
    value |= BigInt(byte & 0x7f) << BigInt(7 * length)
    if (byte < 0x80) return value
  }
}

function shapeOf(desc: DescMessage, isOpaque: (desc: DescMessage) => boolean): Shape {
  const kindOf = (field: DescField): Kind => {
    if (field.fieldKind === 'map') return { wire: DELIMITED, inner: entryShape }
    if (field.message) {
      if (isOpaque(field.message)) return { wire: DELIMITED }
      return { wire: DELIMITED, inner: shapeOf(field.message, isOpaque) }
    }
    return field.enum ? { wire: VARINT, highest: BITS_32 >> 1n } : scalarKind(field.scalar)
  }
  return (number) => {
    const field = desc.fields.find((each) => each.number === number)
    return field && kindOf(field)
  }
}

/** Names and values of each map of the protocol are texts. */
function entryShape(number: number): Kind | undefined {
  return number <= 2 ? { wire: DELIMITED, isText: true } : undefined
}

function scalarKind(type: ScalarType | undefined): Kind {
  switch (type) {
    case ScalarType.UINT64:
      return { wire: VARINT, highest: BITS_64 }
    case ScalarType.UINT32:
    case ScalarType.BOOL:
      return { wire: VARINT, highest: BITS_32 }
    case ScalarType.DOUBLE:
      return { wire: FIXED64 }
    default:
      return { wire: DELIMITED, isText: type === ScalarType.STRING }
  }
}
