/** Messages of a Protobuf type. Sockets of the JSON subprotocol send and get them as JSON (R20). */
import {
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import type { Protobuf } from '@porthouse/proto/room/v1/messages'
import type { EnvelopeBody } from '../../../protocol/packet-writer.ts'
import type { Structure } from '../../../router/structure.ts'
import { contentOf, PAYLOAD, TEXT, withContent } from '../content.ts'
import { parseJson } from '../json-text.ts'
import { contentInvalid, misfit, shown } from '../misfit.ts'
import { type MessageType, readMessageType } from './descriptors.ts'
import { roundedIn } from './exact.ts'
import { readRules } from './rules.ts'
import { DECODED_MAX, scanMessage } from './scan.ts'
import { type Shape, shapeOf } from './shape.ts'

/**
 * Of what JSON becomes as Protobuf and the reverse, in bytes and characters; either may be many
 * times as long as the other.
 */
const PAYLOAD_BYTES_MAX = 262_144
const TEXT_MAX = 1_048_576

/** Throws an Error, for an admin, where the descriptor set cannot be used. */
export function readProtobufStructure(config: Protobuf): Structure {
  const messageType = readMessageType(config)
  const shape = shapeOf(messageType.type)
  const rules = readRules(messageType)
  const check = (bytes: Buffer) => {
    const values = scanMessage(bytes, shape)
    rules?.(bytes, values)
  }
  return {
    admit(envelope) {
      const content = contentOf(envelope)
      if (envelope.content !== TEXT) {
        check(content)
        return envelope
      }
      const payload = payloadOf(content, messageType)
      check(payload)
      return withContent(envelope, PAYLOAD, payload, false)
    },
    textOf: (body) => textOf(body, messageType, shape),
  }
}

function payloadOf(text: Buffer, { type, registry }: MessageType): Buffer {
  const json = parseJson(text, DECODED_MAX)
  const fault = roundedIn(type, json)
  if (fault) throw contentInvalid(fault)
  const payload = encoded(type, json as JsonValue, registry)
  if (payload.length > Math.max(PAYLOAD_BYTES_MAX, text.length)) {
    throw contentInvalid(misfit(`over ${PAYLOAD_BYTES_MAX} bytes as Protobuf`))
  }
  return payload
}

function encoded(type: DescMessage, json: JsonValue, registry: MessageType['registry']): Buffer {
  try {
    return Buffer.from(toBinary(type, fromJson(type, json, { registry })))
  } catch (error) {
    // Its words may be the content's; what it names is the type's.
    const message = error instanceof Error ? error.message : ''
    const [, name] = /^cannot decode (?:field|message) ([\w.]+)/.exec(message) ?? []
    throw contentInvalid(misfit(`not the Protobuf JSON of ${shown(name ?? type.typeName, 80)}`))
  }
}

/** Undefined: it goes as bytes, for it has no JSON (an Any of a type not known), or too much. */
function textOf(
  body: EnvelopeBody,
  { type, registry }: MessageType,
  shape: Shape,
): string | undefined {
  if (body.content === TEXT) return undefined
  const content = contentOf(body)
  try {
    if (scanMessage(content, shape) > DECODED_MAX) return undefined
    const json = toJson(type, fromBinary(type, content, { readUnknownFields: false }), { registry })
    return lengthOf(json) > TEXT_MAX ? undefined : JSON.stringify(json)
  } catch {
    return undefined
  }
}

/** About as many characters as it has written out; a short payload can have long names in it. */
function lengthOf(json: JsonValue): number {
  if (typeof json === 'string') return json.length + 3
  if (typeof json !== 'object' || json === null) return 8
  let length = 2
  for (const [name, value] of Object.entries(json)) {
    length += lengthOf(value) + (Array.isArray(json) ? 0 : name.length + 4)
    if (length > TEXT_MAX) break
  }
  return length
}
