import type { Answerer } from './answerer.ts'
import { PorthouseError } from './error.ts'
import type { Exchange } from './exchange.ts'
import type { Ask, Challenge } from './lock-step.ts'

/** A lock that was heard of and is not resolved. */
export interface Lock {
  challenge: Challenge
  /** The acceptor that was answered last, or asked. */
  choice: string
  /** Id of the frame of ours that led to it; 0: it came by itself. */
  question: number
  /** Connecting waits for it. */
  nominated: boolean
  exchange: Exchange | undefined
  /** Wrong answers of each answerer; more than it may give, where it gave up. */
  readonly failures: Map<Answerer, number>
  error: PorthouseError | undefined
  /** Until it settles, the challenge may be answered by whoever was told of it. */
  told: Promise<void> | undefined
  answered: boolean
}

export function newLock(challenge: Challenge, question: number): Lock {
  return {
    challenge,
    choice: challenge.acceptor,
    question,
    nominated: false,
    exchange: undefined,
    failures: new Map(),
    error: undefined,
    told: undefined,
    answered: false,
  }
}

/** Of a lock that took an answer given ahead, and so never asked. */
export function unheard(lock: string, acceptor: string): Challenge {
  const nothing = { place: '', depth: 0, triesLeft: 1, deadlineMs: 0, others: [] }
  return { lock, acceptor, ...nothing, ask: { kind: 'nothing' } }
}

export function isSameAsk(a: Ask, b: Ask): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Names what would have been an answer. */
export function unanswered({ place, acceptor, others }: Challenge): PorthouseError {
  const wanted = [acceptor, ...others].join(' or ')
  const detail = `${place || 'The gateway'} asks for ${wanted}`
  return new PorthouseError('UNAUTHENTICATED', { detail })
}
