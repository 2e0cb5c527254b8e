/** One kind of request that is answered over plain HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Route {
  /** GET also answers HEAD. */
  readonly method: 'GET' | 'POST'
  /** Matches the path without its query. */
  readonly path: RegExp
  /** `parts`: the groups of `path`. Rejects with a Refusal, or with an error that is hidden. */
  readonly answer: (
    request: IncomingMessage,
    response: ServerResponse,
    parts: readonly (string | undefined)[],
  ) => Promise<void> | void
}

export function answerText(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${body}\n`)
}
