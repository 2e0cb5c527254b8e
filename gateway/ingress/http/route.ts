/** What answers requests over plain HTTP, of either version: a route, or a whole API. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

export type HttpRequest = IncomingMessage | Http2ServerRequest
export type HttpResponse = ServerResponse | Http2ServerResponse

export interface Route {
  /** GET also answers HEAD. */
  readonly method: 'GET' | 'POST'
  /** Matches the path without its query. */
  readonly path: RegExp
  /** `parts`: the groups of `path`. Rejects with a Refusal, or with an error that is hidden. */
  readonly answer: (
    request: HttpRequest,
    response: HttpResponse,
    parts: readonly (string | undefined)[],
  ) => Promise<void> | void
}

/** Answers all requests of its paths, whatever their method; it is asked before the routes. */
export interface Handler {
  /** `path`: without its query. */
  owns(path: string): boolean
  handle(request: HttpRequest, response: HttpResponse): void
}

export function pathOf({ url = '' }: HttpRequest): string {
  return url.split('?', 1)[0] as string
}

/** One call for both versions, whose types differ here though they do the same. */
export function respond(
  response: HttpResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body?: string | Uint8Array,
): void {
  const either = response as ServerResponse
  either.writeHead(status, headers).end(body)
}

export function answerText(response: HttpResponse, status: number, body: string): void {
  respond(response, status, { 'content-type': 'text/plain; charset=utf-8' }, `${body}\n`)
}
