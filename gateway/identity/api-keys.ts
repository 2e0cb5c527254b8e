/** API keys of the admin API: a kind of their own, which opens no socket (threat C12). */
import type { ApiKeyRecord } from '../store/administration.ts'
import { proveSecret, type SecretProof } from './prove-secret.ts'
import type { Finder } from './record-cache.ts'
import { showSecret } from './secret.ts'
import { sha256 } from './sha256.ts'

/** What an API key starts with. */
const KIND = 'pha'

export interface NewApiKey {
  /** UUID. */
  readonly id: string
  /** Shown once, never kept. */
  readonly secret: string
  /** What is kept. */
  readonly hash: Uint8Array
}

/** Makes a key from an id (UUID) and 32 random bytes. */
export function newApiKey(id: string, random: Uint8Array): NewApiKey {
  return { id, secret: showSecret(KIND, id, random), hash: sha256(random) }
}

/** See `proveSecret`. */
export function proveApiKey(
  keys: Finder<ApiKeyRecord>,
  secret: string,
  now: number,
): SecretProof<ApiKeyRecord> | Promise<SecretProof<ApiKeyRecord>> {
  return proveSecret(KIND, keys, secret, now)
}
