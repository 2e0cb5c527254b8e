/** The lock stack under any sequence of inputs: late, foreign and out of order ones among them. */
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { partsOf } from '../../gateway/locks/flow.ts'
import type { Judgement } from '../../gateway/locks/lock.ts'
import { ANSWERS_AHEAD_MAX } from '../../gateway/protocol/limits.ts'
import { flowOf, type Shape, shapes } from '../support/flows.ts'
import { LockRun, type Outstanding } from '../support/lock-run.ts'

const PLACES = ['room:a/1', 'room:a/2', 'room:b/1']
const ACCEPTORS = Array.from({ length: ANSWERS_AHEAD_MAX + 2 }, (_, i) => `acceptor-${i}`)
const OUTCOMES = ['passed', 'failed', 'away', 'dropped', 'challenge', 'nonce', 'needs'] as const

/** An input, but for what only a run knows: which locks there are. */
type Step =
  | {
      readonly type: 'guard'
      readonly place: string
      readonly shape: Shape
      readonly forMs: number
    }
  | {
      readonly type: 'answer'
      readonly lock: 'newest' | 'unnamed' | number
      readonly acceptor: 'asked' | 'another' | string
      readonly chooses: boolean
    }
  | {
      readonly type: 'judged'
      readonly which: 'due' | 'later' | number
      readonly outcome: (typeof OUTCOMES)[number]
      readonly shape: Shape
      readonly resolves: number
    }
  | { readonly type: 'abandon'; readonly place: string }
  | { readonly type: 'tick'; readonly afterMs: number }

const place = fc.constantFrom(...PLACES)
const shape = shapes(ACCEPTORS.slice(0, 5))
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('guard' as const),
        place,
        shape,
        forMs: fc.integer({ min: 1, max: 40 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('answer' as const),
        lock: fc.oneof(fc.constantFrom('newest' as const, 'unnamed' as const), fc.nat(40)),
        acceptor: fc.oneof(fc.constantFrom('asked', 'another'), fc.constantFrom(...ACCEPTORS)),
        chooses: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant('judged' as const),
        which: fc.oneof(
          { weight: 8, arbitrary: fc.constant('due' as const) },
          fc.constant('later' as const),
          fc.nat(40),
        ),
        outcome: fc.constantFrom(...OUTCOMES, 'passed' as const, 'challenge' as const),
        shape,
        resolves: fc.nat(7),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('abandon' as const), place }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('tick' as const), afterMs: fc.nat(12) }),
    },
  ),
  { maxLength: 60, size: 'max' },
)

function play(run: LockRun, step: Step): void {
  const { locks } = run.stack
  const top = locks.at(-1)
  switch (step.type) {
    case 'guard': {
      const flow = flowOf(step.shape)
      return run.guard(step.place, flow, partsOf(flow), run.now + step.forMs)
    }
    case 'answer': {
      const lock = { newest: top?.id ?? 'none', unnamed: '' }[step.lock] ?? `lock-${step.lock}`
      const another = top?.flow.kind === 'lock' ? 'none' : top?.choice.acceptor
      const acceptor = { asked: top?.choice.acceptor ?? 'none', another: another ?? 'none' }
      return run.answer(lock, acceptor[step.acceptor as 'asked'] ?? step.acceptor, step.chooses)
    }
    case 'judged': {
      const from = outstandingFor(run, step.which)
      if (from) run.judged(from, judgementOf(run, step), resolvedBy(run, from, step.resolves))
      return
    }
    case 'abandon':
      return run.play(step)
    case 'tick':
      run.now += step.afterMs
      return run.play({ type: 'tick', now: run.now })
  }
}

/** What is due, what comes without having been asked for, or what is no more, if it ever was. */
function outstandingFor(run: LockRun, which: 'due' | 'later' | number): Outstanding | undefined {
  if (which === 'due') return run.outstanding[0]
  if (typeof which === 'number') return { lock: `lock-${which}`, round: which % 3 }
  const asked = run.stack.locks.find(({ phase }) => phase === 'asked')
  return asked && { lock: asked.id, round: asked.round }
}

function judgementOf(run: LockRun, { outcome, shape }: Extract<Step, { type: 'judged' }>) {
  const judgements: Record<typeof outcome, () => Judgement> = {
    passed: () => passed(run),
    failed: () => ({ outcome: 'failed', code: Code.UNAUTHENTICATED }),
    away: () => ({ outcome: 'failed', code: Code.UNAVAILABLE }),
    dropped: () => ({ outcome: 'dropped', code: Code.SHARE_LIMIT }),
    challenge: () => ({ outcome: 'challenge', ask: { case: undefined } }),
    nonce: () => ({ outcome: 'challenge', ask: { case: 'data', value: new Uint8Array(1) } }),
    needs: () => ({
      outcome: 'needs',
      locks: run.newLocks(partsOf(flowOf(shape)), run.now + 10),
    }),
  }
  return judgements[outcome]()
}

function passed(run: LockRun): Judgement {
  const proof = { acceptor: 'any', values: run.newValues(), grants: [] }
  return { outcome: 'passed', proof }
}

/** Some of the other locks of places, as the bits say; none that an answer is being judged for. */
function resolvedBy({ stack }: LockRun, { lock }: Outstanding, bits: number): string[] {
  return stack.locks
    .filter(({ id, phase, place }) => id !== lock && phase !== 'judging' && place !== undefined)
    .filter((_, i) => ((bits >> i) & 1) === 1)
    .map(({ id }) => id)
}

describe('under any sequence of inputs', () => {
  test('the stack stays well-formed and each effect is due', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const run = new LockRun()
        for (const step of played) if (!run.over) play(run, step)
      }),
      { numRuns: 400 },
    )
  })

  test('who answers all that is asked from there on gets in wherever he waits', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const run = new LockRun()
        for (const step of played) if (!run.over) play(run, step)
        if (run.over) return
        const waiting = new Set(run.stack.locks.flatMap((lock) => lock.place ?? []))
        run.unlocked.length = 0
        answerAll(run)
        expect(run.over).toBe(false)
        expect(run.stack.locks).toEqual([])
        expect(new Set(run.unlocked)).toEqual(waiting)
      }),
      { numRuns: 200 },
    )
  })

  test('whoever does nothing any more is out of everything when the time is up', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const run = new LockRun()
        for (const step of played) if (!run.over) play(run, step)
        run.unlocked.length = 0
        if (!run.over) play(run, { type: 'tick', afterMs: 100 })
        if (!run.over) expect(run.stack.locks).toEqual([])
        expect(run.unlocked).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})

/** Acceptors ask for an answer and are content with it; the client answers what it is asked. */
function answerAll(run: LockRun): void {
  while (run.stack.locks.length > 0) {
    const due = run.outstanding[0]
    const lock = run.stack.locks.find(({ id }) => id === due?.lock)
    const top = run.stack.locks.at(-1)
    if (!due) run.answer('', top?.choice.acceptor ?? '', false)
    else if (lock?.phase === 'judging') run.judged(due, passed(run), [])
    else run.judged(due, { outcome: 'challenge', ask: { case: undefined } }, [])
  }
}
