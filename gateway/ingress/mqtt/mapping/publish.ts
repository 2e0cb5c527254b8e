/** PUBLISH, and wills, as envelopes: bodies are written by hand, what routes them goes beside. */
import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import type { QoS } from 'mqtt-packet'
import { Refusal } from '../../../protocol/codes.ts'
import type { Limits } from '../../../protocol/limits.ts'
import { invalidUtf8 } from '../../../protocol/reader.ts'
import type { ScannedEnvelope } from '../../../protocol/scan-envelope.ts'
import { type Annex, annexOf, EMPTY_ANNEX, type Properties } from './annex.ts'
import { sizeOfVarint, Tag, writeTagged } from './fields.ts'
import { qualityOf } from './quality.ts'

/** What PUBLISH and a will have in common. */
export interface Publication {
  readonly payload: string | Buffer
  readonly qos?: QoS
  readonly properties?: Properties | undefined
}

/** Where it goes, and what its sender wants to know of it. */
export type Routing = Pick<
  ScannedEnvelope,
  'route' | 'channel' | 'to' | 'key' | 'receipt' | 'retain'
>

/** Tag and value. */
const QUALITY_BYTES = 2
const RETAINED_BYTES = 2

/**
 * The envelope, whose bytes are its own. A `porthouse-key` among the user properties goes before
 * routing.key. Throws Refusal as scanEnvelope does of the same in Protobuf; of a payload that is
 * not the UTF-8 it says to be: INVALID_UTF8, which PUBACK renders as 0x99.
 */
export function envelopeOf(
  { payload, qos = 0, properties }: Publication,
  routing: Routing,
  limits: Limits,
): ScannedEnvelope {
  const content = typeof payload === 'string' ? Buffer.from(payload) : payload
  if (content.length > limits.payloadBytes) {
    throw new Refusal(Code.PAYLOAD_TOO_LARGE, `over ${limits.payloadBytes} bytes`)
  }
  const annex = properties ? annexOf(properties, limits) : EMPTY_ANNEX
  if (annex.isText && !isUtf8(content)) throw invalidUtf8('the payload')
  return written(content, qualityOf(qos), annex, routing)
}

/** Content, annex, quality, retained. The object is of the same shape as scanEnvelope's. */
function written(
  content: Buffer,
  quality: number,
  annex: Annex,
  { route, channel, to, key, receipt, retain }: Routing,
): ScannedEnvelope {
  const contentStart = 1 + sizeOfVarint(content.length)
  const contentEnd = contentStart + content.length
  const retainedAt = contentEnd + annex.fields.length + QUALITY_BYTES
  const end = retainedAt + (retain ? RETAINED_BYTES : 0)
  const bytes = Buffer.allocUnsafe(end)
  writeTagged(bytes, 0, annex.isText ? Tag.TEXT : Tag.PAYLOAD, content.length)
  bytes.set(content, contentStart)
  if (annex.fields.length > 0) bytes.set(annex.fields, contentEnd)
  writeTagged(bytes, retainedAt - QUALITY_BYTES, Tag.QUALITY, quality)
  if (retain) writeTagged(bytes, retainedAt, Tag.RETAINED, 1)
  return {
    bytes,
    route,
    channel,
    to,
    receipt,
    key: annex.key === '' ? key : annex.key,
    acting: annex.acting,
    retain,
    content: annex.isText ? 6 : 3,
    contentStart,
    contentEnd,
    expiresAfter: annex.expiresAfter,
    quality,
    retained: retain,
    typeStart: contentEnd + annex.typeStart,
    typeEnd: contentEnd + annex.typeEnd,
    start: 0,
    cutStart: end,
    cutEnd: end,
    end,
  }
}
