/**
 * What of a config would be lost where it is kept, as Protobuf JSON: fields of a later version, and
 * what JSON cannot hold.
 */
import { toJson } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import type { Fault } from '../locks/fault.ts'

export function* lostIn(config: Config): Iterable<Fault> {
  try {
    JSON.stringify(toJson(ConfigSchema, config))
  } catch {
    yield { path: '', reason: 'a config with what JSON cannot hold, or nested too deep' }
    return
  }
  yield* unknownIn(reflect(ConfigSchema, config), '')
}

/** A lock that is dropped unread would be one that nobody has to open. */
function* unknownIn(message: ReflectMessage, path: string): Iterable<Fault> {
  if (message.getUnknown()?.length) yield { path, reason: 'a field that is not known here' }
  for (const field of message.fields) {
    if (!message.isSet(field)) continue
    const inner = path === '' ? field.jsonName : `${path}.${field.jsonName}`
    if (field.fieldKind === 'message') yield* unknownIn(message.get(field), inner)
    else if (field.fieldKind === 'list' && field.listKind === 'message') {
      for (const [i, item] of [...message.get(field)].entries()) {
        yield* unknownIn(item as ReflectMessage, `${inner}[${i}]`)
      }
    }
  }
}
