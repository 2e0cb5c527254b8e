/**
 * Those who look on from outside the sessions, such as streams of the admin API: each is told
 * everything, and looks itself at what of it is its business.
 */

import type { Session } from '../session.ts'
import type { Happening } from './happening.ts'

export interface Told {
  readonly happening: Happening
  /** The socket that it happened to; undefined: the gateway itself. */
  readonly about: Session | undefined
  /** UUID of the account whose business it alone is; undefined: it is that of socket and place. */
  readonly account?: string | undefined
}

export class Taps {
  /** Told what happens, as it happens. */
  readonly events = new Set<(told: Told) => void>()
  /** Told which socket is there, is another than before, or is gone; often more than once. */
  readonly changes = new Set<(about: Session) => void>()

  get empty(): boolean {
    return this.events.size === 0 && this.changes.size === 0
  }

  happened(told: Told): void {
    for (const each of this.events) each(told)
    if (told.about) this.changed(told.about)
  }

  changed(about: Session): void {
    for (const each of this.changes) each(about)
  }
}
