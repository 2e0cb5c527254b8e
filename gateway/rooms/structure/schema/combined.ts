/** Keywords that apply other schemas to the same value (JSON Schema Core, 8.2 and 10.2). */
import { misfit } from '../misfit.ts'
import { type Keyword, together } from './keyword.ts'
import { type Check, evaluate, type Schema } from './schema.ts'
import { Seen } from './seen.ts'
import type { Site } from './site.ts'

function listed(site: Site, name: string): Schema[] {
  const schemas = site.list(name).map((_, i) => site.beside(name, i))
  if (schemas.length === 0) throw site.fault(name, 'an empty array')
  return schemas
}

function allOf(site: Site, name: string): Check {
  const schemas = listed(site, name)
  return (value, run, seen) => {
    for (const schema of schemas) {
      const fault = evaluate(schema, value, run, seen)
      if (fault) return fault
    }
    return undefined
  }
}

/** What did not fit has looked at nothing. */
function anyOf(site: Site, name: string): Check {
  const schemas = listed(site, name)
  return (value, run, seen) => {
    let fits = false
    for (const schema of schemas) {
      const own = seen && new Seen()
      if (evaluate(schema, value, run, own)) continue
      if (!own) return undefined
      seen?.add(own, run.budget)
      fits = true
    }
    return fits ? undefined : misfit('fits none of anyOf')
  }
}

function oneOf(site: Site, name: string): Check {
  const schemas = listed(site, name)
  return (value, run, seen) => {
    let fits = false
    for (const schema of schemas) {
      const own = seen && new Seen()
      if (evaluate(schema, value, run, own)) continue
      if (fits) return misfit('fits more than one of oneOf')
      if (own) seen?.add(own, run.budget)
      fits = true
    }
    return fits ? undefined : misfit('fits none of oneOf')
  }
}

function not(site: Site, name: string): Check {
  const schema = site.beside(name)
  return (value, run) =>
    evaluate(schema, value, run) ? undefined : misfit('fits what it must not be')
}

const CONDITION = ['if', 'then', 'else']

function condition(site: Site): Check | undefined {
  const [whether, thenWhat, otherwise] = CONDITION.map((name) =>
    site.has(name) ? site.beside(name) : undefined,
  )
  if (!whether) return undefined
  return (value, run, seen) => {
    const own = seen && new Seen()
    const fits = !evaluate(whether, value, run, own)
    if (fits && own) seen?.add(own, run.budget)
    const next = fits ? thenWhat : otherwise
    return next && evaluate(next, value, run, seen)
  }
}

export const combiningKeywords: [string, Keyword][] = [
  ['$ref', (site, name) => site.refer(name)],
  ['allOf', allOf],
  ['anyOf', anyOf],
  ['oneOf', oneOf],
  ['not', not],
  ...together(CONDITION, condition),
]
