/** What became of a question to a provider that was not answered with tokens. */
import { Code } from '@porthouse/proto/v1/code'
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client'
import { Refusal } from '../../../protocol/codes.ts'

/** The answer was understood, and does not prove what it should. */
const WRONG = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
])

/** The provider's own words for: somebody said no. */
const DENIED = new Set(['access_denied', 'login_required', 'consent_required'])

const AWAY = new Set(['server_error', 'temporarily_unavailable'])

/** NOT_ADMITTED, UNAUTHENTICATED or, where nothing could be judged, UNAVAILABLE. */
export function codeOf(error: unknown): Code {
  if (error instanceof Refusal) return error.code
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    if (DENIED.has(error.error)) return Code.NOT_ADMITTED
    return AWAY.has(error.error) ? Code.UNAVAILABLE : Code.UNAUTHENTICATED
  }
  const wrong = error instanceof ClientError && WRONG.has(error.code ?? '')
  return wrong ? Code.UNAUTHENTICATED : Code.UNAVAILABLE
}

/** For the log: what went wrong, without tokens or codes. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { cause } = error
  return cause instanceof Error ? `${wordsOf(error)}: ${wordsOf(cause)}` : wordsOf(error)
}

/** The engine's own words for what is no JSON quote it (S3). */
function wordsOf(error: Error): string {
  return error instanceof SyntaxError ? 'not JSON' : error.message
}
