/** Secrets as people are shown them: what they are of, whose they are, and 32 random bytes. */

/** Longer than any secret; anything longer is refused before it is parsed or hashed (K17). */
const SECRET_CHARS_MAX = 128

/** After the kind and `_`: an id as 32 hex digits, `_`, 32 bytes as base64url. */
const SHOWN = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$/

export interface Secret {
  /** UUID. */
  readonly id: string
  readonly random: Buffer
}

export function showSecret(kind: string, id: string, random: Uint8Array): string {
  return `${kind}_${id.replaceAll('-', '')}_${Buffer.from(random).toString('base64url')}`
}

/** Reads a secret as it was shown; undefined: it is none of this kind. */
export function readSecret(kind: string, shown: string): Secret | undefined {
  if (shown.length > SECRET_CHARS_MAX || !shown.startsWith(`${kind}_`)) return undefined
  const match = SHOWN.exec(shown.slice(kind.length + 1))
  if (!match) return undefined
  const random = Buffer.from(match[6]!, 'base64url')
  // The last character has two bits to spare; a secret has one form.
  if (random.toString('base64url') !== match[6]) return undefined
  return { id: match.slice(1, 6).join('-'), random }
}
