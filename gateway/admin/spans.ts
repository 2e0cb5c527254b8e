/** Spans of time in a request. */
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt'
import { invalid } from '../protocol/violations.ts'

interface Bounds {
  /** In milliseconds; `absent`: what is meant where the request does not say. */
  readonly least: number
  readonly most: number
  readonly absent: number
}

/** In milliseconds. Throws Violations for the field `field`. */
export function msOf(
  field: string,
  span: Duration | undefined,
  { least, most, absent }: Bounds,
): number {
  if (!span) return absent
  const ms = durationMs(span)
  if (ms >= least && ms <= most) return ms
  throw invalid(field, `is not between ${least / 1000} s and ${most / 1000} s`)
}
