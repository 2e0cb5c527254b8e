/**
 * Walks through a JSON Schema before it is compiled. What would not be checked, or refers to
 * elsewhere, is refused, so that nobody relies on it; and it is told what each part may cost.
 */
import { isObject } from '../json-text.ts'
import { escaped, shown } from '../misfit.ts'
import { Pattern } from '../pattern.ts'
import { type Cost, costOf, hasSimpleItems, sum } from './cost.ts'

/** Schemas in one, for compiling takes the square of it; patterns; steps that any value takes. */
const SCHEMAS_MAX = 500
const PATTERNS_MAX = 64
const FIXED_MAX = 8_000

export const FORMATS = [
  'date',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'json-pointer',
  'time',
  'uri',
  'uuid',
] as const

/** Where a keyword's schemas go: to the same value, to what is in it, or nowhere by themselves. */
type Way = 'beside' | 'below' | 'aside'
/** Whether it holds one schema, a list or a map of them. */
type Held = 'one' | 'list' | 'map'

const APPLIED = new Map<string, [Way, Held]>([
  ...ways('$defs definitions', 'aside', 'map'),
  ...ways('not if then else', 'beside', 'one'),
  ...ways('allOf anyOf oneOf', 'beside', 'list'),
  ...ways('dependentSchemas', 'beside', 'map'),
  ...ways('prefixItems', 'below', 'list'),
  ...ways('properties patternProperties', 'below', 'map'),
  ...ways('items contains additionalProperties propertyNames', 'below', 'one'),
  ...ways('unevaluatedProperties', 'below', 'one'),
])

const OTHERS = new Set(
  `$anchor $comment $id $ref $schema const contentEncoding contentMediaType contentSchema default
  dependentRequired deprecated description enum examples exclusiveMaximum exclusiveMinimum format
  maxContains maxItems maxLength maxProperties maximum minContains minItems minLength minProperties
  minimum multipleOf pattern readOnly required title type uniqueItems writeOnly`.split(/\s+/),
)

/** As it is given to the compiler, which finds a schema's cost as its keyword COST. */
export interface Outline {
  readonly schema: Record<string, unknown> | boolean
  readonly patterns: ReadonlyMap<string, Pattern>
  readonly hasUnevaluated: boolean
}

export const COST = 'porthouse:cost'

/** `json`: fits the metaschema. Throws an Error, for an admin. */
export function outline(json: unknown): Outline {
  const walk = new Walk()
  const root = walk.visit(json, '', 'below')
  walk.link()
  walk.price()
  const hasUnevaluated = walk.applied.has('unevaluatedProperties')
  // Of what an `if` has looked at, Ajv tells too much.
  if (hasUnevaluated && walk.applied.has('if')) {
    throw schemaFault('', 'unevaluatedProperties besides if')
  }
  return { schema: root.copy, patterns: walk.patterns, hasUnevaluated }
}

interface Part {
  readonly pointer: string
  readonly copy: Record<string, unknown> | boolean
  readonly own: Cost
  /** What else a value meets that meets this. */
  readonly beside: Part[]
  readonly way: Way
}

class Walk {
  readonly patterns = new Map<string, Pattern>()
  /** Keywords that hold schemas. */
  readonly applied = new Set<string>()
  readonly #parts = new Map<string, Part>()
  readonly #anchors = new Map<string, Part>()
  readonly #totals = new Map<Part, Cost | undefined>()

  visit(json: unknown, pointer: string, way: Way): Part {
    if (this.#parts.size >= SCHEMAS_MAX) throw schemaFault(pointer, `over ${SCHEMAS_MAX} schemas`)
    const keywords = isObject(json) ? json : {}
    const copy = isObject(json) ? {} : (json as boolean)
    const part: Part = { pointer, copy, own: costOf(keywords), beside: [], way }
    this.#parts.set(pointer, part)
    for (const [name, value] of Object.entries(keywords)) {
      const applied = APPLIED.get(name)
      if (applied) this.#apply(part, name, value, applied)
      else if (OTHERS.has(name)) this.#take(part, name, value)
      else if (!name.startsWith('x-')) throw fault(part, name, 'no keyword that is known here')
    }
    if (keywords.uniqueItems && keywords.prefixItems && hasSimpleItems(keywords)) {
      throw fault(part, 'uniqueItems', 'not checked beside prefixItems and items of a plain type')
    }
    return part
  }

  #apply(part: Part, name: string, value: unknown, [way, held]: [Way, Held]): void {
    this.applied.add(name)
    const visit = (json: unknown, key = '') => {
      if (key === '__proto__') throw fault(part, name, 'a member of this name cannot be checked')
      if (name === 'patternProperties') this.#pattern(part, name, key)
      const path = held === 'one' ? name : `${name}/${escaped(key)}`
      const inner = this.visit(json, `${part.pointer}/${path}`, way)
      if (way === 'beside') part.beside.push(inner)
      return inner.copy
    }
    const each = ([key, json]: [string, unknown]) => [key, visit(json, key)] as const
    const entries = held === 'one' ? [] : Object.entries(value as object)
    const copies =
      held === 'one'
        ? visit(value)
        : held === 'list'
          ? entries.map((entry) => each(entry)[1])
          : Object.fromEntries(entries.map(each))
    set(part, name, copies)
  }

  #take(part: Part, name: string, value: unknown): void {
    if (name === '$schema') return checkDialect(part, value)
    if (name === '$id' && part.pointer !== '') throw fault(part, name, 'not of the whole schema')
    if (name === '$anchor') return this.#name(part, String(value))
    if (name === 'format' && !FORMATS.some((format) => format === value)) {
      throw fault(part, name, `none that is checked: ${FORMATS.join(', ')}`)
    }
    if (name === 'pattern') this.#pattern(part, name, String(value))
    if (name === 'dependentRequired' && Object.hasOwn(value as object, '__proto__')) {
      throw fault(part, name, 'a member of this name cannot be checked')
    }
    if (name !== '$id') set(part, name, value)
  }

  #name(part: Part, anchor: string): void {
    if (this.#anchors.has(anchor)) throw fault(part, '$anchor', 'given twice')
    this.#anchors.set(anchor, part)
  }

  #pattern(part: Part, name: string, source: string): void {
    if (this.patterns.has(source)) return
    try {
      this.patterns.set(source, new Pattern(source))
    } catch (error) {
      throw fault(part, name, error instanceof Error ? error.message : String(error))
    }
    if (this.patterns.size > PATTERNS_MAX) throw schemaFault('', `over ${PATTERNS_MAX} patterns`)
  }

  /** Finds what references refer to, and writes each as the compiler cannot misunderstand it. */
  link(): void {
    for (const part of this.#parts.values()) {
      if (typeof part.copy === 'boolean' || part.copy.$ref === undefined) continue
      const target = this.#find(String(part.copy.$ref))
      if (!target) throw fault(part, '$ref', 'refers to no schema in this text')
      part.beside.push(target)
      set(part, '$ref', `#${target.pointer.split('/').map(encodeURIComponent).join('/')}`)
    }
  }

  #find(reference: string): Part | undefined {
    if (!reference.startsWith('#')) return undefined
    try {
      const fragment = decodeURIComponent(reference.slice(1))
      return this.#parts.get(fragment) ?? this.#anchors.get(fragment)
    } catch {
      return undefined
    }
  }

  /** Says at each schema that a value comes to what that may cost, with all that is beside. */
  price(): void {
    for (const part of this.#parts.values()) {
      const total = this.#total(part)
      if (part.way === 'below') set(part, COST, total)
    }
  }

  /** Bounded: through references, a few lines can be billions. */
  #total(part: Part): Cost {
    const known = this.#totals.get(part)
    if (known) return known
    if (this.#totals.has(part)) {
      throw schemaFault(part.pointer, 'leads to itself without a step into the value')
    }
    this.#totals.set(part, undefined)
    let total = part.beside.reduce((cost, each) => sum(cost, this.#total(each)), part.own)
    if (total.fixed > FIXED_MAX) {
      throw schemaFault(part.pointer, `takes over ${FIXED_MAX} steps for any value`)
    }
    const { copy } = part
    if (
      typeof copy !== 'boolean' &&
      ('unevaluatedProperties' in copy || 'unevaluatedItems' in copy)
    ) {
      // Each schema tells what it looked at, and each member is sought among that.
      total = { ...total, size: total.size + total.fixed }
    }
    this.#totals.set(part, total)
    return total
  }
}

function ways(names: string, way: Way, held: Held): [string, [Way, Held]][] {
  return names.split(' ').map((name) => [name, [way, held]])
}

function checkDialect(part: Part, value: unknown): void {
  if (!/^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(String(value))) {
    throw fault(part, '$schema', 'not draft 2020-12')
  }
}

function set({ copy }: Part, name: string, value: unknown): void {
  if (typeof copy !== 'boolean') copy[name] = value
}

function fault({ pointer }: Part, name: string, reason: string): Error {
  return schemaFault(`${pointer}/${name}`, reason)
}

/** `pointer`: into the schema; an admin wrote it, who may see more of it than of a content. */
export function schemaFault(pointer: string, reason: string): Error {
  return new Error(`schema ${shown(pointer || '/', 200)}: ${shown(reason, 300)}`)
}
