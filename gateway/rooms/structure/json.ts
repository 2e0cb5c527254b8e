/** Messages of JSON, with or without a JSON Schema. */
import type { Json } from '@porthouse/proto/room/v1/messages'
import type { Structure } from '../../router/structure.ts'
import { contentOf, PAYLOAD } from './content.ts'
import { parseJson } from './json-text.ts'
import { readSchema } from './schema/schema.ts'

/** Throws an Error, for an admin, where the schema cannot be used. */
export function readJsonStructure(json: Json): Structure {
  const check = json.schema === '' ? undefined : readSchema(json.schema)
  return {
    admit(envelope) {
      const content = contentOf(envelope)
      const value = parseJson(content)
      check?.(value, content.length)
      return envelope
    },
    // A payload was found to be UTF-8 before it was let in.
    textOf: (body) => (body.content === PAYLOAD ? contentOf(body).toString('utf8') : undefined),
  }
}
