/** What ends a connection, and what refuses one request alone (PH-9.5). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'

/** These make it doubtful that both sides understand each other. */
const FATAL: ReadonlySet<Code> = new Set([
  Code.MALFORMED_PACKET,
  Code.RESERVED_FIELD,
  Code.INVALID_UTF8,
  Code.FRAME_NOT_ALLOWED,
])

/** Whether what was thrown refuses one request, and the connection lives. */
export function refusesRequest(error: unknown): error is Refusal {
  return error instanceof Refusal && !FATAL.has(error.code)
}
