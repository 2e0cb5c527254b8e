/** Clocks that should be the same. */
import { bad, doubtful, type Finding, good } from './finding.ts'

/** Logins allow some seconds; expiries that far apart surprise nobody, in milliseconds. */
const FINE_MS = 2_000
/** Beyond it proofs that are good are refused. */
const BEARABLE_MS = 30_000

/** `there`: what the other clock said, in the moment of `here`. */
export function checkSkew(check: string, there: Date, here: number): Finding {
  const apart = there.getTime() - here
  const detail = `${(apart / 1000).toFixed(1)} s from this machine's`
  const next = 'let both be set by NTP'
  if (Math.abs(apart) <= FINE_MS) return good(check, detail)
  return Math.abs(apart) <= BEARABLE_MS ? doubtful(check, detail, next) : bad(check, detail, next)
}
