/** What is live, for the services that ask for it. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { AdminParts, LiveParts } from './parts.ts'

/** Throws Refusal UNAVAILABLE where no gateway runs. */
export function theLive({ live }: AdminParts): LiveParts {
  if (live) return live
  throw new Refusal(Code.UNAVAILABLE, 'no gateway is running; start one: porthouse run')
}
