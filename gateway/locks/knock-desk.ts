/** Where the acceptor `knock` leaves who knocks, for somebody inside to decide (R18). */
import type { Code } from '@porthouse/proto/v1/code'

export interface Knock {
  /** The lock's id, without its `lock:`. */
  readonly lock: string
  /** `room:{account}/{room}` or `lobby:{account}`. */
  readonly place: string
  /** The peer's IP address. */
  readonly remote: string
  /** What the one who knocks says, for a person. */
  readonly text: string
  /** Aborted when he waits no more. */
  readonly signal: AbortSignal
}

export interface KnockDesk {
  /**
   * Resolves with CODE_UNSPECIFIED when he is let in, else with why not: NOT_ADMITTED, or
   * QUEUE_FULL and RATE_LIMITED where nobody was asked. Of one that waits no more, what it resolves
   * with means nothing.
   */
  knock(knock: Knock): Promise<Code>
}
