/** Block messages: what a message in the room has to be (R20). */
import type { Messages } from '@porthouse/proto/room/v1/messages'
import { type Fault, thrown } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import { readStructure } from '../structure/structure.ts'

/** Throws an Error where a schema does not compile. */
export function readMessages(messages: Messages | undefined): Pick<RoomConfig, 'structure'> {
  return { structure: messages && readStructure(messages) }
}

export function* checkMessages(messages: Messages): Iterable<Fault> {
  if (messages.structure.case === undefined) {
    yield { path: '', reason: 'neither bytes, text, json nor protobuf' }
  }
  const { case: kind } = messages.structure
  yield* thrown(kind === 'json' ? 'json.schema' : (kind ?? ''), () => readMessages(messages))
}
