/** Finds what a schema's references refer to, within the same text (JSON Schema Core, 8). */
import { Schema } from './schema.ts'
import { type Site, schemaFault } from './site.ts'

/** What relative references and names are relative to; nothing is ever fetched. */
export const BASE = 'porthouse://room/schema'

interface Target {
  schema: Schema
}

interface Pending {
  readonly reference: string
  readonly site: Site
  readonly target: Target
}

export class References {
  /** By the place in the text, as a JSON Pointer. */
  readonly schemas = new Map<string, Schema>()
  /** Places of what has a name of its own, by that name. */
  readonly #resources = new Map([[BASE, '']])
  readonly #anchors = new Map<string, string>()
  readonly #pending: Pending[] = []

  /** Takes a schema in and gives the base of what is in it. */
  add(pointer: string, schema: Schema, json: Record<string, unknown> = {}, parent = BASE): string {
    this.schemas.set(pointer, schema)
    const { $id, $anchor } = json
    const base = $id === undefined ? parent : this.#name($id, pointer, parent)
    if ($anchor !== undefined) this.#anchor($anchor, pointer, base)
    return base
  }

  #name(id: unknown, pointer: string, parent: string): string {
    const url = typeof id === 'string' ? resolved(id, parent) : undefined
    if (url?.hash !== '') throw schemaFault(`${pointer}/$id`, 'not a URI without a fragment')
    if (this.#resources.has(url.href)) throw schemaFault(`${pointer}/$id`, 'given twice')
    this.#resources.set(url.href, pointer)
    return url.href
  }

  #anchor(anchor: unknown, pointer: string, base: string): void {
    if (typeof anchor !== 'string' || !/^[A-Za-z_][\w.-]*$/.test(anchor)) {
      throw schemaFault(`${pointer}/$anchor`, 'not a plain name')
    }
    const name = `${base}#${anchor}`
    if (this.#anchors.has(name)) throw schemaFault(`${pointer}/$anchor`, 'given twice')
    this.#anchors.set(name, pointer)
  }

  /** Its schema is the right one after `link`. */
  refer(reference: string, site: Site): Target {
    const target = { schema: new Schema() }
    this.#pending.push({ reference, site, target })
    return target
  }

  /** Throws an Error where a reference leads nowhere. */
  link(): void {
    for (const { reference, site, target } of this.#pending) {
      const pointer = this.#find(reference, site.base)
      const schema = pointer === undefined ? undefined : this.schemas.get(pointer)
      if (!schema) throw site.fault('$ref', 'refers to no schema in this text')
      target.schema = schema
      site.schema.beside.push(schema)
    }
  }

  #find(reference: string, base: string): string | undefined {
    const url = resolved(reference, base)
    if (!url) return undefined
    const fragment = decoded(url.hash.slice(1))
    url.hash = ''
    if (fragment && !fragment.startsWith('/')) return this.#anchors.get(`${url.href}#${fragment}`)
    const start = this.#resources.get(url.href)
    return start === undefined || fragment === undefined ? undefined : start + fragment
  }
}

function resolved(reference: string, base: string): URL | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base) : undefined
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
