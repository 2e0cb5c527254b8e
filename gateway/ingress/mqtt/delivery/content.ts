/** What a message brings to each PUBLISH that carries it, whoever gets that. */
import type { EnvelopeBody } from '../../../protocol/packet-writer.ts'
import { numberField, sizeOfVarint, Tag, writeTagged } from '../mapping/fields.ts'

/** Pieces of one buffer: [topicStart, topicEnd), [propertiesStart, payloadStart), the payload. */
export interface Content {
  readonly bytes: Buffer
  /** Of its room; `` for the room itself. */
  readonly channel: string
  readonly topicStart: number
  readonly topicEnd: number
  /** Encoded, those that are the same for all; of MQTT 5, and empty for others. */
  readonly propertiesStart: number
  readonly payloadStart: number
  readonly end: number
  /** The payload is Envelope.text. */
  readonly isText: boolean
  /** A Quality. */
  readonly quality: number
  /** Seconds after it was sent; 0: it does not expire. */
  readonly expiresAfter: number
  /** In memory of its own; undefined where there is no more to it than is said here. */
  readonly body: EnvelopeBody | undefined
}

/** The same in memory of its own: what comes with a batch is shared with all its messages. */
export function ownContent(content: Content): Content {
  const { topicStart, topicEnd, propertiesStart, payloadStart, end } = content
  const bytes = Buffer.allocUnsafeSlow(end - topicStart)
  content.bytes.copy(bytes, 0, topicStart, end)
  return {
    ...content,
    bytes,
    topicStart: 0,
    topicEnd: topicEnd - topicStart,
    propertiesStart: propertiesStart - topicStart,
    payloadStart: payloadStart - topicStart,
    end: bytes.length,
  }
}

/** What is left of one that is not to be sent again. */
export const NO_CONTENT: Content = {
  bytes: Buffer.alloc(0),
  channel: '',
  topicStart: 0,
  topicEnd: 0,
  propertiesStart: 0,
  payloadStart: 0,
  end: 0,
  isText: false,
  quality: 0,
  expiresAfter: 0,
  body: undefined,
}

/** A payload for a topic of the gateway's own. */
export function plainContent(topic: string, payload: Buffer): Content {
  const topicEnd = Buffer.byteLength(topic)
  const bytes = Buffer.allocUnsafeSlow(topicEnd + payload.length)
  bytes.write(topic)
  bytes.set(payload, topicEnd)
  const end = bytes.length
  return { ...NO_CONTENT, bytes, topicEnd, propertiesStart: topicEnd, payloadStart: topicEnd, end }
}

export function topicIn({ bytes, topicStart, topicEnd }: Content): string {
  return bytes.toString('utf8', topicStart, topicEnd)
}

/** Whether content, quality and expiry are all that an envelope has, its routing aside. */
export function isPlain(body: EnvelopeBody): boolean {
  const { start, cutStart, cutEnd, end, contentStart, contentEnd, quality, expiresAfter } = body
  if (body.content === 0) return false
  const size = contentEnd - contentStart
  // Each of them has this size at least, so there is room for nothing else.
  const least =
    1 +
    sizeOfVarint(size) +
    size +
    (quality === 0 ? 0 : 2) +
    (expiresAfter === 0 ? 0 : 1 + sizeOfVarint(expiresAfter))
  return cutStart - start + end - cutEnd === least
}

/** The envelope that it came as; of the content's memory, or of its own. */
export function bodyOf(content: Content): EnvelopeBody {
  const { body, bytes, payloadStart, end, isText, quality, expiresAfter } = content
  if (body) return body
  const size = end - payloadStart
  const expiry = expiresAfter === 0 ? NOTHING : numberField(Tag.EXPIRES_AFTER, expiresAfter)
  const qualityField = quality === 0 ? NOTHING : numberField(Tag.QUALITY, quality)
  const contentStart = 1 + sizeOfVarint(size)
  const contentEnd = contentStart + size
  const own = Buffer.allocUnsafeSlow(contentEnd + expiry.length + qualityField.length)
  writeTagged(own, 0, isText ? Tag.TEXT : Tag.PAYLOAD, size)
  bytes.copy(own, contentStart, payloadStart, end)
  own.set(expiry, contentEnd)
  own.set(qualityField, contentEnd + expiry.length)
  return {
    bytes: own,
    start: 0,
    cutStart: own.length,
    cutEnd: own.length,
    end: own.length,
    content: isText ? 6 : 3,
    contentStart,
    contentEnd,
    expiresAfter,
    quality,
    retained: false,
  }
}

const NOTHING = Buffer.alloc(0)
