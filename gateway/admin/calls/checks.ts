/** Each request, before its service sees it: is it well-formed, and what it names the caller's. */

import type { DescMessage, Message } from '@bufbuild/protobuf'
import type { Interceptor } from '@connectrpc/connect'
import { callKey } from './call.ts'
import { checkRules } from './rules.ts'
import { checkScope } from './scope.ts'

export const checks: Interceptor = (next) => (request) => {
  const call = request.contextValues.get(callKey)
  // Health and reflection, which everybody may ask.
  if (!call) return next(request)
  const check = (schema: DescMessage, message: Message) => {
    checkScope(schema, message, call.principal)
    checkRules(schema, message)
  }
  if (!request.stream) {
    check(request.method.input, request.message)
    return next(request)
  }
  return next({ ...request, message: checked(request.method.input, request.message, check) })
}

async function* checked<Each extends Message>(
  schema: DescMessage,
  messages: AsyncIterable<Each>,
  check: (schema: DescMessage, message: Message) => void,
): AsyncIterable<Each> {
  for await (const message of messages) {
    check(schema, message)
    yield message
  }
}
