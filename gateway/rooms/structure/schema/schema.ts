/** A JSON Schema (draft 2020-12) as it was read: a list of checks, interpreted on each value. */
import type { Budget } from '../budget.ts'
import { contentInvalid, type Misfit, misfit } from '../misfit.ts'
import { Seen } from './seen.ts'

/** What goes along with the evaluation of one message. */
export interface Run {
  readonly budget: Budget
  /** Schemas that are being evaluated within each other. */
  depth: number
}

/** What one keyword says of a value. `seen`: where it says which parts of it were looked at. */
export type Check = (value: unknown, run: Run, seen: Seen | undefined) => Misfit | undefined

/** Guards the stack; a value nests 64 deep. */
const DEPTH_MAX = 512

export class Schema {
  readonly checks: Check[] = []
  /** Schemas that these checks apply to the same value, for what they add up to. */
  readonly beside: Schema[] = []
  /** One of its checks has to know what the others have looked at. */
  needsSeen = false
}

/** Throws Refusal CONTENT_INVALID where it is too much work. */
export function evaluate(
  schema: Schema,
  value: unknown,
  run: Run,
  seen?: Seen | undefined,
): Misfit | undefined {
  run.budget.spend(1 + schema.checks.length)
  if (++run.depth > DEPTH_MAX) throw contentInvalid(misfit('checking it nests too deep'))
  const own = schema.needsSeen ? new Seen() : seen
  for (const check of schema.checks) {
    const fault = check(value, run, own)
    if (fault) {
      run.depth--
      return fault
    }
  }
  if (own !== seen && own) seen?.add(own, run.budget)
  run.depth--
  return undefined
}
