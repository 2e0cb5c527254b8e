/**
 * Which web pages may connect. A device or a program sends no Origin, and proves itself otherwise.
 */
import type { IncomingMessage } from 'node:http'
import type { Config } from '../config/config.ts'
import { isLoopback } from '../protocol/loopback.ts'

export interface OriginRules {
  /** Origins, or `*`. */
  readonly allowed: readonly string[]
  /** The gateway is reached from this machine alone, so pages of this machine may connect. */
  readonly loopback: boolean
}

export function originRules({ origins, listen, tls, trustedProxies }: Config['http']): OriginRules {
  const secure = tls.certFile === undefined ? 'off' : tls.listen
  const isOwn = isLoopback(listen.host) && (secure === 'off' || isLoopback(secure.host))
  return { allowed: origins, loopback: isOwn && trustedProxies.length === 0 }
}

/** Threat H5: a page of another site must not use what the browser knows of its user. */
export function originAllowed({ headers }: IncomingMessage, rules: OriginRules): boolean {
  const { origin, host } = headers
  if (origin === undefined || rules.allowed.includes('*')) return true
  if (rules.allowed.includes(origin)) return true
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  return url.host === host || (rules.loopback && isLoopback(url.hostname))
}

/**
 * Whether a page may use what the browser knows of its user, such as a login: of the gateway itself
 * or of an origin that is named; `*` names none.
 */
export function pageTrusted(
  { origin, host }: Readonly<Record<string, string | undefined>>,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || !URL.canParse(origin)) return false
  return allowed.includes(origin) || new URL(origin).host === host
}
