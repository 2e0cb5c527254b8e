/**
 * What was sent under which key, for a while: the same key from the same principal to the same
 * destination is sent once (R30). In memory, bounded by time and number; the oldest goes first. One
 * whose message is still under way is not forgotten: those are bounded by what may wait. A durable
 * room's keys are in its history as well, and are told here when it is loaded.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Refusal } from '../protocol/codes.ts'
import { keepId, type MessageId } from '../protocol/uuid7.ts'
import { type RefusedDestination, refused } from './destination.ts'

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
  /** It may be told to be accepted: what it waits for now is all that it waits for (R37). */
  accept(): void
  /** It was delivered, or refused. Once. */
  settle(end: Remembered | RefusedDestination): void
  /**
   * It cannot be said yet which, and who waits for it has waited long enough; again and again, for
   * those who have sent the same since.
   */
  doubt(refusal: Refusal): void
}

/** Who may wait for what becomes of one message; one who is refused may ask again. */
const WAITERS_MAX = 64

/** A message under a key, of which it may not be known yet what becomes. */
export class Keyed {
  readonly scope: string
  readonly bodyHash: string
  readonly expiresAt: number
  first: Remembered | undefined
  readonly #waiters: Waiter[] = []
  #isAccepted = false

  constructor(scope: string, bodyHash: string, expiresAt: number) {
    this.scope = scope
    this.bodyHash = bodyHash
    this.expiresAt = expiresAt
  }

  /** One who sent the same again, while the first is under way. */
  wait(waiter: Waiter): void {
    if (this.#waiters.length === WAITERS_MAX) {
      return waiter.settle(refused('', Code.QUEUE_FULL, 'too many wait for what was sent at first'))
    }
    this.#waiters.push(waiter)
    if (this.#isAccepted) waiter.accept()
  }

  accept(): void {
    this.#isAccepted = true
    for (const waiter of this.#waiters) waiter.accept()
  }

  /** Those who wait now have waited long enough. */
  doubt(refusal: Refusal): void {
    for (const waiter of this.#waiters.splice(0)) waiter.doubt(refusal)
  }

  settle(end: Remembered | RefusedDestination): void {
    for (const waiter of this.#waiters.splice(0)) waiter.settle(end)
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
   * Those of which it is known what became, by when that was, the oldest at `#oldest`. A Map knows
   * this order too, but to begin going through it takes as long as there are places of what was
   * deleted from its front.
   */
  readonly #known: Keyed[] = []
  #oldest = 0
  /** When something was sent last. */
  #now = 0

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
    this.#now = Math.max(this.#now, now)
    this.#forget()
    return keyed
  }

  /** What another process has sent under a key, at that time, if nothing is known of it here. */
  restore(scope: string, bodyHash: string, first: Remembered, at: number): void {
    if (this.#entries.has(scope)) return
    this.ended(this.begin(scope, bodyHash, at), first)
  }

  /** What was refused may be sent again under its key. */
  ended(keyed: Keyed, end: Remembered | RefusedDestination): void {
    if ('kind' in end) {
      if (this.#entries.get(keyed.scope) === keyed) this.#entries.delete(keyed.scope)
    } else {
      keyed.first = { ...end, id: keepId(end.id) }
      this.#known.push(keyed)
      this.#forget()
    }
    keyed.settle(end)
  }

  #forget(): void {
    let oldest = this.#known[this.#oldest]
    while (oldest && (oldest.expiresAt <= this.#now || this.#entries.size > this.#keysMax)) {
      // After its time the same key may have come again.
      if (this.#entries.get(oldest.scope) === oldest) this.#entries.delete(oldest.scope)
      oldest = this.#known[++this.#oldest]
    }
    if (this.#oldest * 2 > this.#known.length) {
      this.#known.splice(0, this.#oldest)
      this.#oldest = 0
    }
  }
}
