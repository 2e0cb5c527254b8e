/** Refusals over HTTP: problem details (RFC 9457) with the code's name. */
import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { codeInfo, RETRY_SECONDS, type Refusal } from '../../protocol/codes.ts'
import { MESSAGE_HEADER, RefusedMessage } from '../../protocol/refused-message.ts'
import { Violations } from '../../protocol/violations.ts'
import { type HttpResponse, respond } from './route.ts'

interface Problem {
  readonly status: number
  readonly body: string
}

function problemOf(refusal: Refusal): Problem {
  const { name, httpStatus: status, meaning: title } = codeInfo(refusal.code)
  const { violations } = refusal instanceof Violations ? refusal : {}
  const problem = { title, status, code: name, detail: refusal.detail, violations }
  return { status, body: `${JSON.stringify(problem)}\n` }
}

function headersOf(refusal: Refusal): OutgoingHttpHeaders {
  const { httpStatus, temporary } = codeInfo(refusal.code)
  return {
    'content-type': 'application/problem+json',
    ...(refusal instanceof RefusedMessage && { [MESSAGE_HEADER]: refusal.resource }),
    ...(httpStatus === 401 && { 'www-authenticate': 'Bearer' }),
    ...(temporary && { 'retry-after': String(RETRY_SECONDS) }),
  }
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
  respond(response, status, headersOf(refusal), body)
}
