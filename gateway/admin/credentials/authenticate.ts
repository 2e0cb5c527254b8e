/** Who a bearer of credentials is: the operator, an API key, a token, or nobody. */
import { Role } from '@porthouse/proto/admin/v1/options'
import { Code } from '@porthouse/proto/v1/code'
import { proveApiKey } from '../../identity/api-keys.ts'
import type { Failures } from '../../identity/failures.ts'
import type { SecretProof } from '../../identity/prove-secret.ts'
import type { Finder } from '../../identity/record-cache.ts'
import { isTokenSecret, proveToken } from '../../identity/tokens.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { ApiKeyRecord } from '../../store/administration.ts'
import type { TokenRecord } from '../../store/store.ts'
import { isOperatorSecret } from './operator-key.ts'
import { type Principal, ROLES } from './principal.ts'

/** Longer than any secret of ours and any sensible JWT (threats K6, K17). */
const BEARER_CHARS_MAX = 8_192

/** Resolves with whom a bearer of a text is; `remote`: the address that it came from. */
export type Authenticate = (bearer: string | undefined, remote: string) => Promise<Principal>

export interface AuthenticateParts {
  readonly apiKeys: Finder<ApiKeyRecord>
  readonly tokens: Finder<TokenRecord>
  readonly operator: { isRight(shown: string): Promise<boolean> }
  /** Of OpenID providers; undefined for what is no JWT of theirs, and where none is configured. */
  readonly jwt: (shown: string) => Promise<Principal | undefined>
  readonly failures: Failures
  readonly clock: () => number
}

interface Request {
  readonly headers: { readonly authorization?: string | undefined }
}

/** Whose the credentials of a request are; `remoteOf`: the address that it is from. */
export function bearerOf<Asked extends Request>(
  authenticate: Authenticate,
  remoteOf: (request: Asked) => string,
): (request: Asked) => Promise<Principal> {
  return async (request) => {
    return authenticate(bearerIn(request.headers.authorization), remoteOf(request))
  }
}

/** What follows `Bearer ` in an Authorization header; undefined: there is none (RFC 6750). */
export function bearerIn(header: string | null | undefined): string | undefined {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? []
  return bearer
}

/**
 * Rejects with Refusal UNAUTHENTICATED, TOKEN_EXPIRED, or RATE_LIMITED where too many wrong ones
 * came from that network (threat K15); with the store's error where it is away: never a pass (A18).
 */
export function authenticator(parts: AuthenticateParts): Authenticate {
  const { failures } = parts
  return async (bearer, remote) => {
    if (bearer === undefined) {
      throw new Refusal(Code.UNAUTHENTICATED, 'an Authorization header of type Bearer is needed')
    }
    // The operator's own key is compared here, without a store: nobody locks him out.
    if (!isOperatorSecret(bearer) && !failures.allows(remote)) {
      throw new Refusal(Code.RATE_LIMITED, 'too many wrong credentials came from this network')
    }
    const found = bearer.length > BEARER_CHARS_MAX ? undefined : await whose(parts, bearer)
    if (found) return found
    failures.add(remote)
    throw new Refusal(Code.UNAUTHENTICATED, 'the credentials are unknown')
  }
}

/** Undefined for nobody. Throws Refusal TOKEN_EXPIRED. */
async function whose(parts: AuthenticateParts, bearer: string): Promise<Principal | undefined> {
  const { apiKeys, tokens, operator, jwt, clock } = parts
  const holds = async () => (await whose(parts, bearer).catch(refused)) !== undefined
  if (isOperatorSecret(bearer)) {
    const isRight = await operator.isRight(bearer)
    return isRight ? { id: 'operator', role: Role.OPERATOR, holds } : undefined
  }
  if (isTokenSecret(bearer)) {
    const token = proved(await proveToken(tokens, bearer, clock()))
    return (
      token && { id: `tokens/${token.id}`, role: Role.TOKEN, ...inAccount(token), token, holds }
    )
  }
  const key = proved(await proveApiKey(apiKeys, bearer, clock()))
  return key
    ? { id: `apiKeys/${key.id}`, role: ROLES[key.role], ...inAccount(key), holds }
    : jwt(bearer)
}

function inAccount({ account }: Pick<Principal, 'account'>): Pick<Principal, 'account'> {
  return account ? { account } : {}
}

/** Who expired holds no longer; where the store is away, nobody knows. */
function refused(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error
}

function proved<Found>(proof: SecretProof<Found>): Found | undefined {
  if (proof.outcome === 'expired') throw new Refusal(Code.TOKEN_EXPIRED, 'the credentials expired')
  return proof.outcome === 'proved' ? proof.record : undefined
}
