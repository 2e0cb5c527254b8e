/** What a call fails with: a Connect code and a Problem of the table of codes (PH-9.1). */

import {
  Code as ConnectCode,
  ConnectError,
  type Interceptor,
  type StreamResponse,
} from '@connectrpc/connect'
import { codeFromString } from '@connectrpc/connect/protocol-connect'
import { ProblemSchema } from '@porthouse/proto/admin/v1/problem'
import { Code } from '@porthouse/proto/v1/code'
import type { Log } from '../../observe/log.ts'
import { unforeseen } from '../../observe/unforeseen.ts'
import { codeInfo, RETRY_SECONDS, Refusal } from '../../protocol/codes.ts'
import { MESSAGE_HEADER, RefusedMessage } from '../../protocol/refused-message.ts'
import { type Violation, Violations } from '../../protocol/violations.ts'
import { StoreError, type StoreFailure } from '../../store/store.ts'

const OF_STORE: Readonly<Record<StoreFailure, Code>> = {
  exists: Code.RESOURCE_EXISTS,
  missing: Code.RESOURCE_UNKNOWN,
  invalid: Code.ARGUMENT_INVALID,
  unreadable: Code.STATE_UNSUITABLE,
  unavailable: Code.UNAVAILABLE,
  full: Code.STORE_FULL,
  stale: Code.ETAG_STALE,
}

/** Outermost of the interceptors. */
export function errors(log: Log): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request)
      if (!response.stream) return response
      return { ...response, message: told(response.message, log) }
    } catch (error) {
      throw connectError(error, log)
    }
  }
}

async function* told(messages: StreamResponse['message'], log: Log): StreamResponse['message'] {
  try {
    yield* messages
  } catch (error) {
    throw connectError(error, log)
  }
}

/** Codes for what Connect refuses by itself, before or beside every service. */
const OF_CONNECT: Partial<Record<ConnectCode, Code>> = {
  [ConnectCode.InvalidArgument]: Code.ARGUMENT_INVALID,
  [ConnectCode.ResourceExhausted]: Code.PAYLOAD_TOO_LARGE,
  [ConnectCode.Unimplemented]: Code.MEDIA_TYPE_UNSUPPORTED,
  [ConnectCode.DeadlineExceeded]: Code.UNAVAILABLE,
}

/**
 * Gives what Connect refuses by itself, such as a body that is no JSON, its Problem. No interceptor
 * sees that; but the signal of the call aborts for it before it is written.
 */
export function explained(signal: AbortSignal): void {
  const explain = () => {
    const { reason } = signal
    if (!(reason instanceof ConnectError) || reason.details.length > 0) return
    const code = OF_CONNECT[reason.code] ?? Code.INTERNAL
    reason.details.push({ desc: ProblemSchema, value: problemOf(code) })
  }
  signal.addEventListener('abort', explain, { once: true })
}

/** Anything that was thrown, fit for a stranger: what is not foreseen is in the log alone (C10). */
export function connectError(error: unknown, log: Log): ConnectError {
  if (error instanceof ConnectError) return error
  const refusal = refusalOf(error)
  if (!refusal) return withProblem(unforeseen(log, error, 'a call failed'))
  if (error instanceof StoreError) log.debug({ err: error }, 'the store refused')
  return withProblem(refusal)
}

/** A refusal, or what the store refused; undefined for what nobody foresaw. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (error instanceof StoreError) return new Refusal(OF_STORE[error.failure], error.message)
  return undefined
}

function withProblem(refusal: Refusal): ConnectError {
  const { connect, temporary } = codeInfo(refusal.code)
  const violations = refusal instanceof Violations ? [...refusal.violations] : []
  const value = problemOf(refusal.code, violations)
  const headers = {
    ...(temporary && { 'retry-after': String(RETRY_SECONDS) }),
    ...(refusal instanceof RefusedMessage && { [MESSAGE_HEADER]: refusal.resource }),
  }
  const code = codeFromString(connect) ?? ConnectCode.Internal
  return new ConnectError(refusal.detail, code, headers, [{ desc: ProblemSchema, value }])
}

function problemOf(code: Code, violations: Violation[] = []) {
  const { temporary } = codeInfo(code)
  return { code, temporary, violations, retryAfterSeconds: temporary ? RETRY_SECONDS : 0 }
}
