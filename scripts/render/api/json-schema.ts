/** JSON Schemas of messages, as Protobuf JSON has them: what is written, and all that is read. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { commentOfMember, commentOfType } from '../proto-comments.ts'
import { rulesOf } from './api.ts'

export type Schema = { readonly [key: string]: unknown }

/** `read`: what a request may have, which is more than what an answer has. */
export type Direction = 'read' | 'written'

const INT32_MAX = 2 ** 31 - 1
const UINT32_MAX = 2 ** 32 - 1

const WELL_KNOWN: Readonly<Record<string, Schema>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', pattern: '^-?\\d{1,11}(\\.\\d{1,9})?s$' },
  'google.protobuf.FieldMask': { type: 'string', pattern: '^([a-z]\\w*([.,][a-z]\\w*)*)?$' },
  'google.protobuf.Struct': { type: 'object' },
  'google.protobuf.Value': {},
  'google.protobuf.Empty': { type: 'object' },
}

/** Collects what schemas refer to. */
export class Schemas {
  readonly #found = new Map<string, Schema>()

  /** A reference to the schema of a message. */
  of(message: DescMessage, direction: Direction): Schema {
    const known = WELL_KNOWN[message.typeName]
    if (known) return known
    const name = direction === 'read' ? `${message.typeName}.Given` : message.typeName
    if (!this.#found.has(name)) {
      this.#found.set(name, {})
      this.#found.set(name, this.#objectOf(message, direction))
    }
    return { $ref: `#/components/schemas/${name}` }
  }

  add(name: string, schema: Schema): Schema {
    this.#found.set(name, schema)
    return { $ref: `#/components/schemas/${name}` }
  }

  /** All of them by name. */
  get all(): Record<string, Schema> {
    return Object.fromEntries([...this.#found].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #objectOf(message: DescMessage, direction: Direction): Schema {
    const fields = message.fields.map((field): [string, Schema] => {
      const schema = this.#fieldOf(field, direction)
      const read = direction === 'read' && !isRequired(field) ? orNull(schema) : schema
      return [field.jsonName, described(read, commentOfMember(field))]
    })
    const required = direction === 'written' ? [] : message.fields.filter(isRequired)
    const properties = Object.fromEntries(fields)
    const names = required.map(({ jsonName }) => jsonName)
    const object = { type: 'object', properties, ...(names.length > 0 && { required: names }) }
    return described(object, commentOfType(message))
  }

  #fieldOf(field: DescField, direction: Direction): Schema {
    const max = rulesOf(field)?.maxItems
    if (field.fieldKind === 'list') {
      const items = this.#singleOf(field, direction)
      return { type: 'array', items, ...(max && { maxItems: max }) }
    }
    if (field.fieldKind === 'map') {
      return { type: 'object', additionalProperties: this.#singleOf(field, direction) }
    }
    return this.#singleOf(field, direction)
  }

  #singleOf(field: DescField, direction: Direction): Schema {
    const { message, enum: values, scalar } = field
    if (message) return this.of(message, direction)
    if (values) return { type: 'string', enum: values.values.map(({ name }) => name) }
    return scalarOf(scalar as ScalarType, field, direction)
  }
}

function isRequired(field: DescField): boolean {
  return rulesOf(field)?.required ?? false
}

/** Protobuf JSON reads null as what is absent. */
function orNull(schema: Schema): Schema {
  const { type, enum: values } = schema
  if (typeof type === 'string' && !values) return { ...schema, type: [type, 'null'] }
  return { anyOf: [schema, { type: 'null' }] }
}

function described(schema: Schema, description: string): Schema {
  return description === '' ? schema : { ...schema, description }
}

function scalarOf(scalar: ScalarType, field: DescField, direction: Direction): Schema {
  const rules = rulesOf(field)
  switch (scalar) {
    case ScalarType.STRING:
      return direction === 'read' ? textOf(field) : { type: 'string' }
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' }
    case ScalarType.BOOL:
      return { type: 'boolean' }
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: 'number', ...bounds(rules?.min, rules?.max) }
    case ScalarType.INT32:
      return { type: 'integer', ...bounds(rules?.min ?? -INT32_MAX - 1, rules?.max ?? INT32_MAX) }
    case ScalarType.UINT32:
      return { type: 'integer', ...bounds(rules?.min ?? 0, rules?.max ?? UINT32_MAX) }
    case ScalarType.UINT64:
      return { type: 'string', pattern: '^\\d{1,19}$' }
    default:
      return { type: 'string', pattern: '^-?\\d{1,18}$' }
  }
}

/** A name of a resource is of one of its forms; any other text has a bound. */
function textOf(field: DescField): Schema {
  const rules = rulesOf(field)
  // The bound of every text is one of administration; configs of rooms have their own rules.
  const isOurs = field.parent.typeName.startsWith('porthouse.admin.')
  const schema = { type: 'string', ...(isOurs && { maxLength: rules?.maxChars || 1_024 }) }
  if (!rules?.resource) return { ...schema, ...(rules?.required && { minLength: 1 }) }
  const forms = rules.resource.split(' ').map(patternOf)
  // An empty text is as good as none.
  const absent = rules.required || field.fieldKind === 'list' ? '' : '?'
  return { ...schema, pattern: `^(${forms.join('|')})${absent}$` }
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const SLUG = '[a-z0-9][a-z0-9-]{0,62}'

/** What may stand for each `*` depends on the collection before it; a slug may be a UUID too. */
function patternOf(form: string): string {
  const parts = form.split('/')
  return parts.map((part, i) => (part === '*' ? idIn(parts[i - 1]) : part)).join('/')
}

function idIn(collection: string | undefined): string {
  if (/^(apiKeys|connectionKeys|credentials|tokens)$/.test(collection ?? '')) return UUID
  return /^(sockets|messages|locks)$/.test(collection ?? '') ? '[0-9A-Za-z-]{1,64}' : SLUG
}

function bounds(minimum: number | undefined, maximum: number | undefined): Schema {
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) }
}
