/** How connection keys of an account are made, and rotated with an overlap (R1). */
import type { Credential, Credentials } from '../store/store.ts'
import { newConnectionKey, SALT_BYTES } from './connection-keys.ts'

const SECRET_BYTES = 32

export interface KeyParts {
  readonly credentials: Pick<Credentials, 'add' | 'delete' | 'expire'>
  /** So many bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
  /** A new UUID. */
  readonly newId: () => string
}

export interface WantedKey {
  readonly account: string
  readonly label: string
  readonly expiresAt?: Date
}

export interface MadeKey {
  readonly record: Credential
  /** Shown once, never kept. */
  readonly secret: string
}

export async function makeKey(
  { credentials, random, newId }: KeyParts,
  wanted: WantedKey,
): Promise<MadeKey> {
  const id = newId()
  const { secret, data } = newConnectionKey(id, random(SECRET_BYTES), random(SALT_BYTES))
  const record = await credentials.add({ id, kind: 'connection-key', data, ...wanted })
  return { record, secret }
}

/** When a key ends that is good until `end` at most: an overlap never lengthens its life. */
export function endOf({ expiresAt }: Pick<Credential, 'expiresAt'>, end: Date): Date {
  return expiresAt && expiresAt < end ? expiresAt : end
}

/** Makes a key in place of one that goes on until `end` at most. */
export async function replaceKey(
  parts: KeyParts,
  before: Credential,
  { end, expiresAt }: { readonly end: Date; readonly expiresAt?: Date | undefined },
): Promise<{ readonly made: MadeKey; readonly old: Credential }> {
  const { account, label } = before
  const wanted = { account: account.id, label, ...(expiresAt && { expiresAt }) }
  const made = await makeKey(parts, wanted)
  try {
    return { made, old: await parts.credentials.expire(before.id, endOf(before, end)) }
  } catch (error) {
    // Nobody was told the secret of the new one.
    await parts.credentials.delete(made.record.id).catch(() => false)
    throw error
  }
}
