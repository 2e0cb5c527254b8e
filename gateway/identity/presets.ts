/** Predefined challenges and responses of devices (R4). */
import { isSha256Of, sha256 } from './sha256.ts'

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

/** Why these cannot be a preset. */
export function presetFault(parts: {
  readonly challenge: Uint8Array
  readonly response: Uint8Array
}): string | undefined {
  for (const [name, { length }] of Object.entries(parts)) {
    if (length === 0) return `the ${name} is empty`
    if (length > PRESET_BYTES_MAX) return `the ${name} is over 1,024 bytes`
  }
  return undefined
}

/** Throws an Error where the challenge or response is empty or too long. */
export function newPreset(
  challenge: Uint8Array,
  response: Uint8Array,
  salt: Uint8Array,
): { readonly [K in keyof PresetData]: PresetData[K] } {
  const fault = presetFault({ challenge, response })
  if (fault) throw new Error(fault)
  return {
    challenge: Buffer.from(challenge).toString('base64'),
    salt: Buffer.from(salt).toString('base64'),
    hash: sha256(Buffer.concat([salt, response])).toString('base64'),
  }
}

/** Whether it is the response that was kept. */
export function isResponse(response: Uint8Array, { salt, hash }: PresetData): boolean {
  const salted = Buffer.concat([Buffer.from(salt, 'base64'), response])
  return isSha256Of(salted, Buffer.from(hash, 'base64'))
}
