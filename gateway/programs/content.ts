/** Messages as programs see them, and what they send as envelopes. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import type { Limits } from '../protocol/limits.ts'
import { type ScannedEnvelope, scanEnvelope } from '../protocol/scan-envelope.ts'
import { uuidOf } from '../protocol/uuid7.ts'
import type { OwnMessage } from '../router/intake.ts'
import type { Sending, SentMessage } from './wire.ts'

/** Its envelope was scanned when it came, so it can be read. */
export function sentMessage({ message, channel, body }: OwnMessage): SentMessage {
  const { bytes, start, end, cutStart, cutEnd } = body
  const whole = [bytes.subarray(start, cutStart), bytes.subarray(cutEnd, end)]
  const envelope = fromBinary(EnvelopeSchema, Buffer.concat(whole))
  const { content, contentType, headers, replyTo, correlationId } = envelope
  const { id } = message
  return {
    id: uuidOf(id.bytes.toString('hex', id.at, id.at + 16)),
    from: Buffer.from(message.from).toString(),
    channel,
    ...(content.case === 'text' && { text: content.value }),
    ...(content.case === 'payload' && { payload: Buffer.from(content.value).toString('base64') }),
    contentType,
    headers,
    replyTo,
    correlationId: Buffer.from(correlationId).toString('base64'),
  }
}

/** As the same from a socket. Throws Refusal for what no socket may send. */
export function envelopeOf(sending: Sending, limits: Limits): ScannedEnvelope {
  const { text, payload, contentType, headers, correlationId } = sending
  const envelope = create(EnvelopeSchema, {
    content:
      payload === undefined
        ? { case: 'text', value: (text ?? '').toWellFormed() }
        : { case: 'payload', value: Buffer.from(payload, 'base64') },
    contentType: contentType.toWellFormed(),
    headers: wellFormed(headers),
    correlationId: Buffer.from(correlationId, 'base64'),
  })
  const bytes = Buffer.from(toBinary(EnvelopeSchema, envelope))
  return scanEnvelope(bytes, 0, bytes.length, limits)
}

function wellFormed(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key.toWellFormed(), value.toWellFormed()]),
  )
}
