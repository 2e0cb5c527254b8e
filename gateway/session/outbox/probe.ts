/**
 * Whether the peer of a socket reads. What the connection has taken proves nothing: the system
 * takes megabytes for one that does not. So it is asked behind what was written, and its answer
 * says that it has read that. See docs/decisions/0028.
 */
import type { Wire } from '../wire.ts'

/** What may be unread before the peer is asked, in bytes: so much that asking is rare. */
export const ASKED_BYTES = 262_144

/** What may be unread while its answer is late: who pauses for a moment is not slow yet. */
const UNREAD_BYTES_MAX = 524_288

export interface Patience {
  /** How long an answer may take where much is unread, in milliseconds. */
  readonly probeMs: number
  /** And where little is. */
  readonly ageMs: number
}

export class Probe {
  readonly #wire: Wire
  readonly #patience: Patience
  /** Of all bytes that were ever written: how many were read for certain. */
  #read = 0
  /** How many of them the question stands behind; 0: it is answered. */
  #asked = 0
  #askedAt = 0

  constructor(wire: Wire, patience: Patience) {
    this.#wire = wire
    this.#patience = patience
  }

  /** Asks where there is something to ask for; true where the peer does not seem to read. */
  look(now: number, written: number): boolean {
    const unread = written - this.#read
    if (this.#asked > 0) {
      const { probeMs, ageMs } = this.#patience
      return now - this.#askedAt >= (unread > UNREAD_BYTES_MAX ? probeMs : ageMs)
    }
    if (unread > ASKED_BYTES && this.#wire.ping(written)) {
      this.#asked = written
      this.#askedAt = now
    }
    return false
  }

  /** The peer says that it has read so much; true where it owes no answer. */
  answered(position: number, written: number): boolean {
    if (position > this.#read && position <= written) this.#read = position
    if (this.#read >= this.#asked) this.#asked = 0
    return this.#asked === 0
  }
}
