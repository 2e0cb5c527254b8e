/** What the fields of a request may hold, as their option `rules` says. */
import { type DescField, type DescMessage, getOption, type Message } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import { type Rules, rules } from '@porthouse/proto/admin/v1/options'
import { type Violation, Violations } from '../../protocol/violations.ts'

const CHARS_MAX = 1_024
const ITEMS_MAX = 1_000
/** Of ours, as other messages are checked by what they are part of. */
const OURS = 'porthouse.admin.'

const KNOWN = new WeakMap<DescField, Rules>()

export function rulesOf(field: DescField): Rules {
  let known = KNOWN.get(field)
  if (!known) {
    known = getOption(field, rules)
    KNOWN.set(field, known)
  }
  return known
}

/** Throws Violations that names every field that is wrong. */
export function checkRules(schema: DescMessage, message: Message): void {
  const violations = [...violationsIn(reflect(schema, message), '')]
  if (violations.length > 0) throw new Violations(violations)
}

function* violationsIn(message: ReflectMessage, prefix: string): Generator<Violation> {
  for (const field of message.desc.fields) {
    const path = `${prefix}${field.jsonName}`
    if (!message.isSet(field)) {
      if (rulesOf(field).required) yield { field: path, description: 'is required' }
      continue
    }
    yield* ofField(message, field, path)
  }
}

function* ofField(message: ReflectMessage, field: DescField, path: string): Generator<Violation> {
  if (field.fieldKind === 'list') {
    const list = message.get(field)
    yield* tooMany(field, list.size, path)
    for (const [i, item] of [...list].entries()) yield* ofValue(field, item, `${path}[${i}]`)
  } else if (field.fieldKind === 'map') {
    const map = message.get(field)
    yield* tooMany(field, map.size, path)
    for (const [key, value] of map) yield* ofValue(field, value, `${path}[${JSON.stringify(key)}]`)
  } else {
    yield* ofValue(field, message.get(field), path)
  }
}

function* tooMany(field: DescField, size: number, path: string): Generator<Violation> {
  const max = rulesOf(field).maxItems || ITEMS_MAX
  if (size > max) yield { field: path, description: `has over ${max} items` }
}

function* ofValue(field: DescField, value: unknown, path: string): Generator<Violation> {
  const { maxChars, maxBytes, min, max } = rulesOf(field)
  if (field.enum && !field.enum.values.some(({ number }) => number === value)) {
    yield { field: path, description: `${value} is not known` }
  } else if (field.message?.typeName.startsWith(OURS)) {
    yield* violationsIn(value as ReflectMessage, `${path}.`)
  } else if (typeof value === 'string' && value.length > (maxChars || CHARS_MAX)) {
    yield { field: path, description: `is over ${maxChars || CHARS_MAX} characters` }
  } else if (value instanceof Uint8Array && maxBytes > 0 && value.length > maxBytes) {
    yield { field: path, description: `is over ${maxBytes} bytes` }
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    if (min !== undefined && !(value >= min)) {
      yield { field: path, description: `is less than ${min}` }
    }
    if (max !== undefined && value > max) yield { field: path, description: `is more than ${max}` }
  }
}
