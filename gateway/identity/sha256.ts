/** SHA-256, of what is short enough to be hashed in one go. */
import { hash, timingSafeEqual } from 'node:crypto'

export function sha256(data: string | Uint8Array): Buffer {
  return hash('sha256', data, 'buffer')
}

/** Compares what was shown with the hash of what is right, in constant time (K13). */
export function isSha256Of(shown: string | Uint8Array, right: Uint8Array): boolean {
  return timingSafeEqual(sha256(shown), right)
}
