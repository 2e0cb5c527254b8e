import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asked, explainFlow, refusedAt, type Step } from '../../gateway/locks/explain.ts'
import { choices, type Flow, type LockSpec, locksIn, remaining } from '../../gateway/locks/flow.ts'

function lock(acceptor: string): LockSpec {
  return { acceptor, tries: 3, deadlineMs: 1000, options: undefined }
}

const NAMES = ['a', 'b', 'c', 'd', 'e']

const { flow: flows } = fc.letrec<{ flow: Flow }>((tie) => ({
  flow: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...NAMES).map((name): Flow => ({ kind: 'lock', lock: lock(name) })),
    fc
      .tuple(
        fc.constantFrom('all' as const, 'any' as const),
        fc.array(tie('flow'), { minLength: 1, maxLength: 4 }),
      )
      .map(([kind, flows]): Flow => ({ kind, flows })),
  ),
}))

const proved = fc.uniqueArray(fc.constantFrom(...NAMES)).map((names) => new Set(names))

function locksOf(step: Step): LockSpec[] {
  return step.kind === 'lock' ? [step.lock] : step.steps.flatMap(locksOf)
}

describe('an explained flow', () => {
  it('has every lock in its order, and is finished where nothing remains', () => {
    fc.assert(
      fc.property(flows, proved, (flow, names) => {
        const isFinished = ({ acceptor }: LockSpec) => names.has(acceptor)
        const known = { isFinished, needsOf: () => undefined, refusalOf: () => undefined }
        const step = explainFlow(flow, known)
        const left = remaining(flow, isFinished)
        expect(locksOf(step)).toEqual(locksIn(flow))
        expect(step.finished).toBe(left === undefined)
        expect(asked(flow, known)).toEqual(left ? choices(left) : [])
      }),
    )
  })

  it('shows what a lock needs within it, and asks for that first', () => {
    const by: Flow = {
      kind: 'any',
      flows: [
        { kind: 'lock', lock: lock('ssh-key') },
        { kind: 'lock', lock: lock('token') },
      ],
    }
    const flow: Flow = { kind: 'lock', lock: lock('identity') }
    const needsOf = ({ acceptor }: LockSpec) => (acceptor === 'identity' ? by : undefined)
    const refusalOf = () => undefined
    const nobody = { isFinished: () => false, needsOf, refusalOf }
    expect(explainFlow(flow, nobody)).toMatchObject({ needs: { kind: 'any', finished: false } })
    expect(asked(flow, nobody).map(({ acceptor }) => acceptor)).toEqual(['ssh-key', 'token'])
    const isFinished = ({ acceptor }: LockSpec) => acceptor === 'token'
    const other = { isFinished, needsOf, refusalOf }
    expect(asked(flow, other).map(({ acceptor }) => acceptor)).toEqual(['identity'])
    // Somebody else is proved than the lock asks for: then it is the lock itself that refuses.
    const code = Code.ENTRY_NOT_PERMITTED
    const wrong = { isFinished, needsOf, refusalOf: () => code }
    expect(asked(flow, wrong)).toEqual([])
    expect([nobody, other, wrong].map((known) => refusedAt(flow, known))).toEqual([
      undefined,
      undefined,
      code,
    ])
  })

  it('ends where locks need each other', () => {
    const flow: Flow = { kind: 'lock', lock: lock('a') }
    const known = {
      isFinished: () => false,
      needsOf: () => flow,
      refusalOf: () => undefined,
    }
    expect(asked(flow, known)).toHaveLength(1)
    expect(JSON.stringify(explainFlow(flow, known)).match(/"needs"/g)).toHaveLength(15)
  })
})
