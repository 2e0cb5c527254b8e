/** On what terms a token sends: what kind of content, and how much of it (R33). */
import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { RateLimit } from '../protocol/rate-limit.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { Method } from '../store/store.ts'

export interface Terms {
  readonly method: Method | undefined
  /** One for all connections of the token. */
  readonly rate: RateLimit | undefined
}

const PROTOBUF = /^application\/(x-|vnd\.google\.)?protobuf\b/

/** What the terms say against an envelope; undefined: nothing. Takes one of the rate. */
export function breach(terms: Terms, envelope: ScannedEnvelope, now: number): Refusal | undefined {
  const { method, rate } = terms
  if (method && !isOfMethod(method, envelope)) {
    return new Refusal(Code.METHOD_NOT_PERMITTED, `the token sends ${method} alone`)
  }
  if (rate && !rate.take(now)) {
    return new Refusal(Code.RATE_LIMITED, `over ${rate.perSecond} messages a second`)
  }
  return undefined
}

function isOfMethod(method: Method, envelope: ScannedEnvelope): boolean {
  const isText = envelope.content === 6
  switch (method) {
    case 'text':
      return isText
    case 'binary':
      return !isText
    case 'protobuf':
      return !isText && isProtobuf(envelope)
    case 'json':
      return isJson(envelope)
  }
}

/** What it is said to be; what is not said to be anything else may be. */
function isProtobuf({ bytes, typeStart, typeEnd }: ScannedEnvelope): boolean {
  return typeStart === typeEnd || PROTOBUF.test(bytes.toString('latin1', typeStart, typeEnd))
}

function isJson({ bytes, contentStart, contentEnd }: ScannedEnvelope): boolean {
  const content = bytes.subarray(contentStart, contentEnd)
  try {
    JSON.parse(content.toString())
    // What is not UTF-8 was replaced before it was parsed.
    return isUtf8(content)
  } catch {
    return false
  }
}
