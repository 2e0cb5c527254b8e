/**
 * Tokens: how a secret is made, what of it is kept, and how it is checked (R33, threats S1 and
 * K13).
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { TokenRecord } from '../store/store.ts'
import type { Finder } from './record-cache.ts'

/** `pht_`, the token's id as 32 hex digits, `_`, 32 random bytes as base64url. */
const SECRET =
  /^pht_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$/

/** Longer than any secret; anything longer is refused before it is parsed or hashed (K17). */
const SECRET_CHARS_MAX = 128

export interface NewToken {
  /** UUID. */
  readonly id: string
  /** Shown once, never kept. */
  readonly secret: string
  /** What is kept. */
  readonly hash: Uint8Array
}

/** Makes a token from an id (UUID) and 32 random bytes. */
export function newToken(id: string, random: Uint8Array): NewToken {
  const secret = `pht_${id.replaceAll('-', '')}_${Buffer.from(random).toString('base64url')}`
  return { id, secret, hash: hashOf(random) }
}

/** What a revoked token has in place of a hash: no secret has that one. */
export const REVOKED_HASH = new Uint8Array(32)

export function isRevoked({ hash }: TokenRecord): boolean {
  return hash.every((byte) => byte === 0)
}

export type TokenProof =
  | { readonly outcome: 'proved'; readonly token: TokenRecord }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'expired' }

const UNKNOWN: TokenProof = { outcome: 'unknown' }

/**
 * Looks a secret up by the id in it and compares hashes in constant time. A secret that is
 * malformed, unknown or wrong is `unknown` alike; `expired` is told only to who holds the right
 * secret. Rejects with the store's error where the store is away: never a pass (A18).
 */
export function proveToken(
  tokens: Finder<TokenRecord>,
  secret: string,
  now: number,
): TokenProof | Promise<TokenProof> {
  const match = secret.length <= SECRET_CHARS_MAX ? SECRET.exec(secret) : null
  const random = Buffer.from(match?.[6] ?? '', 'base64url')
  // The last character has two bits to spare; a token has one form.
  if (!match || random.toString('base64url') !== match[6]) return UNKNOWN
  const id = match.slice(1, 6).join('-')
  const shown = hashOf(random)
  const recent = judge(tokens.recent?.(id), shown, now)
  // What is wrong for a token that was just read takes as long as for one that is not there.
  return recent === UNKNOWN ? tokens.find(id).then((token) => judge(token, shown, now)) : recent
}

function judge(token: TokenRecord | undefined, shown: Buffer, now: number): TokenProof {
  if (!token || !timingSafeEqual(shown, token.hash)) return UNKNOWN
  if (token.expiresAt && token.expiresAt.getTime() <= now) return { outcome: 'expired' }
  return { outcome: 'proved', token }
}

function hashOf(random: Uint8Array): Buffer {
  return hash('sha256', random, 'buffer')
}
