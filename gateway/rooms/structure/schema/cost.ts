/**
 * What a schema may cost on one value, told from its text. A step is what Budget has it to be; the
 * weights were measured on Ajv's code, at the worst that was found, a failed branch included.
 */
import { isObject } from '../json-text.ts'

type Json = Record<string, unknown>

/** Steps, by what they grow with. */
export interface Cost {
  /** Whatever the value is. */
  readonly fixed: number
  /** For each member, item, or eight characters of it. */
  readonly size: number
  /** For each value in it, at any depth. */
  readonly whole: number
  /** For each value in it, times its items. */
  readonly pairs: number
}

export function sum(a: Cost, b: Cost): Cost {
  return {
    fixed: a.fixed + b.fixed,
    size: a.size + b.size,
    whole: a.whole + b.whole,
    pairs: a.pairs + b.pairs,
  }
}

/** Of the keywords of one schema alone, without those that are schemas themselves. */
export function costOf(schema: Json): Cost {
  let fixed = SCHEMA_STEPS
  let size = 0
  for (const [name, value] of Object.entries(schema)) {
    fixed += 1 + (LISTED.get(name) ?? 0) * entriesIn(value)
    size += SIZED.get(name) ?? 0
    if (name === 'patternProperties') size += 4 * entriesIn(value)
  }
  if (schema.$ref !== undefined) fixed += CALL_STEPS
  const { enum: choice = [], const: constant, uniqueItems } = schema
  const composed = [...(choice as unknown[]), constant].filter(isComposed).length
  const pairs = uniqueItems === true && !hasSimpleItems(schema) ? 1 : 0
  return { fixed, size, whole: 2 * composed, pairs }
}

/** Of a schema that asks nothing, and of going over to one by reference. */
const SCHEMA_STEPS = 4
const CALL_STEPS = 6

/** For each that a keyword lists, whatever the value. */
const LISTED: ReadonlyMap<string, number> = new Map([
  ['dependentRequired', 1],
  ['dependentSchemas', 1],
  ['enum', 1 / 4],
  ['prefixItems', 1],
  ['properties', 1],
  ['required', 1],
  ['type', 1],
])

/** For each member, item, or eight characters of the value. */
const SIZED: ReadonlyMap<string, number> = new Map([
  ['additionalProperties', 4],
  // What does not fit is remembered until the last item.
  ['contains', 16],
  ['format', 8],
  ['items', 1],
  ['maxLength', 1],
  ['maxProperties', 2],
  ['minLength', 1],
  ['minProperties', 2],
  ['propertyNames', 4],
  ['uniqueItems', 8],
  ['unevaluatedProperties', 8],
])

function entriesIn(value: unknown): number {
  if (Array.isArray(value)) return value.length
  if (!isObject(value)) return 0
  return Object.values(value).reduce((count: number, each) => count + 1 + lengthOf(each), 0)
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0
}

function isComposed(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** Items that are compared by a look-up, not each with each. */
export function hasSimpleItems({ items }: Json): boolean {
  if (!isObject(items) || items.type === undefined) return false
  return ![items.type].flat().some((type) => type === 'array' || type === 'object')
}

/**
 * What evaluating a schema of such a cost takes at most, but for patterns and the values within.
 */
export function stepsOf({ fixed, size, whole, pairs }: Cost, value: unknown): number {
  let steps = fixed
  if (size > 0) steps += size * sizeOf(value)
  if (whole + pairs > 0) steps += (whole + pairs * lengthOf(value)) * wholeOf(value)
  return steps
}

/** Of the value itself; names count as texts do. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length / 8
  if (Array.isArray(value)) return value.length
  if (!isObject(value)) return 0
  let size = 0
  for (const name in value) size += 1 + name.length / 8
  return size
}

/** Of all that is in it. */
function wholeOf(value: unknown): number {
  if (!isComposed(value)) return 1 + sizeOf(value)
  const within = Object.values(value as object).reduce((whole, each) => whole + wholeOf(each), 0)
  return 1 + sizeOf(value) + within
}
