/** What the wire format of a message type has to look like (protobuf.dev, Encoding). */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt'

export const WireKind = { VARINT: 0, FIXED64: 1, LENGTH: 2, FIXED32: 5 } as const
export type WireKind = (typeof WireKind)[keyof typeof WireKind]

export interface FieldShape {
  readonly name: string
  readonly wire: WireKind
  /** Repeated, of what can also come many in one field. */
  readonly packable: boolean
  /** A string that has to be UTF-8. */
  readonly utf8: boolean
  /** Of the message, or of the entry of a map, that it holds. */
  readonly shape: Shape | undefined
}

export interface Shape {
  readonly fields: Map<number, FieldShape>
  /** Numbers of fields that have to be there (proto2). */
  readonly required: readonly number[]
}

/** Types refer to themselves, so that their shapes do. */
export function shapeOf(type: DescMessage, known = new Map<DescMessage, Shape>()): Shape {
  const found = known.get(type)
  if (found) return found
  const required = type.fields.filter(
    ({ presence }) => presence === FeatureSet_FieldPresence.LEGACY_REQUIRED,
  )
  const shape: Shape = { fields: new Map(), required: required.map(({ number }) => number) }
  known.set(type, shape)
  for (const field of type.fields) shape.fields.set(field.number, fieldShape(field, known))
  return shape
}

function fieldShape(field: DescField, known: Map<DescMessage, Shape>): FieldShape {
  const { name, utf8Validation = false } = field as { name: string; utf8Validation?: boolean }
  const shape = field.fieldKind === 'map' ? entryOf(field, known) : inner(field, known)
  const wire = field.fieldKind === 'map' ? WireKind.LENGTH : wireOf(field.message, field.scalar)
  const packable = field.fieldKind === 'list' && wire !== WireKind.LENGTH
  return { name, wire, packable, utf8: utf8Validation && isText(field), shape }
}

function isText(field: DescField): boolean {
  return field.fieldKind !== 'map' && field.scalar === ScalarType.STRING
}

function inner({ message }: DescField, known: Map<DescMessage, Shape>): Shape | undefined {
  return message && shapeOf(message, known)
}

function entryOf(field: DescField & { fieldKind: 'map' }, known: Map<DescMessage, Shape>): Shape {
  const { utf8Validation: utf8 = false } = field as { utf8Validation?: boolean }
  const part = (name: string, scalar: ScalarType | undefined): FieldShape => ({
    name,
    wire: wireOf(name === 'value' ? field.message : undefined, scalar),
    packable: false,
    utf8: utf8 && scalar === ScalarType.STRING,
    shape: name === 'value' ? inner(field, known) : undefined,
  })
  const fields = new Map([
    [1, part('key', field.mapKey)],
    [2, part('value', field.scalar)],
  ])
  return { fields, required: [] }
}

/** Neither a message nor a scalar: an enum. */
function wireOf(message: DescMessage | undefined, scalar: ScalarType | undefined): WireKind {
  if (message) return WireKind.LENGTH
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireKind.LENGTH
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireKind.FIXED64
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireKind.FIXED32
    default:
      return WireKind.VARINT
  }
}
