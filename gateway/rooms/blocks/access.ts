/** Block access: who gets in, and what visitors may do (R18). */
import { create } from '@bufbuild/protobuf'
import { type Access, AccessSchema } from '@porthouse/proto/room/v1/access'
import { type Fault, thrown } from '../../locks/fault.ts'
import { readAccess as readLocks } from '../../locks/read-flow.ts'
import type { FlowReader, RoomConfig } from '../config.ts'

const DEFAULT = create(AccessSchema, { locks: ['token'] })
const DEFAULT_VISITORS = { send: true, receive: true, admit: false }

type Part = Pick<RoomConfig, 'flow' | 'visitors' | 'visited'>

/** Throws an Error where a lock cannot be used here. */
export function readAccess(access: Access | undefined, { acceptors, defaults }: FlowReader): Part {
  const { send, receive, admit } = access?.visitors ?? DEFAULT_VISITORS
  return {
    flow: readLocks(access ?? DEFAULT, acceptors, defaults),
    visitors: { send, receive, admit, channels: [] },
    visited: access?.visitors !== undefined,
  }
}

export function checkAccess(access: Access | undefined, flows: FlowReader): Iterable<Fault> {
  return thrown('', () => readAccess(access, flows))
}
