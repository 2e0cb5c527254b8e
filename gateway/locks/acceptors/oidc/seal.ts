/**
 * What a browser keeps for the gateway between two requests and can neither read nor change:
 * sealed by a key of this process (AES-256-GCM), so that logins under way cost no memory.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'

const IV_BYTES = 12
const TAG_BYTES = 16

export class Seal {
  readonly #key: Uint8Array
  readonly #random: (bytes: number) => Uint8Array

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random
    this.#key = random(32)
  }

  close(value: unknown): string {
    const iv = this.#random(IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv)
    const sealed = [iv, cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(sealed).toString('base64url')
  }

  /** The value that `close` was given; undefined where it is not ours. */
  open(text: string): unknown {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined
    const iv = bytes.subarray(0, IV_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, iv, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    try {
      const plain = [decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]
      return JSON.parse(Buffer.concat(plain).toString())
    } catch {
      return undefined
    }
  }
}
