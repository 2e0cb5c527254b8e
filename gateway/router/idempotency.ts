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
  /** In order of arrival, so the first ones are the oldest. */
  readonly #entries = new Map<string, Entry>()

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
    this.#entries.delete(scope)
    const id = { bytes: copyId(first.id), at: 0 }
    this.#entries.set(scope, { ...first, id, bodyHash, expiresAt: now + this.#windowMs })
    for (const [oldest, entry] of this.#entries) {
      if (entry.expiresAt > now && this.#entries.size <= this.#keysMax) break
      this.#entries.delete(oldest)
    }
  }
}
