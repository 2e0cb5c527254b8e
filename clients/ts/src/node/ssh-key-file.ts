import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Answerer } from '../answerer.ts'
import { sshKey } from '../answerers/ssh-key.ts'
import { PorthouseError } from '../error.ts'
import { sshStrings } from '../login-message.ts'
import { NEEDS_PASSPHRASE, sshNumber } from './ssh-reader.ts'
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
  let reading: Promise<KeyObject> | undefined
  return sshKey({
    client,
    async sign(message) {
      reading ??= read(path, passphrase)
      // A file that was mended is read again.
      reading.catch(() => {
        reading = undefined
      })
      const { key, publicKey, scheme } = usable(path, await reading)
      return sshsig(publicKey, message, (bytes) => signRaw(key, scheme, bytes))
    },
  })
}

/** No private key comes near it. */
const FILE_BYTES_MAX = 64 * 1024

type Passphrase = SshKeyFileOptions['passphrase']

async function read(path: string, passphrase: Passphrase): Promise<KeyObject> {
  try {
    const file = await readFile(path, 'utf8')
    if (file.length > FILE_BYTES_MAX) throw new Error('it is too large for a key')
    if (typeof passphrase !== 'function') return await open(file, passphrase)
    try {
      return await open(file)
    } catch (error) {
      const given = isSealed(error) ? await passphrase() : undefined
      if (given === undefined) throw error
      return await open(file, given)
    }
  } catch (cause) {
    throw unusable(path, cause instanceof Error ? cause.message : '', cause)
  }
}

async function open(file: string, passphrase?: string): Promise<KeyObject> {
  // Loaded here: whoever has no key file does not wait for it.
  const { isOpensshKey, readOpensshKey } = await import('./openssh-key.ts')
  if (isOpensshKey(file)) return readOpensshKey(file, passphrase)
  if (passphrase !== undefined) return createPrivateKey({ key: file, passphrase })
  if (file.includes('ENCRYPTED')) throw new Error(NEEDS_PASSPHRASE)
  return createPrivateKey(file)
}

function isSealed(error: unknown): boolean {
  return error instanceof Error && error.message === NEEDS_PASSPHRASE
}

/** The algorithm's name in a signature, its hash, and for ECDSA the bytes of a number in it. */
type Scheme = readonly [name: string, hash: string | null, size?: number]

const SCHEMES: Readonly<Record<string, Scheme>> = {
  Ed25519: ['ssh-ed25519', null],
  'P-256': ['ecdsa-sha2-nistp256', 'sha256', 32],
  'P-384': ['ecdsa-sha2-nistp384', 'sha384', 48],
  'P-521': ['ecdsa-sha2-nistp521', 'sha512', 66],
  RSA: ['rsa-sha2-512', 'sha512'],
}

function usable(path: string, key: KeyObject) {
  const jwk = isAsked(key) ? createPublicKey(key).export({ format: 'jwk' }) : {}
  const scheme = SCHEMES[jwk.crv ?? jwk.kty ?? '']
  if (!scheme) throw unusable(path, `a key of ${key.asymmetricKeyType} is not taken`)
  return { key, publicKey: publicKeyOf(jwk, scheme), scheme }
}

function isAsked({ asymmetricKeyType: type }: KeyObject): boolean {
  return type === 'ed25519' || type === 'ec' || type === 'rsa'
}

/** As SSH writes it (RFC 4253 section 6.6, RFC 5656, RFC 8709). */
function publicKeyOf({ kty, x, y, n, e }: JsonWebKey, [name]: Scheme): Uint8Array {
  const [point, other, modulus, exponent] = [x, y, n, e].map((each) =>
    Buffer.from(each ?? '', 'base64url'),
  ) as [Buffer, Buffer, Buffer, Buffer]
  if (kty === 'RSA') return sshStrings('ssh-rsa', sshNumber(exponent), sshNumber(modulus))
  if (kty === 'OKP') return sshStrings(name, point)
  const inFull = Buffer.concat([Buffer.of(4), point, other])
  return sshStrings(name, name.slice('ecdsa-sha2-'.length), inFull)
}

const signAside = promisify(sign)

async function signRaw(
  key: KeyObject,
  [name, hash, size]: Scheme,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  if (size === undefined) return sshStrings(name, await signAside(hash, bytes, key))
  const numbers = await signAside(hash, bytes, { key, dsaEncoding: 'ieee-p1363' })
  const halves = [numbers.subarray(0, size), numbers.subarray(size)]
  return sshStrings(name, sshStrings(...halves.map(sshNumber)))
}

function unusable(path: string, why: string, cause?: unknown): PorthouseError {
  return new PorthouseError('UNAUTHENTICATED', { detail: `${path} cannot be used: ${why}`, cause })
}
