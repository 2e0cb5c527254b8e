/**
 * The plugin that runs a lock (R12, R18). It says what to ask, judges what is answered, and may ask
 * for another lock first; where that leads is for the lock stack. Built-in ones stand in acceptors/
 * a file each, and a plugin has the same interface.
 */

import type { JsonObject } from '@bufbuild/protobuf'
import type { Code } from '@porthouse/proto/v1/code'
import type { Answer, Challenge } from '@porthouse/proto/v1/lock_step'
import type { Flow } from './flow.ts'
import type { Proof } from './proof.ts'

export type Ask = Challenge['ask']
export type Response = Answer['response']

/** What an acceptor knows of the socket before it; nobody else learns what it keeps of it. */
export interface LockContext<Options = unknown> {
  readonly options: Options
  /** What the lock guards; undefined in the main lobby, where a client proves what it likes. */
  readonly place: Place | undefined
  /** Without its `lock:`. */
  readonly lock: string
  /** What the socket has proved so far. */
  readonly proofs: readonly Proof[]
  /** What locks that this one asked for have proved, by name (R13). */
  readonly values: Readonly<Record<string, string>>
  readonly socket: SocketFacts
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: number
  /** Aborted when the lock is gone, for instance past its deadline. */
  readonly signal: AbortSignal
}

export interface Place {
  /** `room:{account}/{room}` or `lobby:{account}`, as the client wrote it. */
  readonly address: string
  /** Slug or UUID. */
  readonly account: string
  /** Slug or UUID; absent: the account's lobby. */
  readonly room?: string
}

export interface SocketFacts {
  /** `socket:{socket}`. */
  readonly address: string
  /** UUID of the client that the URL names (R4). */
  readonly client?: string
  readonly handshake: Handshake
}

/** What came with the connection itself. */
export interface Handshake {
  /** The IP address that it is from: the peer's, or whom a trusted proxy names (H14). */
  readonly remote: string
  /** That of the proxy then. */
  readonly peer?: string
  /** Header fields by their names in lower case; cookies are in `cookie`. */
  readonly headers: Readonly<Record<string, string>>
  /** The secret part of the path: `{secret}` of `/{account}/{room}/~{secret}`. */
  readonly secret?: string
}

export type LockStep =
  /** Proved; the lock is resolved. */
  | { readonly outcome: 'passed'; readonly proof: Proof }
  /** Wrong. Costs a try, unless the code is UNAVAILABLE: what cannot be judged was not wrong. */
  | { readonly outcome: 'failed'; readonly code: Code }
  /** It will not open any more, whatever tries are left. */
  | { readonly outcome: 'dropped'; readonly code: Code }
  /**
   * There is more to answer. `state` comes back with the next answer, and nobody else sees it.
   * A lock that needs nothing but an answer asks `{ case: undefined }`.
   */
  | {
      readonly outcome: 'challenge'
      readonly ask: Ask
      readonly state?: unknown
      /**
       * What becomes of it without an answer, for instance where a person visits a page elsewhere.
       * Void once this challenge is answered. A rejection counts as UNAVAILABLE.
       */
      readonly later?: Promise<LockStep>
    }
  /** This flow first (R13); once it is resolved `begin` is called again, with values and proofs. */
  | { readonly outcome: 'needs'; readonly flow: Flow }

export interface Acceptor<Options = unknown> {
  /** As in Challenge.acceptor and in a room's flow. */
  readonly name: string
  /**
   * Reads the options of a flow, a JSON object; throws an Error that says, for the admin, what is
   * wrong with them, or Faults that say where (`options.url`). Called when a room is configured and
   * when it is loaded.
   */
  readOptions(options: unknown): Options
  /** JSON Schema of the options, for editors. Absent: its documentation tells of them. */
  optionsSchema?(): JsonObject
  /** Whether a socket may prove this in the main lobby, with the options of `{}` (R7). */
  readonly nominable: boolean
  /** Whether the socket's later frames wait for `answer`. False where people take their time. */
  readonly prompt: boolean
  /** True where the socket has already proved what this lock would ask, so that it is skipped. */
  finished(context: LockContext<Options>): boolean
  /**
   * The flow that `begin` may ask for first (R13), where it is known without asking anybody: for
   * dry runs.
   */
  needs?(context: LockContext<Options>): Flow
  /** Why `begin` is going to refuse, where that is known without asking anybody: for dry runs. */
  refuses?(context: LockContext<Options>): Code | undefined
  /**
   * The lock is reached: what does it ask? May reject, as `answer` may: that counts as no proof,
   * and the client is told UNAVAILABLE (A18).
   */
  begin(context: LockContext<Options>): LockStep | Promise<LockStep>
  /** `state` is that of the last challenge. Never called twice at once for one lock. */
  answer(
    response: Response,
    context: LockContext<Options>,
    state: unknown,
  ): LockStep | Promise<LockStep>
}
