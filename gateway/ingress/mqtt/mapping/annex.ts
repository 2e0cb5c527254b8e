/** The properties of a PUBLISH or will as fields of an envelope. */
import { Code } from '@porthouse/proto/v1/code'
import type { IPublishPacket, UserProperties } from 'mqtt-packet'
import { Refusal } from '../../../protocol/codes.ts'
import {
  CONTENT_TYPE_BYTES_MAX,
  CORRELATION_BYTES_MAX,
  KEY_BYTES_MAX,
  type Limits,
  NAME_BYTES_MAX,
} from '../../../protocol/limits.ts'
import { malformed } from '../../../protocol/reader.ts'
import { bytesField, headerField, numberField, Tag } from './fields.ts'
import { replyToOf } from './reply-to.ts'
import { ACTING, isReserved, KEY, REPLY_TO, RESERVED_PREFIX } from './reserved-names.ts'

type Pairs = readonly (readonly [name: string, value: string])[]

/** As mqtt-packet has them, which loses the order of user properties under different names. */
export type Properties = NonNullable<IPublishPacket['properties']> & {
  /** The same as userProperties, in the order in which they came [MQTT-3.3.2-18]. */
  readonly userPairs?: Pairs
}

export interface Annex {
  /** The payload is UTF-8 [MQTT-3.3.2.3.2]. */
  readonly isText: boolean
  /** Fields of an Envelope beside content and quality. */
  readonly fields: Buffer
  /** Where in them the bytes of content_type lie. */
  readonly typeStart: number
  readonly typeEnd: number
  readonly expiresAfter: number
  /** `` where absent. */
  readonly key: string
  readonly acting: string
}

export const EMPTY_ANNEX: Annex = {
  isText: false,
  fields: Buffer.alloc(0),
  typeStart: 0,
  typeEnd: 0,
  expiresAfter: 0,
  key: '',
  acting: '',
}

/** Throws Refusal: over a limit, or a user property that is the gateway's to set. */
export function annexOf(properties: Properties, limits: Limits): Annex {
  const { contentType, correlationData, messageExpiryInterval } = properties
  const { words, pairs } = sorted(properties.userPairs ?? pairsOf(properties.userProperties))
  const fields: Buffer[] = []
  let typeStart = 0
  if (contentType !== undefined) {
    const type = bounded(contentType, CONTENT_TYPE_BYTES_MAX, 'content_type')
    const field = bytesField(Tag.CONTENT_TYPE, type)
    typeStart = field.length - type.length
    fields.push(field)
  }
  const typeEnd = fields[0]?.length ?? 0
  addHeaders(fields, pairs, limits)
  const replyTo = replyToIn(properties, words)
  if (replyTo !== '') {
    fields.push(bytesField(Tag.REPLY_TO, bounded(replyTo, NAME_BYTES_MAX, 'reply_to')))
  }
  if (correlationData !== undefined) {
    const id = bounded(correlationData, CORRELATION_BYTES_MAX, 'correlation_id')
    fields.push(bytesField(Tag.CORRELATION_ID, id))
  }
  // An envelope has no word for what is worth nothing at once; a second is the shortest.
  const expiresAfter = messageExpiryInterval === undefined ? 0 : Math.max(messageExpiryInterval, 1)
  if (expiresAfter > 0) fields.push(numberField(Tag.EXPIRES_AFTER, expiresAfter))
  return {
    isText: properties.payloadFormatIndicator === true,
    fields: Buffer.concat(fields),
    typeStart,
    typeEnd,
    expiresAfter,
    key: bounded(words.get(KEY) ?? '', KEY_BYTES_MAX, KEY).toString(),
    acting: bounded(words.get(ACTING) ?? '', NAME_BYTES_MAX, ACTING).toString(),
  }
}

function pairsOf(userProperties: UserProperties = {}): Pairs {
  return Object.entries(userProperties).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each] as const),
  )
}

/** User properties: those that are the mapping's own words, and those that are headers. */
interface Sorted {
  readonly words: ReadonlyMap<string, string>
  readonly pairs: Pairs
}

const WORDS: ReadonlySet<string> = new Set([KEY, ACTING, REPLY_TO])

function sorted(all: Pairs): Sorted {
  const words = new Map<string, string>()
  for (const [name, value] of all) {
    if (!isReserved(name)) continue
    if (!WORDS.has(name)) {
      throw new Refusal(Code.RESERVED_FIELD, `what starts with ${RESERVED_PREFIX} is set aside`)
    }
    if (words.has(name)) throw malformed(`${name} given twice`)
    words.set(name, value)
  }
  return { words, pairs: words.size === 0 ? all : all.filter(([name]) => !words.has(name)) }
}

function addHeaders(fields: Buffer[], pairs: Pairs, limits: Limits): void {
  if (pairs.length > limits.headers) {
    throw new Refusal(Code.HEADERS_TOO_LARGE, `over ${limits.headers} headers`)
  }
  let size = 0
  for (const pair of pairs) {
    const [name, value] = pair.map((text) => Buffer.from(text)) as [Buffer, Buffer]
    size += name.length + value.length
    if (size > limits.headersBytes) {
      throw new Refusal(Code.HEADERS_TOO_LARGE, `over ${limits.headersBytes} bytes of headers`)
    }
    fields.push(headerField(name, value))
  }
}

/** Envelope.reply_to; `` where absent. */
function replyToIn({ responseTopic }: Properties, words: Sorted['words']): string {
  const named = words.get(REPLY_TO)
  if (responseTopic === undefined) return named ?? ''
  if (named !== undefined) throw malformed(`both a response topic and ${REPLY_TO}`)
  return replyToOf(responseTopic)
}

function bounded(given: string | Buffer, bytesMax: number, what: string): Buffer {
  const bytes = typeof given === 'string' ? Buffer.from(given) : given
  if (bytes.length > bytesMax) {
    throw new Refusal(Code.NAME_TOO_LONG, `${what} is over ${bytesMax} bytes`)
  }
  return bytes
}
