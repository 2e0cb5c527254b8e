/** Times and numbers as people type them. */
import { usage } from './failure.ts'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `30d`, `12h` or an ISO 8601 time, as a time after `now` (ms). */
export function parseExpiry(text: string, now: number): Date {
  const match = /^(\d{1,6})([smhdw])$/.exec(text)
  if (match) return new Date(now + Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS])
  const date = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? new Date(text) : undefined
  if (!date || Number.isNaN(date.getTime())) {
    throw usage(
      `--expires ${text} is neither a span such as 30d nor a time such as 2030-12-31T12:00Z`,
    )
  }
  if (date.getTime() <= now) throw usage(`--expires ${text} is in the past`)
  return date
}

/** Seconds, with a fraction if need be, as milliseconds. */
export function parseSeconds(text: string): number {
  const seconds = /^\d{1,7}(\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds <= 0) throw usage(`--timeout ${text} is not a number of seconds above 0`)
  return Math.ceil(seconds * 1000)
}

/** A number of messages. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw usage(`--count ${text} is not a whole number above 0`)
  return Number(text)
}
