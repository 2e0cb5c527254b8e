/** Predefined challenges and responses of devices (R4). */
import { createHash, timingSafeEqual } from 'node:crypto'

/** A challenge, and a response; in bytes. */
export const PRESET_BYTES_MAX = 1024
export const PRESET_SALT_BYTES = 16

/**
 * What is kept of a client's preset; bytes as base64. One round of SHA-256 is fast, for devices and
 * for whoever steals it: a response is to be random bytes, not a word.
 */
export interface PresetData {
  readonly challenge: string
  readonly salt: string
  /** SHA-256 of salt and response. */
  readonly hash: string
}

/** Throws an Error where the challenge or response is empty or too long. */
export function newPreset(
  challenge: Uint8Array,
  response: Uint8Array,
  salt: Uint8Array,
): { readonly [K in keyof PresetData]: PresetData[K] } {
  for (const [name, { length }] of Object.entries({ challenge, response })) {
    if (length === 0) throw new Error(`the ${name} is empty`)
    if (length > PRESET_BYTES_MAX) throw new Error(`the ${name} is over 1,024 bytes`)
  }
  return {
    challenge: Buffer.from(challenge).toString('base64'),
    salt: Buffer.from(salt).toString('base64'),
    hash: sha256(salt, response).toString('base64'),
  }
}

/** Whether it is the response that was kept. */
export function isResponse(response: Uint8Array, { salt, hash }: PresetData): boolean {
  return isSha256Of(response, Buffer.from(hash, 'base64'), Buffer.from(salt, 'base64'))
}

/** Compares SHA-256 of salt and bytes with a hash, in constant time (K13). */
export function isSha256Of(
  bytes: Uint8Array,
  hash: Uint8Array,
  salt: Uint8Array = new Uint8Array(),
): boolean {
  return timingSafeEqual(sha256(salt, bytes), hash)
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
