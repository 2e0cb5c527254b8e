import { create } from '@bufbuild/protobuf'
import { type Envelope, EnvelopeSchema, RoutingSchema } from '@porthouse/proto/v1/envelope'
import type { Limits } from '@porthouse/proto/v1/frame'
import { codeError, PorthouseError } from './error.ts'
import { encodeFrame, type Routing } from './packet.ts'
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
  /** Keeps it as the last value of its channel, where the room keeps those that ask for it. */
  retain?: boolean | undefined
  /**
   * Seconds, from 1 to 4,294,967,295 and a begun one counts, from when the gateway has taken it:
   * what then still waits or is kept is not delivered. Default: it does not expire.
   */
  expiresAfter?: number | undefined
  /**
   * For how many milliseconds a message that is refused for now, or of which the gateway does not
   * know yet whether it is stored, is sent again, under the same key and with backoff; what was
   * sent after it may then come before it. False: not at all, the default but at level `stored`;
   * true: 30,000.
   */
  retry?: boolean | number | undefined
  /** Which of the clients and tokens that this socket is sends it. Default: the first that may. */
  as?: string | undefined
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

/** What the field can hold, in seconds. */
const EXPIRES_AFTER_MAX = 2 ** 32 - 1

const encoder = new TextEncoder()

/**
 * What a send asks. Throws INVALID_UTF8 for a text that has no bytes, RangeError for an expiry that
 * is none.
 */
export function sendQuestion(
  content: string | Uint8Array,
  options: SendOptions,
  { destination, key = '', repeatable, limits }: Context,
): Question<Receipt | undefined> {
  const { level = 'routed' } = options
  const envelope = envelopeOf(content, options)
  const size = sizeOf(content, options)
  return {
    bytes: size.content + size.headers + 256,
    repeatable,
    encode(id) {
      const routing = {
        ...destination(),
        receipt: levels[level],
        idempotencyKey: key,
        acting: options.as ?? '',
        retain: options.retain ?? false,
      }
      check(size, routing.to?.length ?? 0, limits())
      envelope.routing = create(RoutingSchema, routing)
      return encodeFrame(id, { case: 'envelope', value: envelope })
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

function envelopeOf(content: string | Uint8Array, options: SendOptions): Envelope {
  const { headers = {}, contentType = '', replyTo = '', correlationId = '' } = options
  const { expiresAfter } = options
  if (expiresAfter !== undefined && !(expiresAfter >= 1 && expiresAfter <= EXPIRES_AFTER_MAX)) {
    throw new RangeError(`expiresAfter is ${expiresAfter}, not 1 to ${EXPIRES_AFTER_MAX} seconds`)
  }
  if (typeof content === 'string' && !content.isWellFormed()) {
    throw new PorthouseError('INVALID_UTF8', { detail: 'A text with half a surrogate pair' })
  }
  return create(EnvelopeSchema, {
    // Bytes are copied: they may wait, and are the caller's to change.
    content:
      typeof content === 'string'
        ? { case: 'text', value: content }
        : { case: 'payload', value: content.slice() },
    contentType,
    headers: { ...headers },
    replyTo,
    correlationId:
      typeof correlationId === 'string' ? encoder.encode(correlationId) : correlationId.slice(),
    expiresAfter: Math.ceil(expiresAfter ?? 0),
  })
}

/** Bytes of the content and of the headers, and the number of these. */
function sizeOf(content: string | Uint8Array, { headers = {} }: SendOptions) {
  const names = Object.keys(headers)
  return {
    content: typeof content === 'string' ? utf8Bytes(content) : content.length,
    headers: names.reduce((sum, name) => sum + utf8Bytes(name) + utf8Bytes(headers[name]!), 0),
    names: names.length,
  }
}

// Refused here, where it ends one send; the gateway may end the connection for it.
function check(
  size: ReturnType<typeof sizeOf>,
  destinations: number,
  limits: Limits | undefined,
): void {
  if (!limits) return
  if (limits.payloadBytes && size.content > limits.payloadBytes) {
    const detail = `${size.content} bytes, the gateway takes ${limits.payloadBytes}`
    throw new PorthouseError('PAYLOAD_TOO_LARGE', { detail })
  }
  if (
    (limits.headers && size.names > limits.headers) ||
    (limits.headersBytes && size.headers > limits.headersBytes)
  ) {
    throw new PorthouseError('HEADERS_TOO_LARGE')
  }
  if (limits.destinations && destinations > limits.destinations) {
    throw new PorthouseError('TOO_MANY_DESTINATIONS')
  }
}

// Counted, since encoding a text to measure it costs more than all the rest of a send.
function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    // Each half of a surrogate pair stands for two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}
