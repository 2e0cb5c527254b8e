/** Passwords of clients: what of one is kept, and how it is checked (threats K14 and K17). */
import { scrypt, timingSafeEqual } from 'node:crypto'

/** In bytes of UTF-8. Longer ones would make work for nothing. */
export const PASSWORD_BYTES_MAX = 1024

/**
 * 32 MiB and about a sixth of a second: N of 2^15 with p of 3 is one of the equally strong choices
 * of OWASP's cheat sheet on the storage of passwords; one with less time takes more memory, which a
 * gateway has less of.
 */
const COST = { cost: 2 ** 15, blockSize: 8, parallelization: 3 } as const
const MEMORY_BYTES_MAX = 64 * 1024 * 1024

const HASH_BYTES = 32
export const PASSWORD_SALT_BYTES = 16

/** What is kept of a password: scrypt (RFC 7914) and its parameters; bytes as base64. */
export interface PasswordData {
  readonly scheme: 'scrypt'
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: string
  readonly hash: string
}

/** Why a text cannot be a password; undefined: it can be one. */
export function passwordFault(password: string): string | undefined {
  if (password === '') return 'a password is empty'
  if (password.includes('\0')) return 'a password holds a NUL'
  // Before it is normalised, and after, when it may have grown.
  const longest = Math.max(Buffer.byteLength(password), bytesOf(password).length)
  return longest > PASSWORD_BYTES_MAX ? 'a password is over 1,024 bytes' : undefined
}

/** Throws an Error where `passwordFault` has one. */
export async function newPassword(
  password: string,
  salt: Uint8Array,
): Promise<PasswordData & { readonly [key: string]: string | number }> {
  const fault = passwordFault(password)
  if (fault) throw new Error(fault)
  const encoded = Buffer.from(salt).toString('base64')
  const hash = await derive(password, { ...COST, salt: encoded })
  return { scheme: 'scrypt', ...COST, salt: encoded, hash: hash.toString('base64') }
}

/**
 * Whether it is the password that was kept; where none is, the same work, and false. The hash is
 * made in the thread pool. Not to be called where `passwordFault` has something to say.
 */
export async function isPassword(
  password: string,
  kept: PasswordData | undefined,
): Promise<boolean> {
  const { salt, hash, ...cost } = kept ?? NOBODYS
  const expected = Buffer.from(hash, 'base64')
  const made = await derive(password, { ...cost, salt })
  return timingSafeEqual(made, expected) && kept !== undefined
}

const NOBODYS: PasswordData = {
  scheme: 'scrypt',
  ...COST,
  salt: Buffer.alloc(PASSWORD_SALT_BYTES).toString('base64'),
  hash: Buffer.alloc(HASH_BYTES).toString('base64'),
}

type Derivation = Pick<PasswordData, 'cost' | 'blockSize' | 'parallelization' | 'salt'>

function derive(password: string, { salt, ...cost }: Derivation): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const options = { ...cost, maxmem: MEMORY_BYTES_MAX }
  scrypt(bytesOf(password), Buffer.from(salt, 'base64'), HASH_BYTES, options, (error, hash) =>
    error ? reject(error) : resolve(hash),
  )
  return promise
}

/** In the one form of Unicode (NFC, RFC 8265), since keyboards differ in how they write an ä. */
function bytesOf(password: string): Buffer {
  return Buffer.from(password.normalize('NFC'))
}
