import type { Challenge, Response, Verdict } from './lock-step.ts'

/**
 * Answers the locks of one acceptor. Ready-made ones are `token`, `connectionKey`, `sshKey` and
 * others; your own needs a name and `answer`.
 */
export interface Answerer {
  /** Name of the acceptor; `*` for any, where no other answerer fits. */
  readonly acceptor: string
  /**
   * Whether it proves an identity by itself where the URL leads to the main lobby, or to a place
   * that asks for nothing of what the client has; connecting waits for it. Default false: it only
   * answers.
   */
  readonly nominates?: boolean | undefined
  /** Answers that it may give to one lock. Default 1. */
  readonly tries?: number | undefined
  /** An answer that depends on no challenge, to be sent before one comes. */
  ahead?(context: AnswerContext): Response | undefined
  /**
   * Undefined: it cannot, and the next one is asked. Null: there is nothing to send, the verdict
   * comes by itself. A rejection ends the attempt to enter and is its reason.
   */
  answer(
    challenge: Challenge,
    context: AnswerContext,
  ): Promise<Response | null | undefined> | Response | null | undefined
  /** The lock took the answer. Rejects where the gateway has not proved itself in turn. */
  passed?(verdict: Verdict, context: AnswerContext): Promise<void> | void
}

/** One exchange with one lock; the same object in all calls of the exchange. */
export interface AnswerContext {
  /**
   * What the gateway is called in what is signed: the origin of the URL that was dialled, never
   * what the peer says of itself.
   */
  readonly gateway: string
  /** This socket's own address; empty before Welcome. */
  readonly socket: string
  /** 1 the first time that this answerer answers this lock. */
  readonly attempt: number
  /** Aborted when the lock is gone, or the connection. */
  readonly signal: AbortSignal
}

/** A step of a lock, as `onStep` sees it. */
export type LockStep =
  | {
      readonly kind: 'challenge'
      readonly challenge: Challenge
      /**
       * Answers it, before any answerer does; no effect where it is answered already. `acceptor`:
       * one of its `others`, which is chosen where there is no response.
       */
      respond(response: Response | undefined, acceptor?: string): void
    }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }

/**
 * Sees each step of each lock. A challenge that no answerer takes is left to it until its promise
 * settles; without an answer by then there is none, and what it throws is why.
 */
export type OnStep = (step: LockStep) => void | Promise<void>
