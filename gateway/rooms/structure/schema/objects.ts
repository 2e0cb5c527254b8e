/** Keywords for objects (JSON Schema Core, 10.3.2, and Validation, 6.5). */
import { isObject } from '../json-text.ts'
import { type Misfit, misfit, shown, within } from '../misfit.ts'
import type { Pattern } from '../pattern.ts'
import { type Keyword, together } from './keyword.ts'
import { type Check, evaluate, type Run, type Schema } from './schema.ts'
import type { Seen } from './seen.ts'
import type { Site } from './site.ts'

type Members = Record<string, unknown>

function ofObject(
  check: (value: Members, run: Run, seen: Seen | undefined) => Misfit | undefined,
): Check {
  return (value, run, seen) => (isObject(value) ? check(value, run, seen) : undefined)
}

function count(fits: (size: number, bound: number) => boolean, reason: string): Keyword {
  return (site, name) => {
    const bound = site.count(name)
    return ofObject((value, { budget }) => {
      const size = Object.keys(value).length
      budget.spend(size)
      return fits(size, bound) ? undefined : misfit(`${reason} than ${bound} members`)
    })
  }
}

function required(site: Site, name: string): Check {
  const names = site.names(name)
  return ofObject((value, { budget }) => lacking(value, names, (steps) => budget.spend(steps)))
}

function lacking(
  value: Members,
  names: readonly string[],
  spend: (steps: number) => void,
): Misfit | undefined {
  for (const name of names) {
    spend(1)
    if (!Object.hasOwn(value, name)) return misfit(`lacks ${shown(name)}`)
  }
  return undefined
}

function dependentRequired(site: Site, name: string): Check {
  const needs = site.members(name).map(([key, list]) => [key, site.names(name, list)] as const)
  return ofObject((value, { budget }) => {
    budget.spend(needs.length)
    for (const [key, names] of needs) {
      const fault =
        Object.hasOwn(value, key) && lacking(value, names, (steps) => budget.spend(steps))
      if (fault) return fault
    }
    return undefined
  })
}

const MEMBERS = ['properties', 'patternProperties', 'additionalProperties']

function members(site: Site): Check {
  const [named = '', matched = '', rest = ''] = MEMBERS
  const byName = new Map<string, Schema>()
  const byPattern: [Pattern, Schema][] = []
  if (site.has(named)) {
    for (const [key] of site.members(named)) byName.set(key, site.below(named, key))
  }
  if (site.has(matched)) {
    for (const [source] of site.members(matched)) {
      byPattern.push([site.pattern(matched, source), site.below(matched, source)])
    }
  }
  const others = site.has(rest) ? site.below(rest) : undefined
  return ofObject((value, run, seen) => {
    for (const key of Object.keys(value)) {
      run.budget.spend(1)
      const own = byName.get(key)
      let isKnown = own !== undefined
      let fault = own && evaluate(own, value[key], run)
      for (const [pattern, schema] of byPattern) {
        if (fault || !pattern.matches(key, run.budget)) continue
        isKnown = true
        fault = evaluate(schema, value[key], run)
      }
      if (!isKnown && others) fault = evaluate(others, value[key], run)
      if (fault) return within(key, fault)
      if (isKnown || others) seen?.name(key)
    }
    return undefined
  })
}

function propertyNames(site: Site, name: string): Check {
  const schema = site.below(name)
  return ofObject((value, run) => {
    for (const key of Object.keys(value)) {
      const fault = evaluate(schema, key, run)
      if (fault) return within(key, misfit(`its name is ${fault.reason}`))
    }
    return undefined
  })
}

function dependentSchemas(site: Site, name: string): Check {
  const schemas = site.members(name).map(([key]) => [key, site.beside(name, key)] as const)
  return ofObject((value, run, seen) => {
    for (const [key, schema] of schemas) {
      run.budget.spend(1)
      const fault = Object.hasOwn(value, key) && evaluate(schema, value, run, seen)
      if (fault) return fault
    }
    return undefined
  })
}

function unevaluatedProperties(site: Site, name: string): Check {
  const schema = site.below(name)
  site.schema.needsSeen = true
  return ofObject((value, run, seen) => {
    for (const key of Object.keys(value)) {
      run.budget.spend(1)
      if (seen?.hasName(key)) continue
      const fault = evaluate(schema, value[key], run)
      if (fault) return within(key, fault)
      seen?.name(key)
    }
    return undefined
  })
}

export const objectKeywords: [string, Keyword][] = [
  ['minProperties', count((size, bound) => size >= bound, 'fewer')],
  ['maxProperties', count((size, bound) => size <= bound, 'more')],
  ['required', required],
  ['dependentRequired', dependentRequired],
  ...together(MEMBERS, members),
  ['propertyNames', propertyNames],
  ['dependentSchemas', dependentSchemas],
]

/** Last of all, for they need to know what the others looked at. */
export const unevaluatedMembers: [string, Keyword][] = [
  ['unevaluatedProperties', unevaluatedProperties],
]
