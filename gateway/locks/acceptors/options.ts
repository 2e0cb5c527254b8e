/** Options of acceptors, a JSON object each: read strictly, so that a typing error is told. */
import type { JsonObject } from '@bufbuild/protobuf'
import { z } from 'zod'
import { Faults } from '../fault.ts'

const NONE = z.strictObject({})

/** Of an acceptor that has none. */
export const NO_OPTIONS = {
  readOptions(options: unknown): undefined {
    readObject(NONE, options)
  },
  optionsSchema: () => jsonSchema(NONE),
}

/** What an acceptor says of its options where a schema says all. */
export function optionsOf<Schema extends z.ZodType>(schema: Schema) {
  return {
    readOptions: (options: unknown) => readObject(schema, options),
    optionsSchema: () => jsonSchema(schema),
  }
}

/** As they are written, which may be another thing than what is read of them. */
export function jsonSchema(schema: z.ZodType): JsonObject {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonObject
}

/** Throws Faults that name the wrong options. */
export function readObject<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
): z.output<Schema> {
  const error = ({ input }: { input?: unknown }) => (input === undefined ? 'missing' : undefined)
  const read = schema.safeParse(options, { error })
  if (read.success) return read.data
  const faults = read.error.issues.map(({ path, message }) => ({
    path: ['options', ...path].join('.'),
    reason: message,
  }))
  throw new Faults(faults)
}

/** A SHA-256 as 64 hex digits, read as its bytes. */
export const sha256Hex = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'not a SHA-256 as 64 hex digits')
  .transform((hex) => Buffer.from(hex, 'hex'))
