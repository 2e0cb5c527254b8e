/** Times and numbers as people type them. */
import type { TokenTerms } from '../store/store.ts'
import { usage } from './failure.ts'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `30d`, `12h` or an ISO 8601 time, as a time after `now` (ms). */
export function parseExpiry(text: string, now: number): Date {
  const span = spanMs(text)
  if (span !== undefined) return new Date(now + span)
  const date = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? new Date(text) : undefined
  if (!date || Number.isNaN(date.getTime())) {
    throw usage(
      `--expires ${text} is neither a span such as 30d nor a time such as 2030-12-31T12:00Z`,
    )
  }
  if (date.getTime() <= now) throw usage(`--expires ${text} is in the past`)
  return date
}

/** `24h` as milliseconds. */
export function parseSpan(text: string, option: string): number {
  const span = spanMs(text)
  if (span === undefined) throw usage(`${option} ${text} is not a span such as 24h, 7d or 0s`)
  return span
}

function spanMs(text: string): number | undefined {
  const match = /^(\d{1,6})([smhdw])$/.exec(text)
  return match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : undefined
}

/** Seconds, with a fraction if need be, as milliseconds. */
export function parseSeconds(text: string, option = '--timeout'): number {
  const seconds = /^\d{1,7}(\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds <= 0) throw usage(`${option} ${text} is not a number of seconds above 0`)
  return Math.ceil(seconds * 1000)
}

/** A number of messages. */
export function parseCount(text: string, option = '--count'): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw usage(`${option} ${text} is not a whole number above 0`)
  return Number(text)
}

/** What of a room's past to hear: all, what is unread, or what is after a position. */
export function parseSince(text: string): 'start' | 'unread' | bigint {
  if (text === 'start' || text === 'unread') return text
  if (/^\d{1,15}$/.test(text)) return BigInt(text)
  throw usage(`--since ${text} is neither a position, start nor unread`)
}

const LAST_MAX = 10_000

/** A number of messages of the past. */
export function parseLast(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : LAST_MAX + 1
  if (number <= LAST_MAX) return number
  throw usage(`--last ${text} is not a whole number up to 10,000`)
}

/** More than a gateway can hold, and no more than the store takes. */
const SOCKETS_MAX = 1_000_000

/** A number of sockets, or of a token's connections. */
export function parseSockets(option: string, text: string): number {
  const number = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > SOCKETS_MAX) {
    throw usage(`${option} ${text} is not a whole number from 1 to 1,000,000`)
  }
  return number
}

const RATE_MAX = 1_000_000

/** `10/s` or `0.5/s:20`: messages a second, and how many at once; by default a second's worth. */
export function parseRate(text: string): NonNullable<TokenTerms['rate']> {
  const match = /^(\d{1,7}(?:\.\d{1,6})?)\/s(?::(\d{1,7}))?$/.exec(text)
  const perSecond = Number(match?.[1] ?? 0)
  const burst = Number(match?.[2] ?? Math.max(1, Math.ceil(perSecond)))
  const fits = perSecond > 0 && perSecond <= RATE_MAX && burst >= 1 && burst <= RATE_MAX
  if (!fits) {
    throw usage(
      `--rate ${text} is not of the form 10/s or 10/s:20 (messages a second, and how many at ` +
        'once), each up to 1,000,000',
    )
  }
  return { perSecond, burst }
}
