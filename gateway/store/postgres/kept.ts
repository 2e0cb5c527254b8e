/** What is kept as it was given, or refused as `invalid` (threat S2). */
import { StoreError } from '../store.ts'

const TEXT_CHARS_MAX = 1_000
const JSON_CHARS_MAX = 65_536

/** Text for people, of at most 1,000 characters; PostgreSQL's text cannot hold the character 0. */
export function keptText(text: string, what: string): string {
  if (text.length > TEXT_CHARS_MAX)
    throw invalid(`the ${what} is over ${TEXT_CHARS_MAX} characters`)
  if (text.includes('\0') || !text.isWellFormed()) {
    throw invalid(`the ${what} has characters that cannot be kept`)
  }
  return text
}

/** JSON of at most 65,536 characters; the database checks what is in its texts. */
export function keptJson(value: unknown, what: string): string {
  const json = JSON.stringify(value)
  if (json.length > JSON_CHARS_MAX)
    throw invalid(`the ${what} is over ${JSON_CHARS_MAX} characters`)
  return json
}

function invalid(message: string): StoreError {
  return new StoreError('invalid', message)
}
