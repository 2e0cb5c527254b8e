/**
 * A socket's locks as data: what a stack of them holds, what it is told, and what it wants done.
 */
import type { Code } from '@porthouse/proto/v1/code'
import type { Ask, LockStep, Response } from './acceptor.ts'
import type { Flow, LockSpec } from './flow.ts'

export interface Lock {
  /** Without its `lock:`. */
  readonly id: string
  /** What is left of it to resolve, one lock at least. */
  readonly flow: Flow
  /** The one of its choices that is asked now. */
  readonly choice: LockSpec
  /** Choices that could not even begin. */
  readonly out: readonly LockSpec[]
  /** Address of what it guards; undefined for what a client proves in the main lobby. */
  readonly place: string | undefined
  /** Id of the lock that needs this one. */
  readonly asker: string | undefined
  /** When it was set, and until when it may be resolved; in milliseconds of the clock of `tick`. */
  readonly since: number
  readonly deadline: number
  readonly triesLeft: number
  /**
   * `set`: not reached yet. `beginning`, `judging`: an effect is out. `asked`: it waits for an
   * answer. `needing`: it waits for another lock.
   */
  readonly phase: 'set' | 'beginning' | 'asked' | 'judging' | 'needing'
  /** Counts effects, so that what comes of an old one is told from what comes of the last. */
  readonly round: number
  /** How often it has needed another lock. */
  readonly needs: number
  /** Of the last challenge. */
  readonly ask: Ask
  readonly state: unknown
  /** Id of the frame whose answer is owed a challenge or a verdict; 0: none. */
  readonly frame: number
  /** What locks that it needed have proved. */
  readonly values: Values
}

export type Values = Readonly<Record<string, string>>

/** A lock to be set. */
export interface NewLock {
  readonly id: string
  readonly flow: Flow
  readonly since: number
  readonly deadline: number
}

export interface Ahead {
  readonly response: Response
  readonly frame: number
}

export interface LockStack {
  /** The oldest first; only the last one is challenged. */
  readonly locks: readonly Lock[]
  /** Answers given before their lock was reached, by acceptor. */
  readonly ahead: ReadonlyMap<string, Ahead>
  /** Wrong answers in the main lobby, where each answer makes a lock of its own. */
  readonly failures: number
}

export const EMPTY_STACK: LockStack = { locks: [], ahead: new Map(), failures: 0 }

/** What an acceptor says, the flow that it needs made into locks. */
export type Judgement =
  | Exclude<LockStep, { outcome: 'needs' }>
  | { readonly outcome: 'needs'; readonly locks: readonly NewLock[] }

export type LockInput =
  /**
   * Somebody wants to enter a place that these locks guard, the first of them first. Where locks of
   * it wait already, it is these that he waits for.
   */
  | { readonly type: 'guard'; readonly place: string; readonly locks: readonly NewLock[] }
  /**
   * An answer in a frame with this id. `nominated`: the lock to make of it where none waits and the
   * acceptor may be tried in the main lobby.
   */
  | {
      readonly type: 'answer'
      readonly lock: string
      readonly acceptor: string
      readonly response: Response
      readonly frame: number
      readonly nominated: NewLock | undefined
    }
  /**
   * What came of `begin` or `judge`, or of what was asked without an answer; `resolves`: other
   * locks that the same proof opens.
   */
  | {
      readonly type: 'judged'
      readonly lock: string
      readonly round: number
      readonly judgement: Judgement
      readonly resolves: readonly string[]
    }
  /** The client no longer wants to enter a place. */
  | { readonly type: 'abandon'; readonly place: string }
  | { readonly type: 'tick'; readonly now: number }

export type LockEffect =
  /** To be answered by exactly one `judged`. */
  | { readonly type: 'begin'; readonly lock: Lock }
  | { readonly type: 'judge'; readonly lock: Lock; readonly response: Response }
  /** `frame`: the answer that led to it; 0: it is a push, or answers the wish to enter. */
  | {
      readonly type: 'challenge'
      readonly lock: Lock
      readonly depth: number
      readonly frame: number
    }
  | {
      readonly type: 'verdict'
      readonly lock: Lock
      readonly outcome: 'passed' | 'failed' | 'dropped'
      readonly code: Code
      readonly values: Values
      readonly frame: number
    }
  /** The last lock of a place is resolved. */
  | { readonly type: 'unlocked'; readonly place: string }
  /** An answer that is not going to be judged. */
  | {
      readonly type: 'refuse'
      readonly frame: number
      readonly code: Code
      readonly detail: string
    }
  /** A place stays locked for good; undefined for the main lobby. */
  | { readonly type: 'lockedOut'; readonly place: string | undefined; readonly code: Code }
