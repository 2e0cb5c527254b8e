/** What the client tells, as the runner reads it. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { type ErrorCode, type Message, PorthouseError, type Receipt } from '@porthouse/client'
import type { FailureSchema, OutcomeSchema } from '@porthouse/proto/conformance/v1/peer'
import { Code } from '@porthouse/proto/v1/code'
import { type EnvelopeSchema, Quality, Replay } from '@porthouse/proto/v1/envelope'
import { type ReceiptSchema, ReceiptStatus } from '@porthouse/proto/v1/receipt'

export type Outcome = MessageInitShape<typeof OutcomeSchema>

export const DONE: Outcome = { result: { case: 'done', value: {} } }

/** Of the protocol's table; 0 for those that only clients have. */
const numberOf = (name: ErrorCode): Code => Code[name as keyof typeof Code] ?? Code.UNSPECIFIED

/** Codes of the protocol by their number, those that only clients have by their name. */
export function codeFields(name: ErrorCode): { code: Code } | { ownCode: string } {
  const code = numberOf(name)
  return code ? { code } : { ownCode: name }
}

export function failed(error: unknown): Outcome {
  let value: MessageInitShape<typeof FailureSchema>
  if (error instanceof PorthouseError) {
    const { code, temporary, retryAfterMs = 0 } = error
    value = { ...codeFields(code), temporary, retryAfterMs }
  } else value = { ownCode: error instanceof Error ? error.name : String(error) }
  return { result: { case: 'failure', value } }
}

export function receiptOutcome(receipt: Receipt | undefined): Outcome {
  if (!receipt) return DONE
  const { status, id, code, rejections, sockets, sequence = 0n, epoch = 0n } = receipt
  const value: MessageInitShape<typeof ReceiptSchema> = {
    status: ReceiptStatus[status],
    ...(id !== undefined && { id: uuidBytes(id) }),
    code: code ? numberOf(code) : Code.UNSPECIFIED,
    sockets,
    sequence,
    epoch,
    rejections: rejections.map((each) => ({ ...each, code: numberOf(each.code) })),
  }
  return { result: { case: 'receipt', value } }
}

export function heard(messages: readonly Message[]): Outcome {
  return { result: { case: 'heard', value: { messages: messages.map(envelopeOf) } } }
}

const replays = {
  history: Replay.HISTORY,
  session: Replay.SESSION,
  retained: Replay.RETAINED,
}

const qualities = [Quality.AT_MOST_ONCE, Quality.AT_LEAST_ONCE, Quality.EXACTLY_ONCE] as const

function envelopeOf(message: Message): MessageInitShape<typeof EnvelopeSchema> {
  const { id, from, address, channel, sequence, epoch, time, replay } = message
  const { text, payload, quality } = message
  return {
    stamp: {
      id: uuidBytes(id),
      from,
      target: address,
      channel,
      sequence,
      epoch,
      timeMs: BigInt(time.getTime()),
      ...(replay && { replay: replays[replay] }),
    },
    content:
      text === undefined ? { case: 'payload', value: payload } : { case: 'text', value: text },
    contentType: message.contentType ?? '',
    headers: { ...message.headers },
    replyTo: message.replyTo ?? '',
    correlationId: message.correlationId ?? new Uint8Array(),
    expiresAfter: message.expiresAfter ?? 0,
    quality: quality === undefined ? Quality.UNSPECIFIED : qualities[quality],
  }
}

function uuidBytes(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('-', ''), 'hex')
}
