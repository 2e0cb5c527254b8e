/**
 * Integers of 64 bits in Protobuf JSON. They are written as strings, and may be as numbers; but
 * what a double does not hold would be rounded without a word.
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { isObject } from '../json-text.ts'
import { type Misfit, misfit, within } from '../misfit.ts'

const LONG = new Set<ScalarType | undefined>([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
])

const fieldsByName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>()

function fieldsOf(type: DescMessage): ReadonlyMap<string, DescField> {
  let fields = fieldsByName.get(type)
  if (!fields) {
    fields = new Map(
      type.fields.flatMap((field) => [
        [field.jsonName, field],
        [field.name, field],
      ]),
    )
    fieldsByName.set(type, fields)
  }
  return fields
}

/** The first number that would be rounded, if there is one. */
export function roundedIn(type: DescMessage, json: unknown): Misfit | undefined {
  // Wrappers are written as what they hold, other types of Google's in forms of their own.
  if (type.typeName.startsWith('google.protobuf.')) {
    return LONG.has(type.field.value?.scalar) ? roundedNumber(json) : undefined
  }
  if (!isObject(json)) return undefined
  for (const [name, value] of Object.entries(json)) {
    const field = fieldsOf(type).get(name)
    const fault = field && roundedInField(field, value)
    if (fault) return within(name, fault)
  }
  return undefined
}

function roundedInField(field: DescField, json: unknown): Misfit | undefined {
  const isMany = field.fieldKind === 'list' || field.fieldKind === 'map'
  if (!isMany || typeof json !== 'object' || json === null) return roundedValue(field, json)
  for (const [key, value] of Object.entries(json)) {
    const fault = roundedValue(field, value)
    if (fault) return within(key, fault)
  }
  return undefined
}

function roundedValue({ message, scalar }: DescField, json: unknown): Misfit | undefined {
  if (message) return roundedIn(message, json)
  return LONG.has(scalar) ? roundedNumber(json) : undefined
}

function roundedNumber(json: unknown): Misfit | undefined {
  return typeof json === 'number' && !Number.isSafeInteger(json)
    ? misfit('no integer, or over 53 bits, which have to be written as a string')
    : undefined
}
