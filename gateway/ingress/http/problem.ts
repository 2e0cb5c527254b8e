/** Refusals over HTTP: problem details (RFC 9457) with the code's name. */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { codeInfo, type Refusal } from '../../protocol/codes.ts'
import { type HttpResponse, respond } from './route.ts'

interface Problem {
  readonly status: number
  readonly body: string
}

function problemOf(refusal: Refusal): Problem {
  const { name, httpStatus, meaning } = codeInfo(refusal.code)
  const problem = { title: meaning, status: httpStatus, code: name, detail: refusal.detail }
  return { status: httpStatus, body: `${JSON.stringify(problem)}\n` }
}

/** Answers an upgrade that is refused, on the bare socket, and closes it. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const { status, body } = problemOf(refusal)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** The same for a request. */
export function refuseRequest(response: HttpResponse, refusal: Refusal): void {
  const { status, body } = problemOf(refusal)
  respond(response, status, { 'content-type': 'application/problem+json' }, body)
}
