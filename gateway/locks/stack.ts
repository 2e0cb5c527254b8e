/**
 * A socket's stack of locks as a pure reducer: (stack, input) → (stack, effects). It talks to
 * nobody, judges nothing and reads no clock; what comes of its effects comes back as inputs (R12,
 * R13). Every lock ends in exactly one verdict, passed or dropped, and a place is unlocked with the
 * last of its locks.
 */
import { Code } from '@porthouse/proto/v1/code'
import { ANSWERS_AHEAD_MAX, LOCK_DEPTH_MAX } from '../protocol/limits.ts'
import type { Response } from './acceptor.ts'
import { advance, choices, type LockSpec, locksIn } from './flow.ts'
import type {
  Ahead,
  Judgement,
  Lock,
  LockEffect,
  LockInput,
  LockStack,
  NewLock,
  Values,
} from './lock.ts'

/** How often one lock may need others, so that two cannot need each other for ever. */
const NEEDS_MAX = 4

export type Reduced = readonly [LockStack, readonly LockEffect[]]

export function reduceLocks(stack: LockStack, input: LockInput): Reduced {
  switch (input.type) {
    case 'guard':
      return guard(stack, input)
    case 'answer':
      return answer(stack, input)
    case 'judged':
      return judged(stack, input)
    case 'abandon':
      return abandon(stack, input.place)
    case 'tick':
      return tick(stack, input.now)
  }
}

type Input<T extends LockInput['type']> = Extract<LockInput, { type: T }>

function guard(stack: LockStack, { place, locks }: Input<'guard'>): Reduced {
  if (stack.locks.some((lock) => lock.place === place)) {
    return stack.locks.at(-1)?.place === place ? reach(stack) : [stack, []]
  }
  if (locks.length === 0) return [stack, [{ type: 'unlocked', place }]]
  if (stack.locks.length + locks.length > LOCK_DEPTH_MAX) {
    return [stack, [{ type: 'lockedOut', place, code: Code.NESTING_TOO_DEEP }]]
  }
  const set = locks.map((lock) => newLock(lock, place, undefined)).reverse()
  return reach({ ...stack, locks: [...stack.locks, ...set] })
}

function newLock(
  { id, flow, since, deadline }: NewLock,
  place: string | undefined,
  asker: string | undefined,
): Lock {
  const [choice] = choices(flow)
  if (!choice) throw new Error('a flow without a lock')
  const fresh = { out: [], phase: 'set', round: 0, needs: 0, state: undefined, frame: 0 } as const
  const ask = { case: undefined }
  const { tries: triesLeft } = choice
  const set = { id, flow, since, deadline }
  return { ...set, choice, place, asker, triesLeft, ask, values: {}, ...fresh }
}

/**
 * The last lock is the one to be answered now: what it asks, its acceptor says, unless `asking` is
 * false and it has been told before. An answer that was given ahead is used.
 */
function reach(stack: LockStack, asking = true): Reduced {
  const top = stack.locks.at(-1)
  if (top?.phase !== 'asked' && top?.phase !== 'set') return [stack, []]
  const given = [top.choice, ...openChoices(top)].find(({ acceptor }) => stack.ahead.has(acceptor))
  if (top.phase === 'asked' && given === top.choice) return useAhead(stack, top)
  if (top.phase === 'asked' && !given) {
    return [stack, asking ? [challengeOf(stack, top, 0)] : []]
  }
  const choice = given ?? top.choice
  const lock = { ...top, choice, phase: 'beginning', round: top.round + 1 } as const
  return [replace(stack, lock), [{ type: 'begin', lock }]]
}

/** Goes on after a change; who was asked before it is not asked once more. */
function goOn(before: LockStack, stack: LockStack): Reduced {
  return reach(stack, before.locks.at(-1)?.id !== stack.locks.at(-1)?.id)
}

/** The answer to what a lock asks was given ahead, or is a mere wish to be asked. */
function useAhead(stack: LockStack, asked: Lock): Reduced {
  const ahead = new Map(stack.ahead)
  const { response, frame } = ahead.get(asked.choice.acceptor) as Ahead
  ahead.delete(asked.choice.acceptor)
  const left = { ...stack, ahead }
  if (response.case !== undefined) return judge(left, asked, response, frame)
  const [next, effects] = reach(left, false)
  return [next, [challengeOf(left, asked, frame), ...effects]]
}

function openChoices({ flow, out }: Lock): LockSpec[] {
  return choices(flow).filter((choice) => !out.includes(choice))
}

/** Names of the other acceptors that would do. */
export function othersOf(lock: Lock): string[] {
  const others = openChoices(lock).filter((choice) => choice !== lock.choice)
  return [...new Set(others.map(({ acceptor }) => acceptor))]
}

function challengeOf(stack: LockStack, lock: Lock, frame: number): LockEffect {
  return { type: 'challenge', lock, depth: stack.locks.indexOf(lock) + 1, frame }
}

function judge(stack: LockStack, asked: Lock, response: Response, frame: number): Reduced {
  const lock = { ...asked, phase: 'judging', round: asked.round + 1, frame } as const
  return [replace(stack, lock), [{ type: 'judge', lock, response }]]
}

function answer(stack: LockStack, input: Input<'answer'>): Reduced {
  const { acceptor, response, frame } = input
  const top = stack.locks.at(-1)
  if (input.lock !== '' && input.lock !== top?.id) {
    return refuse(stack, frame, 'no such lock waits for an answer')
  }
  if (!top && input.nominated) {
    const made = newLock(input.nominated, undefined, undefined)
    const triesLeft = made.triesLeft - stack.failures
    return given(stack, input, [{ ...made, triesLeft }])
  }
  const choice = top && openChoices(top).find((each) => each.acceptor === acceptor)
  if (input.lock !== '' && !choice) {
    return refuse(stack, frame, `the lock asks for ${top?.choice.acceptor}`)
  }
  if (top?.phase !== 'asked' || !choice) return given(stack, input)
  const chosen = response.case === undefined
  if (choice === top.choice && !chosen) return judge(stack, top, response, frame)
  const lock = { ...top, choice, phase: 'set', frame: chosen ? frame : 0 } as const
  const next = replace(stack, lock)
  return chosen ? reach(next) : given(stack, input, next.locks)
}

/**
 * Keeps an answer, one an acceptor, until a lock is reached that it is for, which may be now.
 * `locks`: what the answer makes of them.
 */
function given(stack: LockStack, input: Input<'answer'>, locks = stack.locks): Reduced {
  const { acceptor, response, frame } = input
  const older = stack.ahead.get(acceptor)
  if (!older && stack.ahead.size >= ANSWERS_AHEAD_MAX) {
    return refuse(stack, frame, `over ${ANSWERS_AHEAD_MAX} answers ahead`, Code.QUEUE_FULL)
  }
  const ahead = new Map(stack.ahead).set(acceptor, { response, frame })
  const [next, effects] = reach({ ...stack, locks, ahead }, false)
  if (!older || older.frame === 0) return [next, effects]
  const detail = `another answer for ${acceptor} came after it`
  return [next, [{ type: 'refuse', frame: older.frame, code: Code.QUEUE_FULL, detail }, ...effects]]
}

function judged(before: LockStack, input: Input<'judged'>): Reduced {
  const found = before.locks.find(({ id }) => id === input.lock)
  if (!found || found.round !== input.round) return [before, []]
  if (found.phase === 'set' || found.phase === 'needing') return [before, []]
  const { judgement } = input
  const [stack, lock] = owing(before, found, judgement)
  switch (judgement.outcome) {
    case 'passed':
      return pass(stack, lock, judgement.proof.values, input.resolves)
    case 'failed':
      return lock.phase === 'beginning' && !isNominated(lock)
        ? cannotBegin(stack, lock, judgement.code)
        : fail(stack, lock, judgement.code)
    case 'dropped':
      return lockOut(stack, [lock.place], judgement.code, judgement.code)
    case 'challenge':
      return challenge(stack, { ...lock, ask: judgement.ask, state: judgement.state })
    case 'needs':
      return need(stack, lock, judgement.locks)
  }
}

/** A verdict without a question answers the answer that was given ahead, if there is one. */
function owing(stack: LockStack, lock: Lock, { outcome }: Judgement): [LockStack, Lock] {
  const { acceptor } = lock.choice
  const given = stack.ahead.get(acceptor)
  if (!given || lock.phase !== 'beginning' || lock.frame !== 0) return [stack, lock]
  if (outcome === 'challenge' || outcome === 'needs') return [stack, lock]
  const ahead = new Map(stack.ahead)
  ahead.delete(acceptor)
  const answered = { ...lock, frame: given.frame }
  return [replace({ ...stack, ahead }, answered), answered]
}

/** Made by an answer in the main lobby, for that one answer. */
function isNominated({ place, asker }: Lock): boolean {
  return place === undefined && asker === undefined
}

function pass(stack: LockStack, lock: Lock, proved: Values, resolves: readonly string[]): Reduced {
  const values = { ...lock.values, ...proved }
  const left = advance(lock.flow, lock.choice)
  if (left) {
    const [choice] = choices(left) as [LockSpec]
    const next = { ...lock, flow: left, choice, triesLeft: choice.tries, out: [], values } as const
    return goOn(stack, replace(stack, { ...next, phase: 'set' }))
  }
  const others = stack.locks.filter(({ id }) => id !== lock.id && resolves.includes(id)).reverse()
  const moot = stack.locks.filter(
    (each) => each !== lock && !others.includes(each) && isFor(each, others, stack.locks),
  )
  const resolved = resolvedBy(values, [lock, ...others])
  const gone = [lock, ...others, ...moot]
  const rest = stack.locks.filter((each) => !gone.includes(each))
  const locks = rest.map((each) => toldOf(each, resolved, rest))
  const verdicts = [
    ...resolved.map((each) => verdictOn(each, 'passed', Code.UNSPECIFIED, each.values)),
    ...moot.reverse().map((each) => verdictOn(each, 'dropped', Code.UNSPECIFIED)),
  ]
  const unlocked = [...new Set(gone.map(({ place }) => place))]
    .filter((place) => place !== undefined)
    .filter((place) => !locks.some((each) => each.place === place))
    .map((place) => ({ type: 'unlocked', place }) as const)
  const [next, effects] = goOn(stack, { ...stack, locks })
  return [next, [...verdicts, ...unlocked, ...effects]]
}

/** Locks that one proof resolves, the newest first: what needed another has its values (R13). */
function resolvedBy(proved: Values, locks: readonly Lock[]): Lock[] {
  const told = new Map<string, Values>()
  return locks.map((lock) => {
    const values = { ...lock.values, ...told.get(lock.id), ...proved }
    if (lock.asker !== undefined) told.set(lock.asker, { ...told.get(lock.asker), ...values })
    return { ...lock, values }
  })
}

/** Whether a lock is there only because one of these needed it, or needed one that needed it. */
function isFor({ asker }: Lock, needing: readonly Lock[], locks: readonly Lock[]): boolean {
  if (asker === undefined) return false
  if (needing.some(({ id }) => id === asker)) return true
  const next = locks.find(({ id }) => id === asker)
  return next !== undefined && isFor(next, needing, locks)
}

/** Who needed what is resolved now has its values, and goes on when it needs no more (R13). */
function toldOf(lock: Lock, resolved: readonly Lock[], rest: readonly Lock[]): Lock {
  const told = resolved.filter(({ asker }) => asker === lock.id)
  if (told.length === 0) return lock
  const phase = rest.some(({ asker }) => asker === lock.id) ? lock.phase : 'set'
  return {
    ...lock,
    values: Object.assign({}, lock.values, ...told.map((each) => each.values)),
    phase,
  }
}

/** This way to resolve the lock is out; another one may be left. */
function cannotBegin(stack: LockStack, lock: Lock, code: Code): Reduced {
  const out = [...lock.out, lock.choice]
  const [choice] = openChoices({ ...lock, out })
  if (!choice) return lockOut(stack, [lock.place], code, code)
  const next = { ...lock, out, choice, phase: 'set', frame: 0 } as const
  const [reached, effects] = goOn(stack, replace(stack, next))
  return [reached, lock.frame === 0 ? effects : [verdictOn(lock, 'failed', code), ...effects]]
}

function fail(stack: LockStack, lock: Lock, code: Code): Reduced {
  // What could not be judged was not wrong.
  const wrong = code === Code.UNAVAILABLE ? 0 : 1
  const failed = { ...lock, triesLeft: lock.triesLeft - wrong, frame: 0 }
  if (failed.triesLeft <= 0) return lockOut(stack, [lock.place], code, Code.TRIES_EXHAUSTED)
  const verdict = verdictOn({ ...failed, frame: lock.frame }, 'failed', code)
  if (isNominated(lock)) {
    const locks = stack.locks.filter(({ id }) => id !== lock.id)
    const [next, effects] = goOn(stack, { ...stack, locks, failures: stack.failures + wrong })
    return [next, [verdict, ...effects]]
  }
  // What was asked is good for one answer, unless it asked for nothing in particular.
  const fresh = failed.ask.case !== undefined || failed.state !== undefined
  const again = replace(stack, { ...failed, phase: fresh ? 'set' : 'asked' })
  const [next, effects] = goOn(stack, again)
  return [next, [verdict, ...effects]]
}

/** Asks, unless the answer was given ahead. */
function challenge(before: LockStack, lock: Lock): Reduced {
  const asked = { ...lock, phase: 'asked', frame: 0 } as const
  const stack = replace(before, asked)
  const owed = lock.frame === 0 ? [] : [challengeOf(stack, asked, lock.frame)]
  const [next, effects] = reach(stack, owed.length === 0 && stack.locks.at(-1) === asked)
  return [next, [...owed, ...effects]]
}

function need(stack: LockStack, lock: Lock, wanted: readonly NewLock[]): Reduced {
  const needs = lock.needs + 1
  const asking = acceptorsAbove(stack, lock)
  const loops = wanted.some(({ flow }) =>
    locksIn(flow).some(({ acceptor }) => asking.has(acceptor)),
  )
  const deep = stack.locks.length + wanted.length > LOCK_DEPTH_MAX
  if (loops || deep || needs > NEEDS_MAX) {
    return lockOut(stack, [lock.place], Code.NESTING_TOO_DEEP, Code.NESTING_TOO_DEEP)
  }
  if (wanted.length === 0) return goOn(stack, replace(stack, { ...lock, needs, phase: 'set' }))
  const set = wanted.map((each) => newLock(each, lock.place, lock.id)).reverse()
  // Whoever answered is told what is asked next.
  const last = set.length - 1
  set[last] = { ...(set[last] as Lock), frame: lock.frame }
  const index = stack.locks.indexOf(lock)
  const needing = { ...lock, needs, phase: 'needing', frame: 0 } as const
  const locks = stack.locks.toSpliced(index, 1, needing, ...set)
  return goOn(stack, { ...stack, locks })
}

/** Acceptors of a lock and of those that it is needed by: none of them may be needed again. */
function acceptorsAbove({ locks }: LockStack, lock: Lock): Set<string> {
  const acceptors = new Set<string>()
  let each: Lock | undefined = lock
  while (each) {
    acceptors.add(each.choice.acceptor)
    const { asker }: Lock = each
    each = asker === undefined ? undefined : locks.find(({ id }) => id === asker)
  }
  return acceptors
}

function tick(stack: LockStack, now: number): Reduced {
  const late = stack.locks.filter(({ deadline }) => deadline <= now)
  // Nearly always, and for every socket each second.
  if (late.length === 0) return [stack, []]
  const places = new Set(late.map(({ place }) => place))
  return lockOut(stack, [...places], Code.LOCK_DEADLINE, Code.LOCK_DEADLINE)
}

function abandon(stack: LockStack, place: string): Reduced {
  const [left, verdicts] = without(stack, place, Code.UNSPECIFIED)
  const [next, effects] = goOn(stack, left)
  return [next, [...verdicts, ...effects]]
}

/** The places stay locked: all their locks are dropped, the newest first. */
function lockOut(
  stack: LockStack,
  places: readonly (string | undefined)[],
  why: Code,
  code: Code,
): Reduced {
  let left = stack
  const ends: LockEffect[] = []
  for (const place of places) {
    const [next, verdicts] = without(left, place, why)
    ends.push(...verdicts, { type: 'lockedOut', place, code })
    left = next
  }
  const [next, effects] = goOn(stack, left)
  return [next, [...ends, ...effects]]
}

function without(stack: LockStack, place: string | undefined, code: Code): Reduced {
  const gone = stack.locks.filter((lock) => lock.place === place).reverse()
  const locks = stack.locks.filter((lock) => lock.place !== place)
  return [{ ...stack, locks }, gone.map((lock) => verdictOn(lock, 'dropped', code))]
}

type Verdict = Extract<LockEffect, { type: 'verdict' }>

function verdictOn(
  lock: Lock,
  outcome: Verdict['outcome'],
  code: Code,
  values: Values = {},
): Verdict {
  return { type: 'verdict', lock, outcome, code, values, frame: lock.frame }
}

function replace(stack: LockStack, lock: Lock): LockStack {
  return { ...stack, locks: stack.locks.map((each) => (each.id === lock.id ? lock : each)) }
}

function refuse(
  stack: LockStack,
  frame: number,
  detail: string,
  code: Code = Code.FRAME_NOT_ALLOWED,
): Reduced {
  return [stack, [{ type: 'refuse', frame, code, detail }]]
}
