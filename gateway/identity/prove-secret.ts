/** Whether a secret is one that was given out: tokens and API keys alike (threats K13, K14). */
import { timingSafeEqual } from 'node:crypto'
import { isExpired } from './expiry.ts'
import type { Finder } from './record-cache.ts'
import { readSecret } from './secret.ts'
import { sha256 } from './sha256.ts'

/** What is kept of a secret. */
export interface SecretRecord {
  /** SHA-256 of the secret's 32 random bytes. */
  readonly hash: Uint8Array
  readonly expiresAt?: Date
}

export type SecretProof<Found> =
  | { readonly outcome: 'proved'; readonly record: Found }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'expired' }

const UNKNOWN = { outcome: 'unknown' } as const

/**
 * Looks a secret up by the id in it and compares hashes in constant time. A secret that is
 * malformed, unknown or wrong is `unknown` alike; `expired` is told only to who holds the right
 * secret. Rejects with the store's error where the store is away: never a pass (A18).
 */
export function proveSecret<Found extends SecretRecord>(
  kind: string,
  records: Finder<Found>,
  secret: string,
  now: number,
): SecretProof<Found> | Promise<SecretProof<Found>> {
  const read = readSecret(kind, secret)
  if (!read) return UNKNOWN
  const { id, random } = read
  const shown = sha256(random)
  const recent = judge(records.recent?.(id), shown, now)
  // What is wrong for a record that was just read takes as long as for one that is not there.
  return recent === UNKNOWN ? records.find(id).then((record) => judge(record, shown, now)) : recent
}

function judge<Found extends SecretRecord>(
  record: Found | undefined,
  shown: Buffer,
  now: number,
): SecretProof<Found> {
  if (!record || !timingSafeEqual(shown, record.hash)) return UNKNOWN
  if (isExpired(record, now)) return { outcome: 'expired' }
  return { outcome: 'proved', record }
}
