/** Which clauses of the protocol the cases are about, and which no case is about. */
import { readFileSync } from 'node:fs'
import type { Run } from './result.ts'

/** Clauses as the document has them, in its order. */
export function clausesOf(document: string): string[] {
  const text = readFileSync(document, 'utf8')
  return [...text.matchAll(/^- \[(PH-\d+\.\d+)\]/gm)].map(([, clause]) => clause!)
}

/** A line a clause: how many cases cite it; and at the end those that none does. */
export function clauseReport(clauses: readonly string[], runs: readonly Run[]): string {
  const cited = Map.groupBy(
    new Map(
      runs.flatMap(({ name, clauses }) => {
        const scenario = name.split('/').slice(0, 2).join('/')
        return clauses.map((clause) => [`${clause} ${scenario}`, clause] as const)
      }),
    ).values(),
    (clause) => clause,
  )
  const lines = clauses.map((clause) => `${clause} ${cited.get(clause)?.length ?? 0}`)
  const without = clauses.filter((clause) => !cited.has(clause))
  const last = `${clauses.length - without.length} of ${clauses.length} clauses have a case`
  return [...lines, '', `without one: ${without.join(' ') || 'none'}`, last].join('\n')
}
