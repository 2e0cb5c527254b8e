/** The body of POST /v1/messages as an envelope, with what the request's headers add to it. */
import {
  create,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toBinary,
} from '@bufbuild/protobuf'
import {
  type SendMessageRequest,
  SendMessageRequestSchema,
} from '@porthouse/proto/admin/v1/message_service'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import type { Limits } from '../../../protocol/limits.ts'
import { invalidUtf8, malformed } from '../../../protocol/reader.ts'
import type { ScannedEnvelope } from '../../../protocol/scan-envelope.ts'
import { invalid, type Violation, Violations } from '../../../protocol/violations.ts'
import { envelopeOf, posted, withJson } from '../../../session/posts/message.ts'
import type { Form } from '../media-type.ts'

/** What the headers of a request add to its message. */
export interface Extras {
  /** Idempotency-Key. */
  readonly key: string | undefined
  /** W3C trace context, by header. */
  readonly trace: Readonly<Record<string, string>>
}

/** Fields that are wrong; of more the first are told. */
const VIOLATIONS_MAX = 32

/** Of what is wrong with a field, in characters. */
const DESCRIPTION_MAX = 128

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Throws Refusal. */
export function readMessage(
  body: Buffer,
  form: Form,
  extras: Extras,
  limits: Limits,
): ScannedEnvelope {
  return form === 'json' ? ofJson(body, extras, limits) : ofProtobuf(body, extras, limits)
}

function ofJson(body: Buffer, { key, trace }: Extras, limits: Limits): ScannedEnvelope {
  const request = requestOf(parsed(body))
  request.headers = { ...trace, ...request.headers }
  request.idempotencyKey = theKey(request.idempotencyKey, key)
  return envelopeOf(request, limits)
}

/** As it came, but for a trace context that it has not itself. */
function ofProtobuf(body: Buffer, { key, trace }: Extras, limits: Limits): ScannedEnvelope {
  const envelope = posted(Object.keys(trace).length > 0 ? withTrace(body, trace) : body, limits)
  envelope.key = theKey(envelope.key, key)
  return envelope
}

function theKey(inBody: string, inHeader: string | undefined): string {
  if (inHeader === undefined || inBody === '' || inBody === inHeader) return inHeader ?? inBody
  throw invalid('idempotencyKey', 'is not that of the header Idempotency-Key')
}

/** Two messages behind each other are one, in which fields of both are (Protobuf, "Encoding"). */
function withTrace(body: Buffer, trace: Extras['trace']): Buffer {
  try {
    const { headers } = fromBinary(EnvelopeSchema, body)
    const missing = Object.entries(trace).filter(([name]) => headers[name] === undefined)
    const added = create(EnvelopeSchema, { headers: Object.fromEntries(missing) })
    return Buffer.concat([toBinary(EnvelopeSchema, added), body])
  } catch {
    throw malformed('not an Envelope')
  }
}

function parsed(body: Buffer): JsonObject {
  let text: string
  try {
    text = utf8.decode(body)
  } catch {
    throw invalidUtf8('the body')
  }
  const value = jsonOf(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalid('body', 'is not a JSON object')
}

function jsonOf(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw invalid('body', 'is not JSON')
  }
}

/** `json` never becomes a message of Protobuf, which would be dear and is not needed. */
function requestOf({ json, ...fields }: JsonObject): SendMessageRequest {
  let request: SendMessageRequest
  try {
    request = fromJson(SendMessageRequestSchema, fields)
  } catch {
    throw new Violations(violationsIn(fields))
  }
  if (json === undefined) return request
  if (request.content.case) throw invalid('json', `is given beside ${request.content.case}`)
  return withJson(request, json)
}

/** What is wrong with each field by itself; where that is nothing, they are wrong together. */
function violationsIn(fields: JsonObject): Violation[] {
  const violations: Violation[] = []
  for (const [field, value] of Object.entries(fields)) {
    if (violations.length >= VIOLATIONS_MAX) break
    try {
      fromJson(SendMessageRequestSchema, { [field]: value })
    } catch (error) {
      violations.push({ field: cut(field), description: descriptionOf(error) })
    }
  }
  const both = { field: 'payload', description: 'a message has one of payload, text and json' }
  return violations.length > 0 ? violations : [both]
}

/** The runtime says "cannot decode field … from JSON: why". */
function descriptionOf(error: unknown): string {
  const { message } = error as Error
  return cut(message.slice(message.indexOf('JSON: ') + 'JSON: '.length))
}

function cut(text: string): string {
  return text.length <= DESCRIPTION_MAX ? text : `${text.slice(0, DESCRIPTION_MAX)}…`
}
