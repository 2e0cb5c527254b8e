/**
 * A socket's stack of locks as a pure reducer: (stack, input) → (stack, effects). It talks to
 * nobody, verifies nothing and reads no clock; what comes of its effects comes back as inputs (R12,
 * R13).
 */
import { Code } from '@porthouse/proto/v1/code'
import { ANSWERS_AHEAD_MAX, LOCK_DEPTH_MAX } from '../protocol/limits.ts'

/** What a client says to an acceptor. */
export type Response = string | Uint8Array

export interface Lock {
  /** Without its `lock:`. */
  readonly id: string
  readonly acceptor: string
  /**
   * Address of what it guards; undefined for the main lobby, where a client proves what it likes.
   */
  readonly place: string | undefined
  /** In milliseconds of the same clock as `tick`. */
  readonly deadline: number
  readonly triesLeft: number
  /** An answer of it is being verified. */
  readonly verifying: boolean
}

export interface LockStack {
  /** The oldest first; only the last one is challenged. */
  readonly locks: readonly Lock[]
  /** Answers given before their lock was reached, by acceptor. */
  readonly ahead: ReadonlyMap<string, Response>
  /** Wrong answers in the main lobby, where each answer makes a lock of its own. */
  readonly failures: number
}

export const EMPTY_STACK: LockStack = { locks: [], ahead: new Map(), failures: 0 }

export type LockInput =
  /**
   * Somebody wants to enter a place that these acceptors guard, the first of them first. Where
   * locks of it wait already, it is these that he waits for.
   */
  | {
      readonly type: 'guard'
      readonly place: string
      readonly locks: readonly { readonly id: string; readonly acceptor: string }[]
      readonly tries: number
      readonly deadline: number
    }
  /**
   * An answer; `nominated` is the lock to make of it where none waits and the socket is in the
   * lobby.
   */
  | {
      readonly type: 'answer'
      readonly lock: string
      readonly acceptor: string
      readonly response: Response
      readonly nominated: { readonly id: string; readonly tries: number; readonly deadline: number }
    }
  /** What came of the effect `verify`; `resolves`: other locks that the same proof opens. */
  | {
      readonly type: 'verified'
      readonly lock: string
      readonly verification: Verification
      readonly resolves: readonly string[]
    }
  /** The client no longer wants to enter a place. */
  | { readonly type: 'abandon'; readonly place: string }
  | { readonly type: 'tick'; readonly now: number }

export type Verification =
  | { readonly outcome: 'passed'; readonly values: Readonly<Record<string, string>> }
  | { readonly outcome: 'failed'; readonly code: Code }

export type LockEffect =
  | { readonly type: 'challenge'; readonly lock: Lock; readonly depth: number }
  /** To be answered by exactly one `verified`. */
  | { readonly type: 'verify'; readonly lock: Lock; readonly response: Response }
  | {
      readonly type: 'verdict'
      readonly lock: Lock
      readonly outcome: 'passed' | 'failed' | 'dropped'
      readonly code: Code
      readonly values: Readonly<Record<string, string>>
    }
  /** The last lock of a place is resolved. */
  | { readonly type: 'unlocked'; readonly place: string }
  /** The input was not possible; nothing changed. */
  | { readonly type: 'refuse'; readonly code: Code; readonly detail: string }
  /** A place stays locked for good; undefined for the main lobby. */
  | { readonly type: 'lockedOut'; readonly place: string | undefined; readonly code: Code }

export type LockStep = readonly [LockStack, readonly LockEffect[]]

export function reduceLocks(stack: LockStack, input: LockInput): LockStep {
  switch (input.type) {
    case 'guard':
      return guard(stack, input)
    case 'answer':
      return answer(stack, input)
    case 'verified':
      return verified(stack, input)
    case 'abandon':
      return reach(without(stack, input.place))
    case 'tick':
      return tick(stack, input.now)
  }
}

type Input<T extends LockInput['type']> = Extract<LockInput, { type: T }>

function guard(stack: LockStack, input: Input<'guard'>): LockStep {
  const { place, tries, deadline } = input
  if (stack.locks.some((lock) => lock.place === place)) {
    return stack.locks.at(-1)?.place === place ? reach(stack) : [stack, []]
  }
  if (input.locks.length === 0) return [stack, [{ type: 'unlocked', place }]]
  if (stack.locks.length + input.locks.length > LOCK_DEPTH_MAX) {
    return [stack, [{ type: 'lockedOut', place, code: Code.NESTING_TOO_DEEP }]]
  }
  const pushed = input.locks
    .map((lock) => ({ ...lock, place, deadline, triesLeft: tries, verifying: false }))
    .reverse()
  // An answer that is being verified gets its verdict first, so its lock stays the last.
  const waiting = stack.locks.filter(({ verifying }) => !verifying)
  const judged = stack.locks.filter(({ verifying }) => verifying)
  return reach({ ...stack, locks: [...waiting, ...pushed, ...judged] })
}

/** The last lock is the one to be answered now: by an answer given ahead, else by a challenge. */
function reach(stack: LockStack): LockStep {
  const lock = stack.locks.at(-1)
  if (!lock || lock.verifying) return [stack, []]
  const response = stack.ahead.get(lock.acceptor)
  if (response === undefined) {
    return [stack, [{ type: 'challenge', lock, depth: stack.locks.length }]]
  }
  const ahead = new Map(stack.ahead)
  ahead.delete(lock.acceptor)
  return verify({ ...stack, ahead }, response)
}

function verify(stack: LockStack, response: Response): LockStep {
  const lock = { ...(stack.locks.at(-1) as Lock), verifying: true }
  return [replaceTop(stack, lock), [{ type: 'verify', lock, response }]]
}

function answer(stack: LockStack, input: Input<'answer'>): LockStep {
  const { acceptor, response } = input
  const top = stack.locks.at(-1)
  if (input.lock !== '' && input.lock !== top?.id) {
    return refuse(stack, Code.FRAME_NOT_ALLOWED, 'no such lock waits for an answer')
  }
  if (top && !top.verifying && top.acceptor === acceptor) return verify(stack, response)
  if (input.lock !== '') {
    return refuse(stack, Code.FRAME_NOT_ALLOWED, `the lock asks for ${top?.acceptor}`)
  }
  if (!top) {
    const { id, tries, deadline } = input.nominated
    const triesLeft = tries - stack.failures
    const lock = { id, acceptor, place: undefined, deadline, triesLeft, verifying: false }
    return verify({ ...stack, locks: [lock] }, response)
  }
  if (!stack.ahead.has(acceptor) && stack.ahead.size >= ANSWERS_AHEAD_MAX) {
    return refuse(stack, Code.QUEUE_FULL, `over ${ANSWERS_AHEAD_MAX} answers ahead`)
  }
  return [{ ...stack, ahead: new Map(stack.ahead).set(acceptor, response) }, []]
}

function verified(stack: LockStack, input: Input<'verified'>): LockStep {
  const { verification } = input
  const lock = stack.locks.at(-1)
  if (!lock?.verifying || lock.id !== input.lock) return [stack, []]
  return verification.outcome === 'passed'
    ? pass(stack, lock, verification.values, input.resolves)
    : fail(stack, lock, verification.code)
}

function pass(
  stack: LockStack,
  lock: Lock,
  values: Readonly<Record<string, string>>,
  resolves: readonly string[],
): LockStep {
  const resolved = stack.locks.filter(({ id }) => id === lock.id || resolves.includes(id))
  const locks = stack.locks.filter((other) => !resolved.includes(other))
  const verdict = { type: 'verdict', lock, outcome: 'passed', code: 0, values } as const
  const unlocked = [...new Set(resolved.reverse().map(({ place }) => place))]
    .filter((place) => place !== undefined)
    .filter((place) => !locks.some((other) => other.place === place))
    .map((place) => ({ type: 'unlocked', place }) as const)
  const [next, effects] = reach({ ...stack, locks })
  return [next, [verdict, ...unlocked, ...effects]]
}

function fail(stack: LockStack, lock: Lock, code: Code): LockStep {
  // What could not be judged was not wrong.
  const wrong = code === Code.UNAVAILABLE ? 0 : 1
  const failed = { ...lock, triesLeft: lock.triesLeft - wrong, verifying: false }
  if (failed.triesLeft === 0) return lockOut(stack, failed, code, Code.TRIES_EXHAUSTED)
  const verdict = { type: 'verdict', lock: failed, outcome: 'failed', code, values: {} } as const
  if (failed.place !== undefined) return [replaceTop(stack, failed), [verdict]]
  const locks = stack.locks.slice(0, -1)
  return [{ ...stack, locks, failures: stack.failures + wrong }, [verdict]]
}

function tick(stack: LockStack, now: number): LockStep {
  const late = stack.locks.find((lock) => lock.deadline <= now)
  return late ? lockOut(stack, late, Code.LOCK_DEADLINE, Code.LOCK_DEADLINE) : [stack, []]
}

function lockOut(stack: LockStack, lock: Lock, why: Code, code: Code): LockStep {
  const { place } = lock
  const verdict = { type: 'verdict', lock, outcome: 'dropped', code: why, values: {} } as const
  const [next, effects] = reach(without(stack, place))
  return [next, [verdict, { type: 'lockedOut', place, code }, ...effects]]
}

function without(stack: LockStack, place: string | undefined): LockStack {
  return { ...stack, locks: stack.locks.filter((lock) => lock.place !== place) }
}

function replaceTop(stack: LockStack, lock: Lock): LockStack {
  return { ...stack, locks: [...stack.locks.slice(0, -1), lock] }
}

function refuse(stack: LockStack, code: Code, detail: string): LockStep {
  return [stack, [{ type: 'refuse', code, detail }]]
}
