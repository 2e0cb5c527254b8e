/**
 * What was sent under which key, for a while: the same key from the same principal to the same
 * destination is sent once (R30). In memory, bounded by time and number; the oldest goes first. A
 * durable room's keys are in its history as well, and are told here when it is loaded.
 */
import type { Refusal } from '../protocol/codes.ts'
import { copyId, type MessageId } from '../protocol/uuid7.ts'
import type { RefusedDestination } from './destination.ts'

/** Facts of the first message under a key. */
export interface Remembered {
  readonly id: MessageId
  readonly sockets: number
  readonly sequence: number
  readonly epoch: number
  /** It is in the store. */
  readonly stored: boolean
  /** It is kept somewhere, and so not void where it reached nobody. */
  readonly kept: boolean
}

/** Who waits for what becomes of a message. */
export interface Waiter {
  settle(end: Remembered | RefusedDestination): void
  doubt(refusal: Refusal): void
}

/** A message under a key, of which it may not be known yet what becomes. */
export class Keyed {
  readonly scope: string
  readonly bodyHash: string
  readonly expiresAt: number
  first: Remembered | undefined
  #doubt: Refusal | undefined
  #waiters: Waiter[] = []

  constructor(scope: string, bodyHash: string, expiresAt: number) {
    this.scope = scope
    this.bodyHash = bodyHash
    this.expiresAt = expiresAt
  }

  /** One who sent the same again, while the first is under way. */
  wait(waiter: Waiter): void {
    this.#waiters.push(waiter)
    if (this.#doubt) waiter.doubt(this.#doubt)
  }

  doubt(refusal: Refusal): void {
    this.#doubt = refusal
    for (const waiter of this.#waiters) waiter.doubt(refusal)
  }

  settle(end: Remembered | RefusedDestination): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.settle(end)
  }
}

export type Recall = { outcome: 'new' } | { outcome: 'same'; keyed: Keyed } | { outcome: 'reused' }

const NEW: Recall = { outcome: 'new' }
const REUSED: Recall = { outcome: 'reused' }

export class IdempotencyWindow {
  readonly windowMs: number
  readonly #keysMax: number
  readonly #entries = new Map<string, Keyed>()
  /**
   * The same by arrival, the oldest at `#oldest`. A Map knows this order too, but to begin going
   * through it takes as long as there are places of what was deleted from its front.
   */
  readonly #arrivals: Keyed[] = []
  #oldest = 0

  constructor(options: { windowMs: number; keys: number }) {
    this.windowMs = options.windowMs
    this.#keysMax = options.keys
  }

  /** `scope` and `bodyHash`: hashes, see `scopeOf`. */
  recall(scope: string, bodyHash: string, now: number): Recall {
    const keyed = this.#entries.get(scope)
    if (!keyed || (keyed.first && keyed.expiresAt <= now)) return NEW
    return keyed.bodyHash === bodyHash ? { outcome: 'same', keyed } : REUSED
  }

  /** A message is sent under a key; its end is to be told to `ended`. */
  begin(scope: string, bodyHash: string, now: number): Keyed {
    const keyed = new Keyed(scope, bodyHash, now + this.windowMs)
    this.#entries.set(scope, keyed)
    this.#arrivals.push(keyed)
    this.#forget(now)
    return keyed
  }

  /** What another process has sent under a key, at that time, if nothing is known of it here. */
  restore(scope: string, bodyHash: string, first: Remembered, at: number): void {
    if (this.#entries.has(scope)) return
    this.begin(scope, bodyHash, at).first = first
  }

  /** What was refused may be sent again under its key. */
  ended(keyed: Keyed, end: Remembered | RefusedDestination): void {
    if ('kind' in end) {
      if (this.#entries.get(keyed.scope) === keyed) this.#entries.delete(keyed.scope)
    } else {
      keyed.first = { ...end, id: { bytes: copyId(end.id), at: 0 } }
    }
    keyed.settle(end)
  }

  #forget(now: number): void {
    let oldest = this.#arrivals[this.#oldest]
    while (oldest && (oldest.expiresAt <= now || this.#entries.size > this.#keysMax)) {
      // After its time the same key may have come again.
      if (this.#entries.get(oldest.scope) === oldest) this.#entries.delete(oldest.scope)
      oldest = this.#arrivals[++this.#oldest]
    }
    if (this.#oldest * 2 > this.#arrivals.length) {
      this.#arrivals.splice(0, this.#oldest)
      this.#oldest = 0
    }
  }
}
