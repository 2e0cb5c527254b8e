/**
 * Whether bytes are a message as a careful encoder writes it: what no two decoders understand
 * differently (PH-2.6). Walks the wire format by the schema, at every depth.
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'

/** The bytes are not as they should be; the message says where and how. */
export class BadEncoding extends Error {}

/** Protobuf's wire types. */
const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

interface Entry {
  readonly number: number
  readonly wireType: number
  /** Of a varint its value; of what has a length, those bytes. */
  readonly value: bigint
  readonly bytes: Uint8Array
}

/** Throws BadEncoding. Numbers that the schema does not have are told to `unknown`. */
export function checkEncoding(
  schema: DescMessage,
  bytes: Uint8Array,
  unknown: (message: string, number: number) => void,
  path = schema.name,
): void {
  const seen = new Set<string>()
  for (const entry of entries(bytes, path)) {
    const field = schema.fields.find(({ number }) => number === entry.number)
    if (!field) {
      unknown(schema.name, entry.number)
      continue
    }
    const where = `${path}.${field.name}`
    checkOnce(field, seen, where)
    checkValue(field, entry, where)
    const inner = messageOf(field)
    if (inner) checkEncoding(inner, entry.bytes, unknown, where)
    else if (field.fieldKind === 'map') checkMapEntry(field, entry.bytes, where)
  }
}

function checkOnce(field: DescField, seen: Set<string>, where: string): void {
  if (field.fieldKind === 'list' || field.fieldKind === 'map') return
  const key = field.oneof && !field.proto.proto3Optional ? field.oneof.name : field.name
  if (seen.has(key)) throw new BadEncoding(`${where} is the second ${key}`)
  seen.add(key)
}

function checkValue(field: DescField, { wireType, value, bytes }: Entry, where: string): void {
  const scalar = field.fieldKind === 'map' ? undefined : field.scalar
  const isPacked = field.fieldKind === 'list' && wireType === LENGTH
  if (!isPacked && wireType !== wireTypeOf(field)) {
    throw new BadEncoding(`${where} has wire type ${wireType}`)
  }
  // Of 32 bits, and not negative: the schema has no such numbers (PH-2.6).
  const isNarrow = scalar === ScalarType.UINT32 || (scalar === undefined && wireType === VARINT)
  if (isNarrow && value > 0xffff_ffffn) throw new BadEncoding(`${where} is over 32 bits`)
  if (scalar === ScalarType.STRING) checkText(bytes, where)
}

function checkMapEntry(field: DescField & { fieldKind: 'map' }, bytes: Uint8Array, where: string) {
  const seen = new Set<number>()
  for (const { number, wireType, bytes: text } of entries(bytes, where)) {
    if (number > 2 || seen.has(number)) throw new BadEncoding(`${where} has a field ${number} more`)
    seen.add(number)
    const isText = number === 1 || field.scalar === ScalarType.STRING
    if (!isText) continue
    if (wireType !== LENGTH) throw new BadEncoding(`${where} has wire type ${wireType}`)
    checkText(text, where)
  }
}

/** PH-2.8 */
function checkText(bytes: Uint8Array, where: string): void {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new BadEncoding(`${where} is not UTF-8`)
  }
}

function messageOf(field: DescField): DescMessage | undefined {
  if (field.fieldKind === 'message') return field.message
  return field.fieldKind === 'list' && field.listKind === 'message' ? field.message : undefined
}

function wireTypeOf(field: DescField): number {
  if (field.fieldKind === 'map' || messageOf(field)) return LENGTH
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return LENGTH
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
      return FIXED64
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
      return FIXED32
    default:
      return VARINT
  }
}

function* entries(bytes: Uint8Array, path: string): Generator<Entry, void> {
  let at = 0
  const nothing = new Uint8Array(0)
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new BadEncoding(`${path} ends within a number`)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        if (value >= 1n << 64n) break
        return value
      }
    }
    throw new BadEncoding(`${path} has a number over 64 bits`)
  }
  const take = (length: bigint): Uint8Array => {
    const end = at + Number(length)
    if (end > bytes.length) throw new BadEncoding(`${path} ends within a field`)
    at = end
    return bytes.subarray(at - Number(length), at)
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Number(tag >> 3n)
    const wireType = Number(tag & 7n)
    if (tag > 0xffff_ffffn || number === 0) throw new BadEncoding(`${path} has a tag of ${tag}`)
    if (wireType === VARINT) yield { number, wireType, value: varint(), bytes: nothing }
    else if (wireType === LENGTH) yield { number, wireType, value: 0n, bytes: take(varint()) }
    else if (wireType === FIXED32) yield { number, wireType, value: 0n, bytes: take(4n) }
    else if (wireType === FIXED64) yield { number, wireType, value: 0n, bytes: take(8n) }
    else throw new BadEncoding(`${path} has wire type ${wireType}`)
  }
}
