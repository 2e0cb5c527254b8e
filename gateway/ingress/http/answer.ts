/** From a request to what answers it: a handler that owns its path, a route, or a refusal. */
import { Code } from '@porthouse/proto/v1/code'
import type { Log } from '../../observe/log.ts'
import { unforeseen } from '../../observe/unforeseen.ts'
import { Refusal } from '../../protocol/codes.ts'
import { StoreError } from '../../store/store.ts'
import { answerCors } from './cors.ts'
import { refuseRequest } from './problem.ts'
import {
  type Handler,
  type HttpRequest,
  type HttpResponse,
  pathOf,
  type Route,
  respond,
} from './route.ts'

export interface Served {
  /** Of pages that may read what is answered, or `*`. */
  readonly origins: readonly string[]
  readonly handlers: readonly Handler[]
  readonly routes: readonly Route[]
  readonly log: Log
  /** Told of everything that is refused over HTTP. */
  readonly refused?: ((code: Code) => void) | undefined
}

/** Of every answer: what it holds is for who asked, now, and what it says it is. */
function guard(response: HttpResponse): void {
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('X-Content-Type-Options', 'nosniff')
}

export async function answer(
  { origins, handlers, routes, log, refused = () => {} }: Served,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const path = pathOf(request)
  guard(response)
  if (answerCors(origins, request, response)) return
  try {
    const handler = handlers.find((one) => one.owns(path))
    if (handler) return handler.handle(request, response)
    const matching = routes.filter((route) => route.path.test(path))
    const route = matching.find(
      ({ method }) => method === request.method || isHead(request, method),
    )
    if (!route && matching.length > 0) return notAllowed(response, matching)
    if (!route) throw new Refusal(Code.PATH_UNKNOWN, 'nothing is served here over plain HTTP')
    await route.answer(request, response, route.path.exec(path)?.slice(1) ?? [])
  } catch (error) {
    const refusal = asRefusal(error, log)
    refused(refusal.code)
    if (response.headersSent) request.destroy()
    else refuseRequest(response, refusal)
  }
}

function asRefusal(error: unknown, log: Log): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof StoreError && error.failure !== 'unreadable') {
    return new Refusal(Code.UNAVAILABLE, 'the store is away')
  }
  return unforeseen(log, error, 'a request failed')
}

function isHead(request: HttpRequest, method: string): boolean {
  return request.method === 'HEAD' && method === 'GET'
}

function notAllowed(response: HttpResponse, matching: readonly Route[]): void {
  const allow = matching.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ')
  respond(response, 405, { allow })
}
