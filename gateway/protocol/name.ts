/** Names of accounts, rooms, clients and groups: slugs or UUIDs (spec section 2). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from './codes.ts'

/** Characters of a slug, all of them ASCII. */
export const SLUG_CHARS_MAX = 63

/** First segments of URL paths that lead elsewhere; no slug is one of them. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set([
  'console',
  'healthz',
  'livez',
  'metrics',
  'mqtt',
  'readyz',
  'user',
  'v1',
  'v2',
])

const SLUG = /^[a-z0-9][a-z0-9-]*$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const UUID_CHARS = 36

/** True for the usual text form of a UUID, in either case. */
export function isUuid(text: string): boolean {
  return text.length === UUID_CHARS && UUID.test(text)
}

/**
 * Reads a slug or a UUID; a UUID comes back in lower case. `what` names it in the refusal:
 * NAME_TOO_LONG or ADDRESS_INVALID.
 */
export function parseName(text: string, what: string): string {
  if (isUuid(text)) return text.toLowerCase()
  checkSlug(text, what)
  return text
}

/** Refuses what may not be given as a new name: anything but a slug, UUIDs among them. */
export function checkSlug(text: string, what: string): void {
  if (text.length > SLUG_CHARS_MAX) {
    throw new Refusal(Code.NAME_TOO_LONG, `the ${what} is over ${SLUG_CHARS_MAX} characters`)
  }
  const wrong = wrongSlug(text)
  if (wrong) throw invalid(`the ${what} ${wrong}`)
}

function wrongSlug(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (text.startsWith('-')) return 'starts with -'
  if (!SLUG.test(text)) {
    return SLUG.test(text.toLowerCase())
      ? 'has upper-case letters'
      : 'has characters other than a-z, 0-9 and -'
  }
  if (isUuid(text)) return 'has the shape of a UUID'
  if (RESERVED_WORDS.has(text)) return 'is a reserved word'
  return undefined
}

export function invalid(detail: string): Refusal {
  return new Refusal(Code.ADDRESS_INVALID, detail)
}
