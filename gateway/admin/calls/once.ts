/**
 * Calls with a request id are done once: the same call again is answered as the first was, so that
 * a caller who heard no answer may ask again (AIP-155).
 */
import { createHash } from 'node:crypto'
import { type Message, toBinary } from '@bufbuild/protobuf'
import type { Interceptor, UnaryRequest, UnaryResponse } from '@connectrpc/connect'
import { Code } from '@porthouse/proto/v1/code'
import { codeInfo, Refusal } from '../../protocol/codes.ts'
import { callKey } from './call.ts'
import { refusalOf } from './errors.ts'

export interface OnceOptions {
  /** How long an answer is remembered, in milliseconds. */
  readonly windowMs: number
  /** Answers that are remembered; beyond it the oldest are forgotten. */
  readonly max: number
  /** Milliseconds that only rise. */
  readonly uptime: () => number
}

interface Remembered {
  readonly body: string
  readonly at: number
  readonly answer: Promise<UnaryResponse>
}

export function once(options: OnceOptions): Interceptor {
  // In the order in which they were made.
  const answers = new Map<string, Remembered>()
  return (next) => (request) => {
    const call = request.contextValues.get(callKey)
    const id = request.stream ? undefined : requestIdOf(request.message)
    if (request.stream || !call || !id) return next(request)
    forget(answers, options)
    const key = JSON.stringify([call.principal.id, request.url, id])
    const body = bodyOf(request)
    const known = answers.get(key)
    if (known) {
      if (known.body === body) return known.answer
      throw new Refusal(Code.KEY_REUSED, 'the request id was used with another request')
    }
    const answer = next(request) as Promise<UnaryResponse>
    answers.set(key, { body, at: options.uptime(), answer })
    answer.catch((error) => {
      if (isTemporary(error)) answers.delete(key)
    })
    return answer
  }
}

/** Nobody knows what will be next time; of what was refused for good everybody does. */
function isTemporary(error: unknown): boolean {
  const refusal = refusalOf(error)
  return !refusal || codeInfo(refusal.code).temporary
}

function requestIdOf(message: Message): string | undefined {
  const { requestId } = message as { requestId?: unknown }
  return typeof requestId === 'string' && requestId !== '' ? requestId : undefined
}

function bodyOf({ method, message }: UnaryRequest): string {
  return createHash('sha256').update(toBinary(method.input, message)).digest('base64')
}

function forget(answers: Map<string, Remembered>, { windowMs, max, uptime }: OnceOptions): void {
  for (const [key, { at }] of answers) {
    if (answers.size < max && uptime() - at < windowMs) return
    answers.delete(key)
  }
}
