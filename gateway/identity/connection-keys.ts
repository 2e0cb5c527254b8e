/**
 * Connection keys of an account (R1), proved by SCRAM-SHA-256 (RFC 5802, RFC 7677) with one change:
 * what both sides sign is the login message, so that no gateway can relay it. The key never crosses
 * the wire, and what is kept of it can check a proof but not make one.
 */
import { createHmac, createSecretKey, pbkdf2Sync } from 'node:crypto'
import { type LoginMessage, loginMessage } from './login-message.ts'
import { readSecret, type Secret, showSecret } from './secret.ts'
import { isSha256Of, sha256 } from './sha256.ts'
import { sshString } from './ssh-wire.ts'

/** What a key starts with. */
const KIND = 'phk'

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
  return {
    secret: showSecret(KIND, id, random),
    data: {
      salt: Buffer.from(salt).toString('base64'),
      iterations: ITERATIONS,
      storedKey: sha256(clientKey).toString('base64'),
      serverKey: serverKey.toString('base64'),
    },
  }
}

/** Reads a key as it was shown, `phk_…`; undefined: it is none. */
export function parseConnectionKey(shown: string): Secret | undefined {
  return readSecret(KIND, shown)
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
  return isSha256Of(clientKey, storedKey) && right ? serverSignature : undefined
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

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!))
}
