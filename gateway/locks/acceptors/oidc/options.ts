/** Options of the `oidc` acceptor: which provider vouches, and for what. */
import { z } from 'zod'

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** As the provider itself writes it; a token's `iss` has to be the same to the letter. */
const issuer = z
  .string()
  .max(512)
  .refine(isIssuer, 'not an https URL (on loopback: http) without query, fragment or user name')

export const OPTIONS = z.strictObject({
  issuer,
  client_id: z.string().min(1).max(256),
  /** Absent: a public client. */
  client_secret: z.string().min(1).max(512).optional(),
  /** What `aud` of a token has to be; absent: client_id. */
  audience: z.string().min(1).max(512).optional(),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]{1,128}$/))
    .max(16)
    .default([])
    .transform((scopes) => [...new Set(['openid', ...scopes])]),
  /** Which claim says who it is. */
  claim: z
    .string()
    .regex(/^[\w:./-]{1,128}$/)
    .default('sub'),
  /** Whether a person may log a device in, by RFC 8628. */
  device: z.boolean().default(false),
})

export type OidcOptions = z.output<typeof OPTIONS>

function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, search, hash, username, password } = new URL(text)
  if (search || hash || username || password || /[?#]$/.test(text)) return false
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))
}
