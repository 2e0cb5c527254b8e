/** Who gets into a room, as short as an admin would like to write it. */
import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { AccessSchema } from '@porthouse/proto/room/v1/access'
import type { Block } from '@porthouse/proto/room/v1/config'

/** An acceptor's name stands for its lock. */
export type Spec = string | JsonObject

export const lock = (acceptor: string, options: JsonObject = {}, more: JsonObject = {}) => ({
  lock: { acceptor, options, ...more },
})
export const all = (...specs: Spec[]): JsonObject => ({ all: { flows: specs.map(flow) } })
export const any = (...specs: Spec[]): JsonObject => ({ any: { flows: specs.map(flow) } })

function flow(spec: Spec): JsonValue {
  return typeof spec === 'string' ? lock(spec) : spec
}

export function guardedBy(spec: Spec, more: JsonObject = {}): Block['kind'] {
  return { case: 'access', value: fromJson(AccessSchema, { flow: flow(spec), ...more }) }
}
