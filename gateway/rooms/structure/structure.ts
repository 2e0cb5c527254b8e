/** Reads what the messages of a room have to be from its block `messages` (R20). */
import { isUtf8 } from 'node:buffer'
import type { Messages } from '@porthouse/proto/room/v1/messages'
import { Refusal } from '../../protocol/codes.ts'
import type { Structure } from '../../router/structure.ts'
import { contentOf, PAYLOAD, TEXT, withContent } from './content.ts'
import { readJsonStructure } from './json.ts'
import { contentInvalid, misfit } from './misfit.ts'
import { readProtobufStructure } from './protobuf/protobuf.ts'

/** Undefined: anything goes. Throws an Error that says, for the admin, what cannot be used. */
export function readStructure({ structure }: Messages): Structure | undefined {
  try {
    switch (structure.case) {
      case 'bytes':
        return BYTES
      case 'text':
        return PLAIN_TEXT
      case 'json':
        return readJsonStructure(structure.value)
      case 'protobuf':
        return readProtobufStructure(structure.value)
      case undefined:
        return undefined
    }
  } catch (error) {
    // A schema is JSON, and refused as such in the words for content.
    throw error instanceof Refusal ? new Error(error.detail, { cause: error }) : error
  }
}

/** Text becomes a payload, so that whoever listens finds the bytes in one place. */
const BYTES: Structure = {
  admit: (envelope) =>
    envelope.content === TEXT
      ? withContent(envelope, PAYLOAD, contentOf(envelope), true)
      : envelope,
  textOf: () => undefined,
}

/** A payload becomes text if it is UTF-8, for some transports have no text. */
const PLAIN_TEXT: Structure = {
  admit: (envelope) => {
    if (envelope.content !== PAYLOAD) return envelope
    const content = contentOf(envelope)
    if (!isUtf8(content)) throw contentInvalid(misfit('not text: no UTF-8'))
    return withContent(envelope, TEXT, content, true)
  },
  textOf: () => undefined,
}
