/**
 * Whose a JWT is: checked by the provider's own keys, with algorithms of ours, and nothing that the
 * token says of where its key might be found (RFC 8725, threats K1 to K6).
 */
import { Code } from '@porthouse/proto/v1/code'
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { Refusal } from '../../../protocol/codes.ts'
import type { OidcOptions } from './options.ts'
import type { Known } from './provider.ts'

/** Asymmetric ones alone: never `none`, never an HMAC. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** ID tokens, and access tokens of RFC 9068; not for instance a logout token. */
const TYPES = [undefined, 'jwt', 'at+jwt', 'application/at+jwt']

const JWT_CHARS_MAX = 16_384
const HEADER_CHARS_MAX = 4_096
const DEPTH_MAX = 8

/** Clocks may be that far apart. */
const TOLERANCE_SECONDS = 5

/** Of a claim that says who it is; bounded as OpenID Connect bounds `sub`. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/

export interface Person {
  readonly issuer: string
  readonly subject: string
  readonly expiresAt: Date
}

/**
 * Rejects with a Refusal where the token proves nobody: UNAUTHENTICATED, or PROOF_EXPIRED where all
 * else is right. Any other error: it could not be judged.
 */
export async function readJwt(
  jwt: string,
  known: Known,
  options: OidcOptions,
  { audience, now }: { audience: string; now: number },
): Promise<Person> {
  checkShape(jwt)
  const { payload, header } = await verify(jwt, keysOf(known), {
    issuer: options.issuer,
    audience,
    algorithms: ALGORITHMS,
    requiredClaims: ['exp', 'iss', 'aud'],
    clockTolerance: TOLERANCE_SECONDS,
    currentDate: new Date(now),
  })
  if (!TYPES.includes(header.typ?.toLowerCase())) throw wrong('a token of another type')
  checkParty(payload, options, audience)
  const subject = subjectOf(payload, options.claim)
  return { issuer: options.issuer, subject, expiresAt: new Date((payload.exp as number) * 1000) }
}

type VerifyOptions = NonNullable<Parameters<typeof jwtVerify>[2]>

async function verify(jwt: string, keys: JWTVerifyGetKey, options: VerifyOptions) {
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, keys, options)
    return { payload, header: protectedHeader }
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new Refusal(Code.PROOF_EXPIRED, 'the token is past its expiry')
    }
    // A TypeError is a key that is too weak, or does not fit.
    const judged = error instanceof errors.JOSEError || error instanceof TypeError
    throw judged ? wrong(error.message) : error
  }
}

/** Where the keys cannot be had, nothing is judged: that is no fault of the token. */
function keysOf({ keys }: Known): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = errors
      const judged = [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported]
      if (judged.some((kind) => error instanceof kind)) throw error
      throw new Error('the keys of the provider cannot be had', { cause: error })
    }
  }
}

/** Before anything of it is parsed (K6). */
function checkShape(jwt: string): void {
  const parts = jwt.length <= JWT_CHARS_MAX ? jwt.split('.', 4) : []
  const [header = '', payload = ''] = parts
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) throw wrong('no JWT')
  if (header.length > HEADER_CHARS_MAX) throw wrong('a header too long')
  for (const part of [header, payload]) {
    if (depthOf(Buffer.from(part, 'base64url').toString()) > DEPTH_MAX) throw wrong('too deep')
  }
}

function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of json.replace(/"(?:[^"\\]|\\.)*"/gs, '').matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

/** A token for several parties, or asked for by another one, is not ours to accept (K10). */
function checkParty(payload: JWTPayload, { client_id }: OidcOptions, audience: string): void {
  const { aud, azp } = payload
  if (audience !== client_id) return
  if (azp !== undefined && azp !== client_id) throw wrong('azp is another client')
  if (Array.isArray(aud) && aud.length > 1 && azp === undefined) throw wrong('azp is missing')
}

function subjectOf(payload: JWTPayload, claim: string): string {
  const subject = Object.hasOwn(payload, claim) ? payload[claim] : undefined
  if (typeof subject !== 'string' || !SUBJECT.test(subject)) throw wrong(`no claim ${claim}`)
  if (claim === 'email' && payload.email_verified !== true) throw wrong('the email is not verified')
  return subject
}

function wrong(detail: string): Refusal {
  return new Refusal(Code.UNAUTHENTICATED, detail)
}
