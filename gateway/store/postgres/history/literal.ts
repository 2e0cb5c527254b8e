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
  // A batch has few senders and channels: each is looked at once.
  const seen = new Map<string, string>()
  for (const value of values) if (!seen.has(value)) seen.set(value, quoted(value))
  return `{${values.map((value) => seen.get(value)).join()}}`
}

export function bytesArray(values: readonly (Uint8Array | undefined)[]): string {
  // Added up, it is copied once, when it is written; joined, twice.
  let array = '{'
  for (const value of values) {
    if (array.length > 1) array += ','
    array += value ? `"\\\\x${hexOf(value)}"` : 'NULL'
  }
  return `${array}}`
}

/** All of them in one text, base64, and where each starts in what it stands for, from 1. */
export function joined(values: readonly Uint8Array[]): { text: string; starts: number[] } {
  let next = 1
  const starts = values.map(({ length }) => {
    next += length
    return next - length
  })
  return { text: Buffer.concat(values).toString('base64'), starts }
}

export function hexOf(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes
  const own = bytes instanceof Buffer ? bytes : Buffer.from(buffer, byteOffset, byteLength)
  return own.toString('hex')
}

function quoted(text: string): string {
  return `"${keptWhole(text).replaceAll(/["\\]/g, '\\$&')}"`
}

/** The same text, which is read back as it was written. */
export function keptWhole(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text
  throw new StoreError('invalid', 'text that no database holds', undefined, true)
}
