/**
 * Logins of browsers: the cookie that stands for one, and what is kept of it (acceptor `cookie`,
 * threat S1).
 */
import type { Login, Logins } from '../store/store.ts'
import { sha256 } from './sha256.ts'

export const LOGIN_COOKIE = 'porthouse_login'

/** 32 random bytes, `.`, and by which realm: both as base64url. */
const LOGIN = /^[\w-]{43}\.([\w-]{43})$/

export interface NewLogin {
  /** For the browser alone. */
  readonly cookie: string
  /** What is kept. */
  readonly hash: Uint8Array
}

/** Makes a login of a realm (see realmOf) from 32 random bytes. */
export function newLogin(random: Uint8Array, realm: string): NewLogin {
  const cookie = `${Buffer.from(random).toString('base64url')}.${realm}`
  return { cookie, hash: sha256(cookie) }
}

/**
 * Who vouches for a login, as 43 characters. It is part of the cookie and so under its hash: a
 * login that one provider vouched for is never taken for another's.
 */
export function realmOf(...parts: readonly string[]): string {
  return sha256(JSON.stringify(parts)).toString('base64url')
}

export interface FoundLogin extends Login {
  readonly realm: string
}

/**
 * The login that the headers' cookie stands for, expired or not. Rejects with the store's error
 * where the store is away.
 */
export async function findLogin(
  logins: Logins,
  headers: Readonly<Record<string, string | undefined>>,
): Promise<FoundLogin | undefined> {
  const cookie = cookieOf(headers, LOGIN_COOKIE) ?? ''
  const realm = LOGIN.exec(cookie)?.[1]
  if (realm === undefined) return undefined
  const login = await logins.find(sha256(cookie))
  return login && { ...login, realm }
}

/** The hash by which a login is deleted; undefined where the headers hold none. */
export function loginHash(
  headers: Readonly<Record<string, string | undefined>>,
): Uint8Array | undefined {
  const cookie = cookieOf(headers, LOGIN_COOKIE) ?? ''
  return LOGIN.test(cookie) ? sha256(cookie) : undefined
}

/**
 * A cookie by its name. Two of one name count as none: a neighbouring site may have set one of them
 * (RFC 6265 section 8.6).
 */
export function cookieOf(
  { cookie = '' }: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const values = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  return values.length === 1 ? values[0] : undefined
}
