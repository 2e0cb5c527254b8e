/**
 * Arrays as PostgreSQL reads them, one parameter for any number of rows: the driver would ask for
 * each array's type, and writes them slower.
 */
import { StoreError } from '../../store.ts'

/** Of numbers or UUIDs. */
export function plainArray(values: readonly (number | string)[]): string {
  return `{${values.join()}}`
}

/** Rejects what PostgreSQL's text cannot hold as `invalid` (threat S2). */
export function textArray(values: readonly string[]): string {
  return `{${values.map(quoted).join()}}`
}

export function bytesArray(values: readonly (Uint8Array | undefined)[]): string {
  return `{${values.map((value) => (value ? `"\\\\x${hexOf(value)}"` : 'NULL')).join()}}`
}

export function hexOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex')
}

function quoted(text: string): string {
  return `"${keptWhole(text).replaceAll(/["\\]/g, '\\$&')}"`
}

/** The same text, which is read back as it was written. */
export function keptWhole(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text
  throw new StoreError('invalid', 'text that no database holds', undefined, true)
}
