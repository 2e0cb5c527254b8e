/** Settings as a tree, as a file has them, and as dotted keys, as people speak of them. */
import { z } from 'zod'
import { schema } from './config.ts'
import { nearest } from './nearest.ts'
import type { Problem } from './problem.ts'
import type { SettingMeta } from './setting.ts'

export type Tree = { [key: string]: unknown }

/** A raw value and where it stood. */
export interface Found {
  readonly value: unknown
  readonly source: string
}

const LEAVES = new Map(leaves(schema.shape, ''))

/** Every setting, dotted, in the order of the schema. */
export const KEYS: readonly string[] = [...LEAVES.keys()]

/** What holds settings: `mqtt` and `mqtt.tls` for `mqtt.tls.listen`. */
const SECTIONS = new Set(
  KEYS.flatMap((key) => [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index))),
)

export function metaOf(key: string): SettingMeta {
  return LEAVES.get(key) as SettingMeta
}

/** Notes unknown keys as problems, with the nearest known one. */
export function flatten(tree: object, source: string, problems: Problem[]): [string, Found][] {
  const walk = (node: object, prefix: string): [string, Found][] =>
    Object.entries(node).flatMap(([name, value]) => {
      const key = prefix + name
      if (SECTIONS.has(key) && isTree(value)) return walk(value, `${key}.`)
      if (LEAVES.has(key)) return value === undefined ? [] : [[key, { value, source }]]
      problems.push({ text: refusal(key, value, source) })
      return []
    })
  return walk(tree, '')
}

export function put(tree: Tree, key: string, value: unknown): void {
  const names = key.split('.')
  const last = names.pop() as string
  let node = tree
  for (const name of names) {
    node[name] ??= {}
    node = node[name] as Tree
  }
  node[last] = value
}

export function valueAt(tree: object, key: string): unknown {
  return key.split('.').reduce((node: unknown, name) => (node as Tree)[name], tree)
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refusal(key: string, value: unknown, source: string): string {
  if (SECTIONS.has(key))
    return `${key} is ${JSON.stringify(value)} (${source}); allowed is an object`
  const meant = nearest(key, [...KEYS, ...SECTIONS], Math.max(2, key.length / 2))
  return `${key} is not a setting (${source})${meant ? `; did you mean ${meant}?` : ''}`
}

function leaves(shape: object, prefix: string): [string, SettingMeta][] {
  return Object.entries(shape).flatMap(([name, setting]: [string, z.ZodType]) => {
    const inner = setting instanceof z.ZodPrefault ? setting.unwrap() : setting
    if (inner instanceof z.ZodObject) return leaves(inner.shape, `${prefix}${name}.`)
    return [[prefix + name, setting.meta() as unknown as SettingMeta]]
  })
}
