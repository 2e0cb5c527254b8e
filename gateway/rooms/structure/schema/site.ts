/** Where a keyword stands in the text of a schema, and what it finds beside and below it there. */
import { isObject } from '../json-text.ts'
import { escaped, shown } from '../misfit.ts'
import { Pattern } from '../pattern.ts'
import type { Check, Schema } from './schema.ts'

/** What a site needs of the reader of the whole schema. */
export interface Reading {
  read(json: unknown, pointer: string, base: string): Schema
  /** What `reference` refers to, once all is read; `from` applies it to its own value. */
  refer(reference: string, site: Site): Check
  countPattern(): void
}

export class Site {
  readonly schema: Schema
  /** The JSON of the schema, and its place in the whole as a JSON Pointer. */
  readonly json: Record<string, unknown>
  readonly pointer: string
  /** What references in it are relative to. */
  readonly base: string
  readonly #reading: Reading

  constructor(
    schema: Schema,
    json: Record<string, unknown>,
    pointer: string,
    base: string,
    reading: Reading,
  ) {
    this.schema = schema
    this.json = json
    this.pointer = pointer
    this.base = base
    this.#reading = reading
  }

  has(name: string): boolean {
    return Object.hasOwn(this.json, name)
  }

  fault(name: string, reason: string): Error {
    return schemaFault(`${this.pointer}/${name}`, reason)
  }

  /** The schema at a keyword, or below it, which applies to parts of the value. */
  below(name: string, key?: string | number): Schema {
    const value = this.json[name]
    if (key === undefined) return this.#read(value, name)
    const inner = (value as Record<string | number, unknown>)[key]
    return this.#read(inner, `${name}/${escaped(String(key))}`)
  }

  /** One that applies to the value itself. */
  beside(name: string, key?: string | number): Schema {
    const schema = this.below(name, key)
    this.schema.beside.push(schema)
    return schema
  }

  #read(json: unknown, path: string): Schema {
    return this.#reading.read(json, `${this.pointer}/${path}`, this.base)
  }

  refer(name: string): Check {
    return this.#reading.refer(this.text(name), this)
  }

  pattern(name: string, source: string): Pattern {
    this.#reading.countPattern()
    try {
      return new Pattern(source)
    } catch (error) {
      throw this.fault(name, error instanceof Error ? error.message : String(error))
    }
  }

  number(name: string): number {
    const value = this.json[name]
    if (typeof value !== 'number') throw this.fault(name, 'not a number')
    return value
  }

  count(name: string): number {
    const value = this.number(name)
    if (!Number.isSafeInteger(value) || value < 0) throw this.fault(name, 'not a whole number')
    return value
  }

  flag(name: string): boolean {
    const value = this.json[name]
    if (typeof value !== 'boolean') throw this.fault(name, 'neither true nor false')
    return value
  }

  text(name: string): string {
    const value = this.json[name]
    if (typeof value !== 'string') throw this.fault(name, 'not a string')
    return value
  }

  list(name: string): unknown[] {
    const value = this.json[name]
    if (!Array.isArray(value)) throw this.fault(name, 'not an array')
    return value
  }

  members(name: string): [string, unknown][] {
    const value = this.json[name]
    if (!isObject(value)) throw this.fault(name, 'not an object')
    return Object.entries(value)
  }

  /** An array of texts, each once. */
  names(name: string, list: unknown = this.json[name]): string[] {
    const isNames = Array.isArray(list) && list.every((each) => typeof each === 'string')
    if (!isNames || new Set(list).size !== list.length) {
      throw this.fault(name, 'not an array of different strings')
    }
    return list
  }
}

/** `pointer`: into the schema; an admin wrote it, who may see more of it than of a content. */
export function schemaFault(pointer: string, reason: string): Error {
  return new Error(`schema ${shown(pointer || '/', 200)}: ${reason}`)
}
