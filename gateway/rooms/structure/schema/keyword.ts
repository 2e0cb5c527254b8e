/** What a keyword of JSON Schema is to those who read one. */
import type { Check } from './schema.ts'
import type { Site } from './site.ts'

/** Reads itself where it stands; undefined: it checks nothing, or another checks it along. */
export type Keyword = (site: Site, name: string) => Check | undefined

/** Keywords that make one check together, by the first of them that is there. */
export function together(
  names: readonly string[],
  build: (site: Site) => Check | undefined,
): [string, Keyword][] {
  return names.map((own) => [
    own,
    (site) => (names.find((name) => site.has(name)) === own ? build(site) : undefined),
  ])
}
