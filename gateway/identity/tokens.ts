/**
 * Tokens: how a secret is made, what of it is kept, and how it is checked (R33, threats S1 and
 * K13).
 */
import { timingSafeEqual } from 'node:crypto'
import type { TokenRecord } from '../store/store.ts'
import { isExpired } from './expiry.ts'
import type { Finder } from './record-cache.ts'
import { readSecret, showSecret } from './secret.ts'
import { sha256 } from './sha256.ts'

/** What a token starts with. */
const KIND = 'pht'

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
  return { id, secret: showSecret(KIND, id, random), hash: sha256(random) }
}

/** Whether a text is a token's secret by its form, which says nothing of whether it is good. */
export function isTokenSecret(text: string): boolean {
  return readSecret(KIND, text) !== undefined
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
  const read = readSecret(KIND, secret)
  if (!read) return UNKNOWN
  const { id, random } = read
  const shown = sha256(random)
  const recent = judge(tokens.recent?.(id), shown, now)
  // What is wrong for a token that was just read takes as long as for one that is not there.
  return recent === UNKNOWN ? tokens.find(id).then((token) => judge(token, shown, now)) : recent
}

function judge(token: TokenRecord | undefined, shown: Buffer, now: number): TokenProof {
  if (!token || !timingSafeEqual(shown, token.hash)) return UNKNOWN
  if (isExpired(token, now)) return { outcome: 'expired' }
  return { outcome: 'proved', token }
}
