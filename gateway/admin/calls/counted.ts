/** Counts calls by their method and what they were answered, a stream when it ends. */
import type { DescMethod, DescService, Message } from '@bufbuild/protobuf'
import { ConnectError, type Interceptor, type StreamResponse } from '@connectrpc/connect'
import { codeToString } from '@connectrpc/connect/protocol-connect'
import { ProblemSchema } from '@porthouse/proto/admin/v1/problem'
import type { Calls } from '../../observe/calls.ts'
import { codeInfo } from '../../protocol/codes.ts'

export interface Counting {
  readonly calls: Calls
  /** Seconds, as exactly as they can be told. */
  readonly stopwatch: () => number
}

/** As metrics name it. */
export function labelOf(service: DescService, method: DescMethod): string {
  return `${service.name}/${method.name}`
}

/** Name of the code, ours where it has one; of a table, either way (L11). */
export function codeOf(error: unknown): string {
  const failed = ConnectError.from(error)
  const [problem] = failed.findDetails(ProblemSchema)
  return problem ? codeInfo(problem.code).name : codeToString(failed.code)
}

/** Outermost of the interceptors. */
export function counted({ calls, stopwatch }: Counting): Interceptor {
  return (next) => async (request) => {
    const since = stopwatch()
    const label = labelOf(request.service, request.method)
    const done = (code: string) => calls.done(label, code, stopwatch() - since)
    try {
      const response = await next(request)
      if (response.stream) return { ...response, message: toTheEnd(response.message, done) }
      done('ok')
      return response
    } catch (error) {
      done(codeOf(error))
      throw error
    }
  }
}

async function* toTheEnd(
  messages: StreamResponse['message'],
  done: (code: string) => void,
): AsyncIterable<Message> {
  let code = 'ok'
  try {
    yield* messages
  } catch (error) {
    code = codeOf(error)
    throw error
  } finally {
    done(code)
  }
}
