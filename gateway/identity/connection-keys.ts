/**
 * Connection keys of an account (R1), proved by SCRAM-SHA-256 (RFC 5802, RFC 7677) with one change:
 * what both sides sign is the login message, so that no gateway can relay it. The key never crosses
 * the wire, and what is kept of it can check a proof but not make one.
 */
import { createHash, createHmac, createSecretKey, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { type LoginMessage, loginMessage } from './login-message.ts'
import { sshString } from './ssh-wire.ts'

/** `phk_`, the key's id as 32 hex digits, `_`, 32 random bytes as base64url. */
const SECRET =
  /^phk_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$/

const SECRET_CHARS_MAX = 128

/** Rounds make guessing slower, and 256 random bits cannot be guessed: so the least of RFC 7677. */
const ITERATIONS = 4096

const HASH_BYTES = 32
export const SALT_BYTES = 16

/** What is kept of a key; bytes as base64. */
export interface KeyData {
  readonly salt: string
  /** Of PBKDF2. */
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

export interface NewConnectionKey {
  /** Shown once, never kept. */
  readonly secret: string
  readonly data: { readonly [K in keyof KeyData]: KeyData[K] }
}

/** Makes a key from an id (UUID), 32 random bytes, and 16 more as salt. */
export function newConnectionKey(
  id: string,
  random: Uint8Array,
  salt: Uint8Array,
): NewConnectionKey {
  const { clientKey, serverKey } = keysOf(random, salt, ITERATIONS)
  const encoded = Buffer.from(random).toString('base64url')
  return {
    secret: `phk_${id.replaceAll('-', '')}_${encoded}`,
    data: {
      salt: Buffer.from(salt).toString('base64'),
      iterations: ITERATIONS,
      storedKey: hash(clientKey).toString('base64'),
      serverKey: serverKey.toString('base64'),
    },
  }
}

export interface ConnectionKey {
  /** UUID. */
  readonly id: string
  readonly random: Buffer
}

/** Reads a key as it was shown; undefined: it is none. */
export function parseConnectionKey(secret: string): ConnectionKey | undefined {
  const match = secret.length <= SECRET_CHARS_MAX ? SECRET.exec(secret) : null
  if (!match) return undefined
  const random = Buffer.from(match[6]!, 'base64url')
  // The last character has two bits to spare; a key has one form.
  if (random.toString('base64url') !== match[6]) return undefined
  return { id: match.slice(1, 6).join('-'), random }
}

/** What both sides of one exchange know. */
export interface KeyExchange {
  /** `client` is the key's UUID; `nonce` the client's followed by the gateway's. */
  readonly login: LoginMessage
  readonly salt: Uint8Array
  readonly iterations: number
}

/** The login message and two strings more: the salt, and the iterations in decimal. */
export function authMessage({ login, salt, iterations }: KeyExchange): Buffer {
  return Buffer.concat([loginMessage(login), sshString(salt), sshString(String(iterations))])
}

/** What a gateway asks with for a key that it does not know: the same for each try (K14). */
export function decoy(id: string, secret: Uint8Array): KeyData {
  const [salt, storedKey, serverKey] = ['salt', 'stored', 'server'].map((what) =>
    hmac(secret, `${what} ${id}`),
  ) as [Buffer, Buffer, Buffer]
  return {
    salt: salt.subarray(0, SALT_BYTES).toString('base64'),
    iterations: ITERATIONS,
    storedKey: storedKey.toString('base64'),
    serverKey: serverKey.toString('base64'),
  }
}

/** Checks a client's proof; the gateway's own (ServerSignature), or undefined where it is wrong. */
export function checkProof(
  kept: KeyData,
  exchange: KeyExchange,
  proof: Uint8Array,
): Buffer | undefined {
  const message = authMessage(exchange)
  const storedKey = Buffer.from(kept.storedKey, 'base64')
  const right = proof.length === HASH_BYTES
  const clientKey = xor(right ? proof : Buffer.alloc(HASH_BYTES), hmac(storedKey, message))
  const serverSignature = hmac(Buffer.from(kept.serverKey, 'base64'), message)
  return timingSafeEqual(hash(clientKey), storedKey) && right ? serverSignature : undefined
}

/** ClientKey and ServerKey of RFC 5802 section 3, with the 32 random bytes as password. */
export function keysOf(random: Uint8Array, salt: Uint8Array, iterations: number) {
  const salted = pbkdf2Sync(random, salt, iterations, HASH_BYTES, 'sha256')
  return { clientKey: hmac(salted, 'Client Key'), serverKey: hmac(salted, 'Server Key') }
}

function hmac(key: Uint8Array, message: string | Uint8Array): Buffer {
  // Node takes five times as long over bytes as over a key object.
  return createHmac('sha256', createSecretKey(key)).update(message).digest()
}

function hash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!))
}
