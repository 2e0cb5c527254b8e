/** How much of the past one socket may look for, and how far for one question. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { RateLimit } from '../../protocol/rate-limit.ts'
import type { Session } from '../session.ts'

/**
 * Questions about the past that one socket may ask; at once, as many as rooms that it may be in.
 */
const PAGES = { perSecond: 50, burst: 100 }

/** Pages of the store that are looked through, each of 10,000 positions, where none is heard. */
export const LOOKS_MAX = 16

/** Throws Refusal where a socket asks for too much of the past in too short a time. */
export function takePage(session: Session): void {
  const { uptime, options } = session.core
  const burst = Math.max(PAGES.burst, options.limits.rooms)
  session.fetches ??= new RateLimit({ ...PAGES, burst })
  if (session.fetches.take(uptime())) return
  throw new Refusal(Code.RATE_LIMITED, `over ${PAGES.perSecond} pages a second`)
}
