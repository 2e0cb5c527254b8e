/** On what terms a token sends: what kind of content, and how much of it (R33). */
import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { RateLimit } from '../protocol/rate-limit.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { Method } from '../store/store.ts'

export interface Terms {
  /** The token's id. */
  readonly token: string
  readonly method: Method | undefined
  /** One for all connections of the token. */
  readonly rate: RateLimit | undefined
}

/** Takes one of a rate, or looks whether there is one; false where none is left. */
export type Spend = (rate: RateLimit, now: number) => boolean

export const TAKE: Spend = (rate, now) => rate.take(now)
export const LOOK: Spend = (rate, now) => rate.allows(now)

const PROTOBUF = /^application\/(x-|vnd\.google\.)?protobuf\b/

/** What the terms say against an envelope; undefined: nothing. `spend` takes one of the rate. */
export function breach(
  terms: Terms,
  envelope: ScannedEnvelope,
  now: number,
  spend: Spend,
): Refusal | undefined {
  const { method, rate, token } = terms
  if (method && !isOfMethod(method, envelope)) {
    const detail = `the token sends ${method} alone`
    return new Refusal(Code.METHOD_NOT_PERMITTED, detail, `token ${token} method`)
  }
  if (rate && !spend(rate, now)) {
    const detail = `over ${rate.perSecond} messages a second`
    return new Refusal(Code.RATE_LIMITED, detail, `token ${token} rate`)
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
