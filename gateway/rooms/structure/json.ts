/** Messages of JSON, with or without a JSON Schema. */
import type { Json } from '@porthouse/proto/room/v1/messages'
import type { Structure } from '../../router/structure.ts'
import { Budget } from './budget.ts'
import { contentOf, PAYLOAD } from './content.ts'
import { parseJson } from './json-text.ts'
import { contentInvalid } from './misfit.ts'
import { readSchema } from './schema/read.ts'
import { evaluate } from './schema/schema.ts'

/** Throws an Error, for an admin, where the schema cannot be used. */
export function readJsonStructure(json: Json): Structure {
  const schema = json.schema === '' ? undefined : readSchema(json.schema)
  return {
    admit(envelope) {
      const content = contentOf(envelope)
      const value = parseJson(content)
      if (!schema) return envelope
      const fault = evaluate(schema, value, { budget: new Budget(content.length), depth: 0 })
      if (fault) throw contentInvalid(fault)
      return envelope
    },
    // A payload was found to be UTF-8 before it was let in.
    textOf: (body) => (body.content === PAYLOAD ? contentOf(body).toString('utf8') : undefined),
  }
}
