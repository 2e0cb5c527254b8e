/** A flow laid open for its admin: which of its locks are resolved, and what they would need. */

import type { Code } from '@porthouse/proto/v1/code'
import { LOCK_DEPTH_MAX } from '../protocol/limits.ts'
import { choices, type Flow, type LockSpec, remaining } from './flow.ts'

export type Step = LockShown | GroupShown

export interface LockShown {
  readonly kind: 'lock'
  readonly lock: LockSpec
  /** Resolved by what is proved already: a socket would not be asked. */
  readonly finished: boolean
  /** What the lock asks for first (R13). */
  readonly needs?: Step
}

export interface GroupShown {
  readonly kind: 'all' | 'any'
  /** As a whole: of an `any`, one branch is enough. */
  readonly finished: boolean
  readonly steps: readonly Step[]
}

export interface Knowledge {
  readonly isFinished: (lock: LockSpec) => boolean
  /** Undefined: nothing, or nobody knows before it is asked. */
  readonly needsOf: (lock: LockSpec) => Flow | undefined
  /** Why it would refuse without a question; undefined: it would not. */
  readonly refusalOf: (lock: LockSpec) => Code | undefined
}

/**
 * Every lock of a flow in its order, and what locks need within them, as deep as a socket's stack
 * may be.
 */
export function explainFlow(flow: Flow, known: Knowledge, depth = 1): Step {
  const finished = remaining(flow, known.isFinished) === undefined
  if (flow.kind !== 'lock') {
    const steps = flow.flows.map((each) => explainFlow(each, known, depth))
    return { kind: flow.kind, finished, steps }
  }
  const { lock } = flow
  const needs = depth < LOCK_DEPTH_MAX ? known.needsOf(lock) : undefined
  const within = needs && explainFlow(needs, known, depth + 1)
  return { kind: 'lock', lock, finished, ...(within && { needs: within }) }
}

/**
 * Locks of which one would challenge now, the preferred first; none: nothing is left of it, or all
 * that could be next refuse.
 */
export function asked(flow: Flow, known: Knowledge, depth = 1): LockSpec[] {
  const left = remaining(flow, known.isFinished)
  if (!left) return []
  return choices(left).flatMap((lock) => {
    if (known.refusalOf(lock)) return []
    const needs = depth < LOCK_DEPTH_MAX ? known.needsOf(lock) : undefined
    const first = needs ? asked(needs, known, depth + 1) : []
    return first.length > 0 ? first : [lock]
  })
}

/** Why no lock would challenge now, where that is because all refuse: as the last of them says. */
export function refusedAt(flow: Flow, known: Knowledge): Code | undefined {
  const left = remaining(flow, known.isFinished)
  if (!left || asked(left, known).length > 0) return undefined
  return choices(left)
    .map(known.refusalOf)
    .findLast((code) => code)
}
