/** One HTTP request of a case, and its answer (PH-18). */
import {
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import type { Post } from '@porthouse/proto/conformance/v1/server_suite'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptSchema } from '@porthouse/proto/v1/receipt'
import { Unmet } from '../connection.ts'
import { fill, mismatch, show, templateOf, type Variables } from '../template.ts'

interface At {
  readonly httpUrl: string
  readonly variables: Variables
  readonly withinMs: number
  readonly trace: (line: string) => void
}

export async function post(step: Post, at: At): Promise<void> {
  const { variables, withinMs, trace } = at
  const response = await fetch(`${at.httpUrl}${fill(step.path || '/v1/messages', variables)}`, {
    method: step.method || 'POST',
    headers: headersOf(step, variables),
    signal: AbortSignal.timeout(withinMs),
    body: bodyOf(step, variables),
  })
  const answer = await answerOf(response)
  trace(`post ← ${response.status} ${show(answer)}`)
  if (response.status !== step.status) {
    throw new Unmet(`the status is ${response.status}, not ${step.status}: ${show(answer)}`)
  }
  const headers = Object.fromEntries(response.headers)
  const wanted = (step.answerHeaders ?? {}) as JsonObject
  const why =
    mismatch(wanted, headers, variables, 'headers') ??
    (step.answer && mismatch(templateOf(step.answer), answer, variables, 'answer'))
  if (why) throw new Unmet(why)
}

function headersOf({ as, body, headers }: Post, variables: Variables): Record<string, string> {
  const type = body.case === 'envelope' ? 'application/protobuf' : 'application/json'
  return {
    ...(body.case !== undefined && { 'content-type': type }),
    ...(as !== '' && { authorization: `Bearer ${variables.value(`${as}.secret`)}` }),
    ...(fill(headers, variables) as Record<string, string>),
  }
}

function bodyOf({ body }: Post, variables: Variables): string | Uint8Array<ArrayBuffer> | null {
  if (body.case === undefined) return null
  if (body.case === 'text') return String(fill(body.value, variables))
  const json = fill(templateOf(body.value), variables)
  if (body.case === 'json') return JSON.stringify(json)
  return toBinary(EnvelopeSchema, fromJson(EnvelopeSchema, json))
}

/** What came back as JSON: of a Receipt in Protobuf, its JSON form. */
async function answerOf(response: Response): Promise<JsonValue> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('json')) return (await response.json()) as JsonValue
  if (!type.includes('protobuf')) return await response.text()
  const bytes = new Uint8Array(await response.arrayBuffer())
  return toJson(ReceiptSchema, fromBinary(ReceiptSchema, bytes))
}
