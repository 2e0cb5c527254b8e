/** Flows for property tests, and what they mean, told in the fewest words. */
import fc from 'fast-check'
import type { Flow, LockSpec } from '../../gateway/locks/flow.ts'

/** What a flow looks like, without the identity that each of its locks has. */
export type Shape =
  | { readonly acceptor: string; readonly tries: number }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Shape[] }

/** Groups are nested up to three deep. */
export function shapes(acceptors: readonly string[]): fc.Arbitrary<Shape> {
  const leaf = fc.record({
    acceptor: fc.constantFrom(...acceptors),
    tries: fc.integer({ min: 1, max: 3 }),
  })
  const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
    shape: fc.oneof(
      { depthSize: 'small', maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.record({
        kind: fc.constantFrom('all' as const, 'any' as const),
        of: fc.array(tie('shape'), { minLength: 1, maxLength: 3 }),
      }),
    ),
  }))
  return shape
}

/** A flow whose locks are its own. */
export function flowOf(shape: Shape): Flow {
  if ('of' in shape) return { kind: shape.kind, flows: shape.of.map(flowOf) }
  const { acceptor, tries } = shape
  return { kind: 'lock', lock: { acceptor, tries, deadlineMs: 10, options: undefined } }
}

export function isSatisfied(flow: Flow, proved: ReadonlySet<LockSpec>): boolean {
  if (flow.kind === 'lock') return proved.has(flow.lock)
  return flow.kind === 'all'
    ? flow.flows.every((each) => isSatisfied(each, proved))
    : flow.flows.some((each) => isSatisfied(each, proved))
}
