/**
 * Which pages of other origins may read what is answered (threat C5): those of `http.origins`. A
 * foreign one gets no headers, and its browser keeps the answer from it.
 */
import { type HttpRequest, type HttpResponse, respond } from './route.ts'

/** What Connect, gRPC-Web, tracing (W3C) and `POST /v1/messages` send. */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'Connect-Protocol-Version',
  'Connect-Timeout-Ms',
  'Connect-Content-Encoding',
  'Connect-Accept-Encoding',
  'Content-Encoding',
  'Accept-Encoding',
  'Grpc-Timeout',
  'X-Grpc-Web',
  'X-User-Agent',
  'Traceparent',
  'Tracestate',
].join(', ')

/** What they answer with, beyond what a page may always read. */
const ANSWER_HEADERS = [
  'Grpc-Status',
  'Grpc-Message',
  'Grpc-Status-Details-Bin',
  'Content-Encoding',
  'Connect-Content-Encoding',
  'Retry-After',
  'WWW-Authenticate',
  'Porthouse-Message',
].join(', ')

/** How long a browser may remember what a preflight has said, in seconds. */
const MAX_AGE_S = 7_200

/** Marks an answer for the pages that may read it. True: it was a preflight, and is answered. */
export function answerCors(
  origins: readonly string[],
  request: HttpRequest,
  response: HttpResponse,
): boolean {
  const { origin, 'access-control-request-method': asked } = request.headers
  if (origin === undefined || origins.length === 0) return false
  // Even where this one gets nothing: another page's answer must not be kept for it.
  response.setHeader('Vary', 'Origin')
  const named = origins.includes(origin)
  if (!named && !origins.includes('*')) return false
  response.setHeader('Access-Control-Allow-Origin', named ? origin : '*')
  // What a browser knows of its user is for pages that are named.
  if (named) response.setHeader('Access-Control-Allow-Credentials', 'true')
  if (request.method !== 'OPTIONS' || asked === undefined) {
    response.setHeader('Access-Control-Expose-Headers', ANSWER_HEADERS)
    return false
  }
  respond(response, 204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, POST',
    'Access-Control-Allow-Headers': REQUEST_HEADERS,
    'Access-Control-Max-Age': MAX_AGE_S,
  })
  return true
}
