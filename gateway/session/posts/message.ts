/** A message that is sent without a socket, as the envelope that a socket would send. */
import { create, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { type Value, ValueSchema } from '@bufbuild/protobuf/wkt'
import type { SendMessageRequest } from '@porthouse/proto/admin/v1/message_service'
import { Code } from '@porthouse/proto/v1/code'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { Refusal } from '../../protocol/codes.ts'
import type { Limits } from '../../protocol/limits.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../protocol/scan-envelope.ts'
import { invalid } from '../../protocol/violations.ts'

const JSON_TYPE = 'application/json'

/** Throws Refusal, as an envelope of a socket is refused. */
export function envelopeOf(request: SendMessageRequest, limits: Limits): ScannedEnvelope {
  const { to, receipt, idempotencyKey, retain, content, contentType, ...rest } = request
  const { headers, replyTo, correlationId, expiresAfter } = rest
  if (content.case === 'json') return envelopeOf(withJson(request, jsonOf(content.value)), limits)
  const routing = { to, receipt, idempotencyKey, retain }
  const body = { content, contentType, headers, replyTo, correlationId, expiresAfter }
  const bytes = toBinary(EnvelopeSchema, create(EnvelopeSchema, { routing, ...body }))
  return posted(Buffer.from(bytes), limits)
}

/** The same with a JSON value as its text. Throws Violations for one that JSON has no text for. */
export function withJson(request: SendMessageRequest, value: JsonValue): SendMessageRequest {
  const { contentType } = request
  const content = { case: 'text' as const, value: textOf(value) }
  return { ...request, content, contentType: contentType === '' ? JSON_TYPE : contentType }
}

/**
 * An envelope's bytes, which then are its own. What it does not say of its receipt has a default:
 * whoever posts waits for one. Throws Refusal.
 */
export function posted(bytes: Buffer, limits: Limits): ScannedEnvelope {
  const envelope = scanEnvelope(bytes, 0, bytes.length, limits)
  if (envelope.route !== 0) {
    throw new Refusal(Code.ROUTE_UNKNOWN, 'routes are of a socket; name the room in `to`')
  }
  if (envelope.to.length === 0) throw invalid('to', 'names no destination')
  envelope.receipt ||= ReceiptLevel.ROUTED
  return envelope
}

/** The runtime refuses what it cannot follow, by its stack, or what is no number of JSON. */
function jsonOf(value: Value): JsonValue {
  try {
    return toJson(ValueSchema, value)
  } catch {
    throw notJson()
  }
}

function textOf(value: JsonValue): string {
  try {
    return JSON.stringify(value, finite)
  } catch {
    throw notJson()
  }
}

/** 1e400 is JSON by its grammar, and no number here. */
function finite(_key: string, value: JsonValue): JsonValue {
  if (typeof value === 'number' && !Number.isFinite(value)) throw notJson()
  return value
}

function notJson(): Refusal {
  return invalid('json', 'is nested too deeply, or has a number that is too large')
}
