/**
 * Flows: which locks guard a place, all or any of them, nested (R18). A flow is used up as its
 * locks resolve: what is left of it is again a flow.
 */

/** One lock as a flow names it, its options read by its acceptor. */
export interface LockSpec {
  readonly acceptor: string
  /** Wrong answers it takes. */
  readonly tries: number
  /** In milliseconds, from when it is set. */
  readonly deadlineMs: number
  /** As the acceptor's own `readOptions` gave them. */
  readonly options: unknown
  /** Acceptor and options as they were written: the same text is the same lock of its place. */
  readonly key?: string
}

export type Flow =
  | { readonly kind: 'lock'; readonly lock: LockSpec }
  | { readonly kind: 'all' | 'any'; readonly flows: readonly Flow[] }

/** What is left once some locks count as resolved; undefined: nothing, the way is free. */
export function remaining(flow: Flow, resolved: (lock: LockSpec) => boolean): Flow | undefined {
  if (flow.kind === 'lock') return resolved(flow.lock) ? undefined : flow
  const flows = flow.flows.map((each) => remaining(each, resolved))
  const left = flows.filter((each) => each !== undefined)
  if (flow.kind === 'any' && left.length < flows.length) return undefined
  return left.length > 0 ? { kind: flow.kind, flows: left } : undefined
}

/** Locks of which one is next, the preferred one first. */
export function choices(flow: Flow): LockSpec[] {
  if (flow.kind === 'lock') return [flow.lock]
  if (flow.kind === 'any') return flow.flows.flatMap(choices)
  const [first] = flow.flows
  return first ? choices(first) : []
}

/** What is left once one of the `choices` is resolved: of an `any` the branch that holds it. */
export function advance(flow: Flow, lock: LockSpec): Flow | undefined {
  if (flow.kind === 'lock') return undefined
  if (flow.kind === 'any') {
    const branch = flow.flows.find((each) => choices(each).includes(lock))
    return branch && advance(branch, lock)
  }
  const [first, ...rest] = flow.flows
  const left = first && advance(first, lock)
  const flows = left ? [left, ...rest] : rest
  return flows.length > 0 ? { kind: 'all', flows } : undefined
}

/** Every lock of it. */
export function locksIn(flow: Flow): LockSpec[] {
  return flow.kind === 'lock' ? [flow.lock] : flow.flows.flatMap(locksIn)
}

/** What becomes locks of their own, the first to be resolved first. */
export function partsOf(flow: Flow): readonly Flow[] {
  return flow.kind === 'all' ? flow.flows.flatMap(partsOf) : [flow]
}
