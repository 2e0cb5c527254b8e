/** What an answer that could not be made is refused with. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import { StoreError } from '../store/store.ts'
import type { Session } from './session.ts'

/** Itself where it is one; what nobody expected is logged as `what`, and told blandly. */
export function refusalOf({ core, id }: Session, error: unknown, what: string): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof StoreError) return new Refusal(Code.UNAVAILABLE, 'the store is away')
  core.log.error({ socket: id, err: error }, what)
  return new Refusal(Code.INTERNAL, 'internal error')
}
