/**
 * Private keys in OpenSSH's own format (PROTOCOL.key of OpenSSH), as ssh-keygen writes them. The
 * libraries at hand end the whole process at a file that is damaged, or know fewer ciphers; of them
 * only bcrypt's key derivation is used, which Node does not have.
 */
import { createDecipheriv, createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import bcrypt from 'bcrypt-pbkdf'
import { NEEDS_PASSPHRASE, SshReader } from './ssh-reader.ts'

const MAGIC = 'openssh-key-v1\0'
const ARMOUR =
  /^-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----$/

/** ssh-keygen has 24 unless told otherwise; this many take some seconds. */
const ROUNDS_MAX = 1000

/** Bytes of key, of initial vector and of tag; by the name in the file, which is Node's too. */
const CIPHERS: Readonly<Record<string, readonly [node: string, iv: number, tag: number]>> = {
  'aes256-ctr': ['aes-256-ctr', 16, 0],
  'aes256-cbc': ['aes-256-cbc', 16, 0],
  'aes256-gcm@openssh.com': ['aes-256-gcm', 12, 16],
}
const KEY_BYTES = 32

export function isOpensshKey(file: string): boolean {
  return file.trimStart().startsWith('-----BEGIN OPENSSH PRIVATE KEY-----')
}

/**
 * Throws an Error that says what is wrong with the file; its message is NEEDS_PASSPHRASE where the
 * file is encrypted and no passphrase was given.
 */
export function readOpensshKey(file: string, passphrase?: string): KeyObject {
  const body = ARMOUR.exec(file.trim())?.[1]
  if (body === undefined) throw new Error('its armour is damaged')
  const reader = new SshReader(Buffer.from(body, 'base64'))
  if (reader.bytes(MAGIC.length).toString('latin1') !== MAGIC) throw new Error('not version 1')
  const [cipher, kdf, kdfOptions] = [reader.name(), reader.name(), reader.string()]
  if (reader.uint32() !== 1) throw new Error('it does not hold one key')
  reader.string()
  const sealed = reader.string()
  const isPlain = cipher === 'none' && kdf === 'none'
  if (isPlain) return readPrivate(new SshReader(sealed))
  if (kdf !== 'bcrypt') throw new Error(`it is encrypted by means of ${kdf}`)
  if (passphrase === undefined) throw new Error(NEEDS_PASSPHRASE)
  return readPrivate(
    new SshReader(opened(sealed, reader.rest(), { cipher, kdfOptions, passphrase })),
  )
}

interface Seal {
  readonly cipher: string
  readonly kdfOptions: Uint8Array
  readonly passphrase: string
}

function opened(sealed: Buffer, tag: Buffer, { cipher, kdfOptions, passphrase }: Seal): Buffer {
  const known = Object.hasOwn(CIPHERS, cipher) ? CIPHERS[cipher] : undefined
  if (!known)
    throw new Error(`it is encrypted by ${cipher}; ssh-keygen -p -Z aes256-ctr changes that`)
  const [name, ivBytes, tagBytes] = known
  const options = new SshReader(kdfOptions)
  const [salt, rounds] = [options.string(), options.uint32()]
  if (rounds > ROUNDS_MAX) throw new Error(`its passphrase takes ${rounds} rounds`)
  const out = new Uint8Array(KEY_BYTES + ivBytes)
  const pass = Buffer.from(passphrase)
  if (bcrypt.pbkdf(pass, pass.length, salt, salt.length, out, out.length, rounds) !== 0) {
    throw new Error('the passphrase is wrong')
  }
  const [key, iv] = [out.subarray(0, KEY_BYTES), out.subarray(KEY_BYTES)]
  try {
    const decipher = createDecipheriv(name as 'aes-256-gcm', key, iv)
    if (tagBytes > 0) decipher.setAuthTag(tag.subarray(0, tagBytes))
    else decipher.setAutoPadding(false)
    return Buffer.concat([decipher.update(sealed), decipher.final()])
  } catch {
    throw new Error('the passphrase is wrong')
  }
}

function readPrivate(reader: SshReader): KeyObject {
  // Written twice by the file's maker, so that a wrong passphrase shows.
  const [check, again] = [reader.uint32(), reader.uint32()]
  if (check !== again) throw new Error('the passphrase is wrong')
  const type = reader.name()
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined
  if (!read) throw new Error(`a key of type ${type} is not taken`)
  return createPrivateKey({ format: 'jwk', key: read(reader) })
}

const readers: Readonly<Record<string, (reader: SshReader) => JsonWebKey>> = {
  'ssh-ed25519': readEd25519,
  'ecdsa-sha2-nistp256': readEcdsa('P-256', 32),
  'ecdsa-sha2-nistp384': readEcdsa('P-384', 48),
  'ecdsa-sha2-nistp521': readEcdsa('P-521', 66),
  'ssh-rsa': readRsa,
}

function readEd25519(reader: SshReader): JsonWebKey {
  const [x, seedAndX] = [reader.string(), reader.string()]
  return { kty: 'OKP', crv: 'Ed25519', x: url(x), d: url(seedAndX.subarray(0, 32)) }
}

function readEcdsa(crv: string, size: number): (reader: SshReader) => JsonWebKey {
  return (reader) => {
    reader.string()
    const [point, d] = [reader.string(), reader.number()]
    const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)]
    const padded = Buffer.concat([Buffer.alloc(Math.max(0, size - d.length)), d])
    return { kty: 'EC', crv, x: url(x), y: url(y), d: url(padded) }
  }
}

function readRsa(reader: SshReader): JsonWebKey {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => reader.number()) as [
    ...[Buffer, Buffer, Buffer, Buffer, Buffer, Buffer],
  ]
  const [dp, dq] = [p, q].map((prime) => modulo(d, prime))
  const shorts = { dp: url(dp!), dq: url(dq!), qi: url(qi) }
  return { kty: 'RSA', n: url(n), e: url(e), d: url(d), p: url(p), q: url(q), ...shorts }
}

/** d mod (prime - 1), as RSA by the remainder theorem has it. */
function modulo(d: Buffer, prime: Buffer): Buffer {
  const [exponent, by] = [d, prime].map((each) => BigInt(`0x${each.toString('hex') || '0'}`))
  if (by! < 2n) throw new Error('it holds no primes')
  const hex = (exponent! % (by! - 1n || 1n)).toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}

function url(bytes: Buffer): string {
  return bytes.toString('base64url')
}
