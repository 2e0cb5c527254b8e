/** What the headers of POST /v1/messages add to the message. */
import type { IncomingHttpHeaders } from 'node:http'
import { invalid } from '../../../protocol/violations.ts'
import type { Extras } from './read-message.ts'

/** An sf-string (RFC 9651 section 3.3.3), as draft-ietf-httpapi-idempotency-key wants it. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/

/** As many send it: the key without quotes. */
const BARE = /^[!#-+\--~]+$/

/** https://www.w3.org/TR/trace-context: version, trace id, parent id, flags. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?$/

const TRACE_CHARS_MAX = 512

/** Throws Violations. */
export function extrasOf(headers: IncomingHttpHeaders): Extras {
  return { key: keyOf(headers['idempotency-key']), trace: traceOf(headers) }
}

function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const text = Array.isArray(header) ? header.join(', ') : header.trim()
  const quoted = QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, '$1')
  const key = quoted ?? (BARE.test(text) ? text : '')
  if (key === '') throw invalid('Idempotency-Key', 'is no key, such as "8e03978e-40d5"')
  return key
}

/** What breaks the grammar is passed on to nobody. */
function traceOf({ traceparent, tracestate }: IncomingHttpHeaders): Record<string, string> {
  if (typeof traceparent !== 'string' || traceparent.length > TRACE_CHARS_MAX) return {}
  if (!TRACEPARENT.test(traceparent)) return {}
  const isState = typeof tracestate === 'string' && tracestate.length <= TRACE_CHARS_MAX
  return { traceparent, ...(isState && { tracestate }) }
}
