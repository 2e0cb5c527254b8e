/** Protobuf JSON of a message that is told by the numbers of its fields, as the C program does. */
import type { DescField, DescMessage, JsonObject, JsonValue, ScalarType } from '@bufbuild/protobuf'

type Told = string | Told[] | { [number: string]: Told }

/** `told`: numbers as texts, a double as its 64 bits, texts and bytes in hexadecimal. */
export function named(desc: DescMessage, told: Told): JsonObject {
  const fields = Object.entries(told).map(([number, value]) => {
    const field = desc.fields.find((each) => each.number === Number(number))
    if (!field) throw new Error(`${desc.typeName} has no field ${number}`)
    return [field.jsonName, valueIn(field, value)]
  })
  return Object.fromEntries(fields)
}

function valueIn(field: DescField, told: Told): JsonValue {
  switch (field.fieldKind) {
    case 'map':
      // The later of two counts.
      return Object.fromEntries((told as { 1?: string; 2?: string }[]).map(entryOf))
    case 'list':
      return (told as Told[]).map((element) => single(field, element))
    default:
      return single(field, told)
  }
}

function entryOf({ 1: name = '', 2: value = '' }: { 1?: string; 2?: string }) {
  return [text(name), text(value)]
}

function single(field: Exclude<DescField, { fieldKind: 'map' }>, told: Told): JsonValue {
  if (field.message) return named(field.message, told)
  const value = told as string
  if (field.enum) return field.enum.value[Number(value)]?.name ?? Number(value)
  return scalar(field.scalar as ScalarType, value)
}

function scalar(type: ScalarType, told: string): JsonValue {
  switch (type) {
    case 1 satisfies ScalarType.DOUBLE:
      return double(BigInt(told))
    case 8 satisfies ScalarType.BOOL:
      return told === '1'
    case 9 satisfies ScalarType.STRING:
      return text(told)
    case 12 satisfies ScalarType.BYTES:
      return Buffer.from(told, 'hex').toString('base64')
    case 13 satisfies ScalarType.UINT32:
      return Number(told)
    default:
      return told
  }
}

function double(bits: bigint): JsonValue {
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setBigUint64(0, bits)
  const value = bytes.getFloat64(0)
  return Number.isFinite(value) ? value : String(value)
}

/** What is no UTF-8 is an error here: a codec in C hands it over as it is. */
function text(hex: string): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return decoder.decode(Buffer.from(hex, 'hex'))
}
