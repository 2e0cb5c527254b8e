/** Options of acceptors, a JSON object each: read strictly, so that a typing error is told. */
import { z } from 'zod'
import { Faults } from '../fault.ts'

const NONE = z.strictObject({})

/** Of an acceptor that has none. Throws an Error where some are given. */
export function noOptions(options: unknown): undefined {
  readObject(NONE, options)
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
