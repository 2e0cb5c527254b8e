/** Keywords for any value, for numbers and for strings (JSON Schema Validation, 6.1 to 6.3, 7). */
import { isObject } from '../json-text.ts'
import { type Misfit, misfit } from '../misfit.ts'
import { canonical } from './canonical.ts'
import { FORMATS } from './formats.ts'
import type { Keyword } from './keyword.ts'
import { isMultiple } from './multiple.ts'
import type { Check, Run } from './schema.ts'
import type { Site } from './site.ts'

const TYPES: Record<string, (value: unknown) => boolean> = {
  array: Array.isArray,
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  null: (value) => value === null,
  number: (value) => typeof value === 'number',
  object: isObject,
  string: (value) => typeof value === 'string',
}

function type(site: Site, name: string): Check {
  const json = site.json[name]
  const names = site.names(name, typeof json === 'string' ? [json] : json)
  const tests = names.map((each) => {
    const test = Object.hasOwn(TYPES, each) ? TYPES[each] : undefined
    if (!test) throw site.fault(name, `no type of JSON: ${Object.keys(TYPES).join(', ')}`)
    return test
  })
  const reason = `not of type ${names.join(' or ')}`
  return (value) => (tests.some((test) => test(value)) ? undefined : misfit(reason))
}

function constant(site: Site, name: string): Check {
  return among([site.json[name]], 'not the one value that it may have')
}

function choice(site: Site, name: string): Check {
  return among(site.list(name), 'none of the values that it may have')
}

/** What is no array and no object is looked up as it is. */
function among(values: readonly unknown[], reason: string): Check {
  const unbounded = { spend: () => {} }
  const simple = new Set(values.filter((value) => typeof value !== 'object'))
  const others = values.filter((value) => typeof value === 'object')
  const composed = new Set(others.map((value) => canonical(value, unbounded)))
  return (value, { budget }) => {
    const found =
      typeof value === 'object'
        ? composed.size > 0 && composed.has(canonical(value, budget))
        : simple.has(value)
    return found ? undefined : misfit(reason)
  }
}

type NumberTest = (value: number, bound: number) => boolean

function bounded(fits: NumberTest, reason: string): Keyword {
  return (site, name) => {
    const bound = site.number(name)
    return (value) =>
      typeof value !== 'number' || fits(value, bound) ? undefined : misfit(`${reason} ${bound}`)
  }
}

function multipleOf(site: Site, name: string): Check {
  const divisor = site.number(name)
  if (divisor <= 0) throw site.fault(name, 'not over 0')
  return (value, { budget }) => {
    if (typeof value !== 'number') return undefined
    budget.spend(20)
    return isMultiple(value, divisor) ? undefined : misfit(`not a multiple of ${divisor}`)
  }
}

/** In characters, which are code points. */
function length(fits: NumberTest, reason: string): Keyword {
  return (site, name) => {
    const bound = site.count(name)
    return ofText((text, { budget }) => {
      budget.spend(text.length / 4)
      return fits(charactersIn(text), bound)
        ? undefined
        : misfit(`${reason} than ${bound} characters`)
    })
  }
}

function charactersIn(text: string): number {
  let count = text.length
  for (let i = 1; i < text.length; i++) {
    // Half a pair alone was refused before.
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) count--
  }
  return count
}

function pattern(site: Site, name: string): Check {
  const compiled = site.pattern(name, site.text(name))
  return ofText((text, { budget }) =>
    compiled.matches(text, budget) ? undefined : misfit('does not match the pattern'),
  )
}

function format(site: Site, name: string): Check {
  const known = site.text(name)
  const fits = FORMATS.get(known)
  if (!fits) throw site.fault(name, `no format that is checked: ${[...FORMATS.keys()].join(', ')}`)
  return ofText((text, { budget }) => {
    budget.spend(5 + text.length / 4)
    return fits(text) ? undefined : misfit(`not of format ${known}`)
  })
}

function ofText(check: (text: string, run: Run) => Misfit | undefined): Check {
  return (value, run) => (typeof value === 'string' ? check(value, run) : undefined)
}

const atLeast: NumberTest = (value, bound) => value >= bound
const atMost: NumberTest = (value, bound) => value <= bound

export const valueKeywords: [string, Keyword][] = [
  ['type', type],
  ['const', constant],
  ['enum', choice],
  ['minimum', bounded(atLeast, 'under')],
  ['exclusiveMinimum', bounded((value, bound) => value > bound, 'not over')],
  ['maximum', bounded(atMost, 'over')],
  ['exclusiveMaximum', bounded((value, bound) => value < bound, 'not under')],
  ['multipleOf', multipleOf],
  ['minLength', length(atLeast, 'shorter')],
  ['maxLength', length(atMost, 'longer')],
  ['pattern', pattern],
  ['format', format],
]
