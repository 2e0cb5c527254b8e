/** Block messages: what a message in the room has to be (R20). */
import type { Messages } from '@porthouse/proto/room/v1/messages'
import type { RoomConfig } from '../config.ts'
import { readStructure } from '../structure/structure.ts'
import { thrown } from './bounds.ts'

/** Throws an Error where a schema does not compile. */
export function readMessages(messages: Messages | undefined): Pick<RoomConfig, 'structure'> {
  return { structure: messages && readStructure(messages) }
}

export function* checkMessages(messages: Messages): Iterable<string> {
  if (messages.structure.case === undefined) {
    yield 'messages: neither bytes, text, json nor protobuf'
  }
  yield* thrown('messages', () => readMessages(messages))
}
