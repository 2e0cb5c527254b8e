/**
 * Reads a JSON Schema, draft 2020-12, once for a room's config. Whatever would not be checked is
 * refused, so that nobody relies on it: unknown keywords and formats, references to elsewhere. What
 * could be too much work is bounded (threats.md, S).
 */
import { isObject, parseJson } from '../json-text.ts'
import { misfit } from '../misfit.ts'
import { arrayKeywords, unevaluatedArrays } from './arrays.ts'
import { combiningKeywords } from './combined.ts'
import type { Keyword } from './keyword.ts'
import { objectKeywords, unevaluatedMembers } from './objects.ts'
import { BASE, References } from './references.ts'
import { type Check, evaluate, Schema } from './schema.ts'
import { type Reading, Site, schemaFault } from './site.ts'
import { valueKeywords } from './values.ts'

/** Of the text in bytes; schemas within it; patterns in it; schemas that one value may meet. */
const BYTES_MAX = 65_536
const SCHEMAS_MAX = 2_000
const PATTERNS_MAX = 64
const BESIDE_MAX = 2_000

const DIALECT = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/

/** Said of a value, and not checked. */
const ANNOTATIONS = new Set([
  '$comment',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  'default',
  'deprecated',
  'description',
  'examples',
  'readOnly',
  'title',
  'writeOnly',
])

/** In the order in which they are checked: what is cheap, what is within, what is beside. */
const KEYWORDS: ReadonlyMap<string, Keyword> = new Map([
  ['$schema', dialect],
  ['$id', () => undefined],
  ['$anchor', () => undefined],
  ['$defs', definitions],
  // Its name in earlier drafts, which many still write.
  ['definitions', definitions],
  ...valueKeywords,
  ...objectKeywords,
  ...arrayKeywords,
  ...combiningKeywords,
  ...unevaluatedMembers,
  ...unevaluatedArrays,
])

/** Throws an Error, for an admin, that says where and why it cannot be used. */
export function readSchema(text: string): Schema {
  const bytes = Buffer.from(text)
  if (bytes.length > BYTES_MAX) throw schemaFault('', `over ${BYTES_MAX} bytes`)
  const reader = new SchemaReader()
  const root = reader.read(parseJson(bytes), '', BASE)
  reader.references.link()
  besideOf(reader.references.schemas)
  return root
}

class SchemaReader implements Reading {
  readonly references = new References()
  #patterns = 0

  read(json: unknown, pointer: string, parentBase: string): Schema {
    const { references } = this
    if (references.schemas.size >= SCHEMAS_MAX) {
      throw schemaFault(pointer, `over ${SCHEMAS_MAX} schemas`)
    }
    const schema = new Schema()
    if (typeof json === 'boolean') {
      references.add(pointer, schema)
      if (!json) schema.checks.push(() => misfit('not allowed'))
      return schema
    }
    if (!isObject(json)) throw schemaFault(pointer, 'neither an object nor true or false')
    const base = references.add(pointer, schema, json, parentBase)
    const site = new Site(schema, json, pointer, base, this)
    for (const name of Object.keys(json)) {
      if (!KEYWORDS.has(name) && !ANNOTATIONS.has(name) && !name.startsWith('x-')) {
        throw site.fault(name, 'no keyword that is known here')
      }
    }
    for (const [name, keyword] of KEYWORDS) {
      const check = site.has(name) ? keyword(site, name) : undefined
      if (check) schema.checks.push(check)
    }
    return schema
  }

  refer(reference: string, site: Site): Check {
    const target = this.references.refer(reference, site)
    return (value, run, seen) => evaluate(target.schema, value, run, seen)
  }

  countPattern(): void {
    if (++this.#patterns > PATTERNS_MAX) throw schemaFault('', `over ${PATTERNS_MAX} patterns`)
  }
}

function dialect(site: Site, name: string): undefined {
  if (!DIALECT.test(site.text(name))) throw site.fault(name, 'not draft 2020-12')
}

function definitions(site: Site, name: string): undefined {
  for (const [key] of site.members(name)) site.below(name, key)
}

/**
 * Counts the schemas that one value may meet, without a step into it: through references, a few
 * lines can be billions.
 */
function besideOf(schemas: ReadonlyMap<string, Schema>): void {
  const counts = new Map<Schema, number | undefined>()
  for (const [pointer, schema] of schemas) count(schema, pointer)

  function count(schema: Schema, pointer: string): number {
    const known = counts.get(schema)
    if (known !== undefined) return known
    if (counts.has(schema)) {
      throw schemaFault(pointer, 'leads to itself without a step into the value')
    }
    counts.set(schema, undefined)
    const total = schema.beside.reduce((sum, each) => sum + count(each, pointer), 1)
    if (total > BESIDE_MAX) {
      throw schemaFault(pointer, `over ${BESIDE_MAX} schemas may apply to one value`)
    }
    counts.set(schema, total)
    return total
  }
}
