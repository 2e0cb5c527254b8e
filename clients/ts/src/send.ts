import { create, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import type { Limits } from '@porthouse/proto/v1/frame'
import { codeError, PorthouseError } from './error.ts'
import { encodeSend, type Routing } from './packet.ts'
import type { Question } from './queue.ts'
import { type Level, levels, type Receipt, readReceipt } from './receipt.ts'

export interface SendOptions {
  /** Default `routed`. */
  level?: Level | undefined
  /**
   * Messages with the same key to the same destination are sent once within the gateway's window;
   * the others get DUPLICATE. Default: one made for this message, which makes it safe to send again
   * after a reconnection.
   */
  idempotencyKey?: string | undefined
  headers?: Readonly<Record<string, string>> | undefined
  /** Media type of the content. */
  contentType?: string | undefined
  /** An address to answer to, if not your own. */
  replyTo?: string | undefined
  correlationId?: Uint8Array | string | undefined
  /** Gives up waiting; what is in flight may arrive all the same. */
  signal?: AbortSignal | undefined
}

export interface RoomSendOptions extends SendOptions {
  /**
   * A channel of the room. Default: what was joined, if that is one channel, else the room itself.
   */
  channel?: string | undefined
}

/** Where to, as it is known when the message is handed over. */
export type Destination = () => Pick<Routing, 'route' | 'channel' | 'to'>

interface Context {
  destination: Destination
  /** Absent: sent at most once. */
  key: string | undefined
  repeatable: boolean
  /** The bounds of the connection that it is handed to. */
  limits(): Limits | undefined
}

const encoder = new TextEncoder()

/** What a send asks. Throws INVALID_UTF8 for a text that has no bytes. */
export function sendQuestion(
  content: string | Uint8Array,
  options: SendOptions,
  { destination, key, repeatable, limits }: Context,
): Question<Receipt | undefined> {
  const { level = 'routed', headers = {} } = options
  const body = encodeBody(content, options)
  const size = typeof content === 'string' ? utf8Bytes(content) : content.length
  return {
    bytes: body.length + 128,
    repeatable,
    encode(id) {
      const routing: Routing = {
        ...destination(),
        receipt: levels[level],
        ...(key !== undefined && { idempotencyKey: key }),
      }
      check(size, headers, routing.to?.length ?? 0, limits())
      return encodeSend(id, routing, body)
    },
    read(answer) {
      if (answer.case !== 'receipt') return undefined
      const receipt = readReceipt(answer.value)
      if (!receipt) throw new PorthouseError('UNKNOWN', { detail: 'A receipt of unknown status' })
      if (receipt.status !== 'REJECTED') return receipt
      throw codeError(answer.value.code, { detail: answer.value.detail, receipt })
    },
    ...(level === 'none' && { unanswered: { result: undefined } }),
  }
}

// Encoded at once: the bytes are the caller's to change afterwards.
function encodeBody(content: string | Uint8Array, options: SendOptions): Uint8Array {
  const { headers = {}, contentType = '', replyTo = '', correlationId = '' } = options
  if (typeof content === 'string' && !content.isWellFormed()) {
    throw new PorthouseError('INVALID_UTF8', { detail: 'A text with half a surrogate pair' })
  }
  const envelope = create(EnvelopeSchema, {
    content:
      typeof content === 'string'
        ? { case: 'text', value: content }
        : { case: 'payload', value: content },
    contentType,
    headers: { ...headers },
    replyTo,
    correlationId:
      typeof correlationId === 'string' ? encoder.encode(correlationId) : correlationId,
  })
  return toBinary(EnvelopeSchema, envelope)
}

// Refused here, where it ends one send; the gateway may end the connection for it.
function check(
  size: number,
  headers: Readonly<Record<string, string>>,
  destinations: number,
  limits: Limits | undefined,
): void {
  if (!limits) return
  if (limits.payloadBytes && size > limits.payloadBytes) {
    const detail = `${size} bytes, the gateway takes ${limits.payloadBytes}`
    throw new PorthouseError('PAYLOAD_TOO_LARGE', { detail })
  }
  const names = Object.keys(headers)
  const bytes = names.reduce((sum, name) => sum + utf8Bytes(name) + utf8Bytes(headers[name]!), 0)
  if (
    (limits.headers && names.length > limits.headers) ||
    (limits.headersBytes && bytes > limits.headersBytes)
  ) {
    throw new PorthouseError('HEADERS_TOO_LARGE')
  }
  if (limits.destinations && destinations > limits.destinations) {
    throw new PorthouseError('TOO_MANY_DESTINATIONS')
  }
}

const utf8Bytes = (text: string) => encoder.encode(text).length
