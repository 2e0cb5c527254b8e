/**
 * What was sent under which key, for a while: the same key from the same principal to the same
 * destination is sent once (R30). In memory, bounded by time and number; the oldest goes first.
 */

import { copyId, type MessageId } from '../protocol/uuid7.ts'

/** Facts of the first message under a key. */
export interface Remembered {
  readonly id: MessageId
  readonly sockets: number
  readonly sequence: number
  readonly epoch: number
}

interface Entry extends Remembered {
  readonly scope: string
  readonly bodyHash: string
  readonly expiresAt: number
}

export type Recall =
  | { outcome: 'new' }
  | { outcome: 'same'; first: Remembered }
  | { outcome: 'reused' }

const NEW: Recall = { outcome: 'new' }
const REUSED: Recall = { outcome: 'reused' }

export class IdempotencyWindow {
  readonly #windowMs: number
  readonly #keysMax: number
  readonly #entries = new Map<string, Entry>()
  /**
   * The same by arrival, the oldest at `#oldest`. A Map knows this order too, but to begin going
   * through it takes as long as there are places of what was deleted from its front.
   */
  readonly #arrivals: Entry[] = []
  #oldest = 0

  constructor(options: { windowMs: number; keys: number }) {
    this.#windowMs = options.windowMs
    this.#keysMax = options.keys
  }

  recall(scope: string, bodyHash: string, now: number): Recall {
    const entry = this.#entries.get(scope)
    if (!entry || entry.expiresAt <= now) return NEW
    return entry.bodyHash === bodyHash ? { outcome: 'same', first: entry } : REUSED
  }

  remember(scope: string, bodyHash: string, first: Remembered, now: number): void {
    const id = { bytes: copyId(first.id), at: 0 }
    const entry = { ...first, id, scope, bodyHash, expiresAt: now + this.#windowMs }
    this.#entries.set(scope, entry)
    this.#arrivals.push(entry)
    this.#forget(now)
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
