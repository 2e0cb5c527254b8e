/** Envelopes as a gateway has them when it asks whether they fit, and what became of them. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { MessagesSchema } from '@porthouse/proto/room/v1/messages'
import { MessagesSchema as schema } from '@porthouse/proto/room/v1/messages'
import { Code } from '@porthouse/proto/v1/code'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { expect } from 'vitest'
import { Refusal } from '../../../gateway/protocol/codes.ts'
import { type ScannedEnvelope, scanEnvelope } from '../../../gateway/protocol/scan-envelope.ts'
import { readStructure } from '../../../gateway/rooms/structure/structure.ts'
import type { Structure } from '../../../gateway/router/structure.ts'
import { limits } from '../../support/limits.ts'

type Init = MessageInitShape<typeof EnvelopeSchema>

/** Payloads over the default limit too. */
const wide = { ...limits, payloadBytes: 2 ** 24 }

export function scanned(bytes: Uint8Array): ScannedEnvelope {
  const buffer = Buffer.from(bytes)
  return scanEnvelope(buffer, 0, buffer.length, wide)
}

export function envelope(init: Init): ScannedEnvelope {
  return scanned(toBinary(EnvelopeSchema, create(EnvelopeSchema, init)))
}

export function text(value: string): ScannedEnvelope {
  return envelope({ content: { case: 'text', value } })
}

export function payload(value: Uint8Array | string): ScannedEnvelope {
  return envelope({ content: { case: 'payload', value: new Uint8Array(Buffer.from(value)) } })
}

export function contentOf({ bytes, contentStart, contentEnd }: ScannedEnvelope): Buffer {
  return bytes.subarray(contentStart, contentEnd)
}

export function structureOf(init: MessageInitShape<typeof MessagesSchema>): Structure {
  return readStructure(create(schema, init)) as Structure
}

/** A room whose messages have to fit a JSON Schema. */
export function jsonRoom(json: unknown = ''): Structure {
  const written = json === '' ? '' : JSON.stringify(json)
  return structureOf({ structure: { case: 'json', value: { schema: written } } })
}

/** Why a message is refused; undefined: it is not. Anything but a refusal of it is a failure. */
export function reason(structure: Structure, said: ScannedEnvelope): string | undefined {
  try {
    structure.admit(said)
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    const { code, detail } = error as Refusal
    expect(code).toBe(Code.CONTENT_INVALID)
    expect(Buffer.byteLength(detail)).toBeLessThanOrEqual(256)
    expect(detail.isWellFormed()).toBe(true)
    return detail
  }
}
