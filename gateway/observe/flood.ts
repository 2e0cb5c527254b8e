/**
 * Keeps what strangers can cause from filling the disk (L10): of each text of the log so many lines
 * at once, and then a few a second. What is left out is counted, and told with the next one.
 */
import { RateLimit } from '../protocol/rate-limit.ts'

/** Of one text. */
const LINES = { perSecond: 1, burst: 50 }

/** Texts are written in the code; should they ever not be, those beyond share one bound. */
const TEXTS_MAX = 256

/** What stands in for something that could not be written elsewhere is never left out. */
const KEPT: ReadonlySet<string> = new Set(['administered', 'not in the audit log'])

interface Text {
  readonly rate: RateLimit
  leftOut: number
}

export class Flood {
  readonly #texts = new Map<string, Text>()

  /**
   * How many were left out since the last line of this text; undefined: this one is to be left out.
   * `now` in milliseconds that only rise.
   */
  take(text: string, now: number): number | undefined {
    if (KEPT.has(text)) return 0
    const known = this.#of(text)
    if (!known.rate.take(now)) {
      known.leftOut++
      return undefined
    }
    const { leftOut } = known
    known.leftOut = 0
    return leftOut
  }

  #of(text: string): Text {
    const key = this.#texts.size < TEXTS_MAX || this.#texts.has(text) ? text : ''
    const known = this.#texts.get(key) ?? { rate: new RateLimit(LINES), leftOut: 0 }
    this.#texts.set(key, known)
    return known
  }
}
