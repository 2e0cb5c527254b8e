import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Answerer } from '../answerer.ts'
import { sshKey } from '../answerers/ssh-key.ts'
import { PorthouseError } from '../error.ts'
import { sshStrings } from '../login-message.ts'
import { sshsig } from './sshsig.ts'

export interface SshKeyFileOptions {
  /** Who logs in: `ACCOUNT/CLIENT`, with or without its `client:`. */
  readonly client: string
  /** Of a private key: OpenSSH's own format, PKCS #1, #8 or SEC 1. */
  readonly path: string
  /** For a file that is encrypted; asked for once, when it is needed. */
  readonly passphrase?: string | (() => Promise<string | undefined>) | undefined
}

/**
 * Proves a client by a private key: Ed25519, ECDSA on a NIST curve, RSA. The file is read when a
 * lock asks for it; what is wrong with it rejects with UNAUTHENTICATED.
 */
export function sshKeyFile({ client, path, passphrase }: SshKeyFileOptions): Answerer {
  let reading: Promise<PrivateKey> | undefined
  return sshKey({
    client,
    async sign(message) {
      reading ??= read(path, passphrase)
      // A file that was mended is read again.
      reading.catch(() => {
        reading = undefined
      })
      const key = await reading
      return sshsig(key.publicBlob, message, (bytes) => signRaw(key, bytes))
    },
  })
}

interface PrivateKey {
  readonly key: KeyObject
  readonly publicBlob: Uint8Array
  readonly scheme: Scheme
}

/** The algorithm's name in the signature, its hash, and the bytes of a number in it (ECDSA). */
type Scheme = readonly [name: string, hash: string | null, size?: number]

const SCHEMES: Readonly<Record<string, Scheme>> = {
  ed25519: ['ssh-ed25519', null],
  rsa: ['rsa-sha2-512', 'sha512'],
  nistp256: ['ecdsa-sha2-nistp256', 'sha256', 32],
  nistp384: ['ecdsa-sha2-nistp384', 'sha384', 48],
  nistp521: ['ecdsa-sha2-nistp521', 'sha512', 66],
}

/** No private key comes near it. */
const FILE_BYTES_MAX = 64 * 1024

async function read(
  path: string,
  passphrase: SshKeyFileOptions['passphrase'],
): Promise<PrivateKey> {
  // Loaded here: whoever has no key file does not wait for it.
  const { default: sshpk } = await import('sshpk')
  const file = await readFile(path).catch((cause) => {
    throw unusable(path, cause.message, cause)
  })
  if (file.length > FILE_BYTES_MAX) throw unusable(path, 'it is too large for a key')
  try {
    const parsed = await parse(sshpk.parsePrivateKey, file, passphrase)
    const scheme = SCHEMES[(parsed.type === 'ecdsa' && parsed.curve) || parsed.type]
    if (!scheme) throw new Error(`a key of ${parsed.type} is not taken`)
    const key = createPrivateKey({ key: parsed.toBuffer('pkcs8') })
    return { key, publicBlob: parsed.toPublic().toBuffer('rfc4253'), scheme }
  } catch (cause) {
    throw unusable(path, cause instanceof Error ? cause.message : '', cause)
  }
}

type Parse = typeof import('sshpk').parsePrivateKey

async function parse(
  parsePrivateKey: Parse,
  file: Buffer,
  passphrase: SshKeyFileOptions['passphrase'],
) {
  if (typeof passphrase === 'string') return parsePrivateKey(file, 'auto', { passphrase })
  try {
    return parsePrivateKey(file, 'auto')
  } catch (error) {
    const encrypted = error instanceof Error && error.name === 'KeyEncryptedError'
    const given = encrypted ? await passphrase?.() : undefined
    if (!encrypted || given === undefined) throw error
    return parsePrivateKey(file, 'auto', { passphrase: given })
  }
}

const signAside = promisify(sign)

async function signRaw({ key, scheme }: PrivateKey, bytes: Uint8Array): Promise<Uint8Array> {
  const [name, hash, size] = scheme
  if (size === undefined) return sshStrings(name, await signAside(hash, bytes, key))
  const numbers = await signAside(hash, bytes, { key, dsaEncoding: 'ieee-p1363' })
  const halves = [numbers.subarray(0, size), numbers.subarray(size)]
  return sshStrings(name, sshStrings(...halves.map(positive)))
}

/** As SSH's mpint: without leading zeros, but for one that keeps it positive (RFC 4251). */
function positive(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0)
  const digits = number.subarray(first)
  return digits[0]! > 0x7f ? Uint8Array.of(0, ...digits) : digits
}

function unusable(path: string, why: string, cause?: unknown): PorthouseError {
  return new PorthouseError('UNAUTHENTICATED', { detail: `${path} cannot be used: ${why}`, cause })
}
