/**
 * The device flow (RFC 8628): a person opens a page on a device that has a browser, types a code,
 * and the socket that waits here is let in.
 */
import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { VisitSchema } from '@porthouse/proto/v1/lock_step'
import {
  type DeviceAuthorizationResponse,
  initiateDeviceAuthorization,
  pollDeviceAuthorizationGrant,
} from 'openid-client'
import { Refusal } from '../../../protocol/codes.ts'
import type { Ask } from '../../acceptor.ts'
import { type Person, readJwt } from './jwt.ts'
import type { OidcOptions } from './options.ts'
import type { Known } from './provider.ts'

/** Seconds between two questions, whatever the provider says. */
const INTERVAL_MIN = 1
const INTERVAL_MAX = 60

const URL_CHARS_MAX = 2_048
const USER_CODE_CHARS_MAX = 64

export interface Visit {
  readonly ask: Ask
  /** Resolves once the person is done; rejects where he will not, or the signal is aborted. */
  readonly person: (clock: () => number, signal: AbortSignal) => Promise<Person>
}

export async function startVisit(known: Known, options: OidcOptions): Promise<Visit> {
  const { config } = known
  const scope = options.scopes.join(' ')
  // Whatever goes wrong so far is no fault of whoever wants to log in.
  const told = await initiateDeviceAuthorization(config, { scope }).catch((cause: unknown) => {
    throw new Error('the provider begins no device flow', { cause })
  })
  return {
    ask: askOf(told),
    async person(clock, signal) {
      const interval = Math.min(Math.max(told.interval ?? 5, INTERVAL_MIN), INTERVAL_MAX)
      const paced = { ...told, interval }
      const tokens = await pollDeviceAuthorizationGrant(config, paced, undefined, { signal })
      if (!tokens.id_token) throw new Refusal(Code.UNAUTHENTICATED, 'no ID token')
      const audience = options.client_id
      return readJwt(tokens.id_token, known, options, { audience, now: clock() })
    },
  }
}

function askOf(told: DeviceAuthorizationResponse): Ask {
  const { verification_uri: url, verification_uri_complete: complete, user_code: userCode } = told
  if (!isPage(url) || (complete !== undefined && !isPage(complete))) {
    throw new Error('the provider names a page that is none')
  }
  if (userCode.length > USER_CODE_CHARS_MAX) throw new Error('a user code too long to type')
  const value = create(VisitSchema, { url, userCode, completeUrl: complete ?? '' })
  return { case: 'visit', value }
}

function isPage(url: string): boolean {
  return (
    url.length <= URL_CHARS_MAX &&
    URL.canParse(url) &&
    ['https:', 'http:'].includes(new URL(url).protocol)
  )
}
