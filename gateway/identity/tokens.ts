/**
 * Tokens: how a secret is made, what of it is kept, and how it is checked (R33, threats S1 and
 * K13).
 */
import type { TokenRecord } from '../store/store.ts'
import { proveSecret, type SecretProof } from './prove-secret.ts'
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

export function isRevoked({ hash }: Pick<TokenRecord, 'hash'>): boolean {
  return hash.every((byte) => byte === 0)
}

export type TokenProof = SecretProof<TokenRecord>

/** See `proveSecret`. */
export function proveToken(
  tokens: Finder<TokenRecord>,
  secret: string,
  now: number,
): TokenProof | Promise<TokenProof> {
  return proveSecret(KIND, tokens, secret, now)
}
