/** Who was told that it is over has so long to go by himself. */
import type { EventEmitter } from 'node:events'

/** For one that reads too slowly, in milliseconds. */
export const SLOW_LINGER_MS = 1_000

/** Calls `end` unless `event` comes within `graceMs`. */
export function linger(of: EventEmitter, event: string, graceMs: number, end: () => void): void {
  const late = setTimeout(end, graceMs).unref()
  of.once(event, () => clearTimeout(late))
}
