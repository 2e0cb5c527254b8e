import type { Code } from '@porthouse/proto/v1/code'
import type { Drop } from '@porthouse/proto/v1/frame'
import { type CodeInfo, codeInfo, type ErrorCode, namedCode } from './code.ts'
import type { Receipt } from './receipt.ts'

interface Facts {
  detail?: string
  receipt?: Receipt
  retryAfterMs?: number
  cause?: unknown
}

/**
 * Whatever fails in the client fails with this, save what an AbortSignal of yours gives as reason.
 */
export class PorthouseError extends Error {
  override readonly name = 'PorthouseError'
  /** What to decide by; the message is for people and may change. */
  readonly code: ErrorCode
  /** Whether the same may succeed later. */
  readonly temporary: boolean
  /** Of a message that was rejected. */
  readonly receipt?: Receipt
  /** Not before this many milliseconds, where the gateway said so. */
  readonly retryAfterMs?: number

  constructor(code: ErrorCode | CodeInfo, { detail, receipt, retryAfterMs, cause }: Facts = {}) {
    const info = typeof code === 'string' ? namedCode(code) : code
    super(`${info.name}: ${detail || info.meaning}`, { cause })
    this.code = info.name
    this.temporary = info.temporary
    if (receipt) this.receipt = receipt
    if (retryAfterMs) this.retryAfterMs = retryAfterMs
  }
}

/** What a Drop says. */
export function dropError({ code, detail, retryAfterMs }: Drop): PorthouseError {
  return new PorthouseError(codeInfo(code), { detail, retryAfterMs })
}

/** What any other frame with a code says. */
export function codeError(code: Code, facts?: Facts): PorthouseError {
  return new PorthouseError(codeInfo(code), facts)
}
