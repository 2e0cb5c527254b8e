/** Keywords for arrays (JSON Schema Core, 10.3.1, and Validation, 6.4). */
import { type Misfit, misfit, within } from '../misfit.ts'
import { canonical } from './canonical.ts'
import { type Keyword, together } from './keyword.ts'
import { type Check, evaluate, type Run } from './schema.ts'
import type { Seen } from './seen.ts'
import type { Site } from './site.ts'

function ofArray(
  check: (value: unknown[], run: Run, seen: Seen | undefined) => Misfit | undefined,
): Check {
  return (value, run, seen) => (Array.isArray(value) ? check(value, run, seen) : undefined)
}

function count(fits: (length: number, bound: number) => boolean, reason: string): Keyword {
  return (site, name) => {
    const bound = site.count(name)
    return ofArray((value) =>
      fits(value.length, bound) ? undefined : misfit(`${reason} than ${bound} items`),
    )
  }
}

const ITEMS = ['prefixItems', 'items']

function items(site: Site): Check {
  const [prefix = '', rest = ''] = ITEMS
  const first = site.has(prefix) ? site.list(prefix).map((_, i) => site.below(prefix, i)) : []
  const others = site.has(rest) ? site.below(rest) : undefined
  return ofArray((value, run, seen) => {
    const end = others ? value.length : Math.min(first.length, value.length)
    for (let i = 0; i < end; i++) {
      const schema = first[i] ?? others
      const fault = schema && evaluate(schema, value[i], run)
      if (fault) return within(i, fault)
    }
    seen?.first(end)
    return undefined
  })
}

const CONTAINS = ['contains', 'minContains', 'maxContains']

function contains(site: Site): Check | undefined {
  const [schemaName = '', minName = '', maxName = ''] = CONTAINS
  const min = site.has(minName) ? site.count(minName) : 1
  const max = site.has(maxName) ? site.count(maxName) : Number.POSITIVE_INFINITY
  if (!site.has(schemaName)) return undefined
  const schema = site.below(schemaName)
  return ofArray((value, run, seen) => {
    let found = 0
    for (const [i, item] of value.entries()) {
      if (evaluate(schema, item, run)) continue
      found++
      seen?.item(i)
      if (found > max) return misfit(`contains what it may over ${max} times`)
    }
    return found < min ? misfit(`contains what it must under ${min} times`) : undefined
  })
}

function uniqueItems(site: Site, name: string): Check | undefined {
  if (!site.flag(name)) return undefined
  return ofArray((value, { budget }) => {
    const known = new Set<string>()
    for (const [i, item] of value.entries()) {
      known.add(canonical(item, budget))
      if (known.size <= i) return within(i, misfit('there before'))
    }
    return undefined
  })
}

function unevaluatedItems(site: Site, name: string): Check {
  const schema = site.below(name)
  site.schema.needsSeen = true
  return ofArray((value, run, seen) => {
    for (const [i, item] of value.entries()) {
      run.budget.spend(1)
      const fault = seen?.hasItem(i) ? undefined : evaluate(schema, item, run)
      if (fault) return within(i, fault)
    }
    seen?.first(value.length)
    return undefined
  })
}

export const arrayKeywords: [string, Keyword][] = [
  ['minItems', count((length, bound) => length >= bound, 'fewer')],
  ['maxItems', count((length, bound) => length <= bound, 'more')],
  ...together(ITEMS, items),
  ...together(CONTAINS, contains),
  ['uniqueItems', uniqueItems],
]

/** Last of all, for it needs to know what the others looked at. */
export const unevaluatedArrays: [string, Keyword][] = [['unevaluatedItems', unevaluatedItems]]
