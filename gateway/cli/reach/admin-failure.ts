/** A failed call of the admin API as a command's failure: what is wrong, and what to do next. */
import { Code as ConnectCode, ConnectError } from '@connectrpc/connect'
import { type Problem, ProblemSchema, type Violation } from '@porthouse/proto/admin/v1/problem'
import { Code } from '@porthouse/proto/v1/code'
import { codeInfo } from '../../protocol/codes.ts'
import { EXIT, Failure } from '../failure.ts'
import { harmless } from '../output.ts'
import { unknownText } from './unknown.ts'

/** What these were called before there was an API, and scripts decide by. */
const NAMES: Partial<Record<Code, string>> = {
  [Code.RESOURCE_UNKNOWN]: 'MISSING',
  [Code.RESOURCE_EXISTS]: 'EXISTS',
}

/** Refused for good, but not for want of rights. */
const EXITS: Partial<Record<Code, number>> = {
  [Code.RESOURCE_UNKNOWN]: EXIT.failed,
  [Code.RESOURCE_EXISTS]: EXIT.failed,
  [Code.STATE_UNSUITABLE]: EXIT.failed,
  [Code.ETAG_STALE]: EXIT.failed,
  [Code.ARGUMENT_INVALID]: EXIT.usage,
  [Code.ADDRESS_INVALID]: EXIT.usage,
  [Code.NAME_TOO_LONG]: EXIT.usage,
}

const NEXT: Partial<Record<Code, string>> = {
  [Code.UNAUTHENTICATED]: 'porthouse login takes an API key, or set PORTHOUSE_API_KEY',
  [Code.TOKEN_EXPIRED]: 'porthouse api-key create makes another; porthouse login takes it',
  [Code.ROLE_NOT_PERMITTED]: 'porthouse api-key create --role ROLE makes a key that may',
  [Code.ETAG_STALE]: 'try again',
  [Code.RATE_LIMITED]: 'try again in a second',
}

/** `url`: of the gateway; undefined: the services are in this process. */
export function adminFailure(error: unknown, url: string | undefined): unknown {
  if (!(error instanceof ConnectError)) return error
  const [problem] = error.findDetails(ProblemSchema)
  return problem ? refusal(error, problem) : unreached(error, url)
}

function refusal(error: ConnectError, { code, violations }: Problem): Failure {
  const { name, temporary } = codeInfo(code)
  const exit = EXITS[code] ?? (temporary ? EXIT.unavailable : EXIT.refused)
  return new Failure(NAMES[code] ?? name, messageOf(error, code, violations), exit, error)
}

/** What comes from afar may hold anything. */
function messageOf({ rawMessage }: ConnectError, code: Code, violations: readonly Violation[]) {
  if (violations.length > 0) {
    return violations.map((each) => harmless(`${each.field}: ${each.description}`)).join('\n')
  }
  const said = harmless(rawMessage)
  if (code === Code.RESOURCE_UNKNOWN) return unknownText(said)
  return NEXT[code] ? `${said}; ${NEXT[code]}` : said
}

/** No answer of a gateway's administration at all. */
function unreached(error: ConnectError, url: string | undefined): Failure {
  const { code, rawMessage } = error
  const where = url ?? 'this process'
  if (code === ConnectCode.DeadlineExceeded) {
    return new Failure('TIMEOUT', `${where} gives no answer in time`, EXIT.unavailable, error)
  }
  if (code === ConnectCode.Unimplemented) {
    return new Failure(
      'UNIMPLEMENTED',
      `${where} does not serve this; is it a gateway of this version, with feature admin?`,
      EXIT.refused,
      error,
    )
  }
  const cause = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? harmless(rawMessage)
  return new Failure(
    'UNAVAILABLE',
    `${where} is not reached (${cause}); is a gateway running there? porthouse run starts one`,
    EXIT.unavailable,
    error,
  )
}
