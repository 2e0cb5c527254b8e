import type { Answerer } from './answerer.ts'
import { PorthouseError } from './error.ts'
import type { Exchange } from './exchange.ts'
import { type Challenge, type Response, wireResponse } from './lock-step.ts'
import { encodeFrame } from './packet.ts'

/** An answer of ours that is not answered. */
export interface Sent {
  readonly exchange: Exchange
  /** Absent: given ahead, or nominated in the main lobby. */
  readonly lock: string | undefined
  /** Connecting waits for what becomes of it. */
  nominated: boolean
  /** A verdict answers it at once, so that no lock is left for what comes behind. */
  readonly whole: boolean
}

// More than a gateway can ask before it has answered any.
const SENT_MAX = 256

/** What this connection has answered to locks, by the ids of the frames. */
export class Answers {
  readonly #newId: () => number
  readonly #sent = new Map<number, Sent>()

  constructor(newId: () => number) {
    this.#newId = newId
  }

  get size(): number {
    return this.#sent.size
  }

  /** Whether connecting waits for one of them. */
  get awaited(): boolean {
    // Who has shown its proof waits for that of the gateway.
    return [...this.#sent.values()].some(
      ({ nominated, lock, exchange }) =>
        nominated || (lock !== undefined && exchange.answerer.passed !== undefined),
    )
  }

  /** Whether one of them holds the only lock that the main lobby has place for. */
  get holdLobby(): boolean {
    return [...this.#sent.values()].some(({ nominated, whole }) => nominated && !whole)
  }

  has(id: number): boolean {
    return this.#sent.has(id)
  }

  /** Whether an answer of this one is on its way, or waits for its lock. */
  isAhead(answerer: Answerer): boolean {
    return [...this.#sent.values()].some(({ exchange }) => exchange.answerer === answerer)
  }

  /** What is answered now. */
  take(id: number): Sent | undefined {
    const sent = this.#sent.get(id)
    this.#sent.delete(id)
    return sent
  }

  /** The lock is gone, and nothing will answer what was said to it. */
  forget(lock: string): void {
    for (const [id, sent] of this.#sent) if (sent.lock === lock) this.#sent.delete(id)
  }

  /** Whether one of them is on its way to the lock, sent before it was heard of. */
  reach({ lock, acceptor, others }: Challenge): boolean {
    return [...this.#sent.values()].some((sent) => {
      const given = sent.exchange.answerer.acceptor
      if (sent.lock !== undefined) return sent.lock === lock
      return given === acceptor || others.includes(given)
    })
  }

  /** What was given ahead waits for a lock that may never come, so nobody waits for its answer. */
  park(): void {
    for (const sent of this.#sent.values()) if (sent.lock === undefined) sent.nominated = false
  }

  /**
   * Without a response, it chooses the acceptor. Throws for what is no response, and where too many
   * have no verdict.
   */
  encode(
    exchange: Exchange,
    response: Response | undefined,
    challenge: Challenge | undefined,
    nominated: boolean,
  ): Uint8Array {
    const { acceptor: own } = exchange.answerer
    const acceptor = own === '*' && challenge ? challenge.acceptor : own
    const given = response === undefined ? {} : { response: wireResponse(response) }
    const step = { case: 'answer' as const, value: { acceptor, ...given } }
    const lock = challenge?.lock
    if (this.#sent.size === SENT_MAX) {
      throw new PorthouseError('NESTING_TOO_DEEP', { detail: 'Answers that nobody answers' })
    }
    const id = this.#newId()
    const frame = encodeFrame(id, { case: 'lockStep', value: { lock: lock ?? '', step } })
    this.#sent.set(id, { exchange, lock, nominated, whole: isWhole(response) })
    return frame
  }

  end(): void {
    for (const { exchange } of this.#sent.values()) exchange.end()
    this.#sent.clear()
  }
}

/** Text and bytes are all that there is to say; what else there is comes in several messages. */
export function isWhole(response: Response | undefined): boolean {
  return typeof response === 'string' || response instanceof Uint8Array
}
