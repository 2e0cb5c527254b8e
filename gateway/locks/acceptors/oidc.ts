/**
 * The `oidc` acceptor: an OpenID provider vouches for a person, by a JWT that the client shows, by
 * the cookie of a browser that has logged in through this provider, or by the device flow (R7).
 */
import { Code } from '@porthouse/proto/v1/code'
import { isExpired } from '../../identity/expiry.ts'
import { findLogin } from '../../identity/logins.ts'
import type { Acceptor, LockContext, LockStep } from '../acceptor.ts'
import { Turnstile } from './bounded-fetch.ts'
import type { AcceptorParts } from './index.ts'
import { startVisit, type Visit } from './oidc/device.ts'
import { codeOf, reasonOf } from './oidc/faults.ts'
import { readJwt } from './oidc/jwt.ts'
import { type OidcOptions, OPTIONS } from './oidc/options.ts'
import { passedPerson, realmOfOptions } from './oidc/person.ts'
import { optionsOf } from './options.ts'
import { isOfPlace } from './proved.ts'
import { failed, passedAs, WRONG } from './steps.ts'

/** Sockets that wait for their person: in all, and from one address. */
const VISITORS = { max: 1_000, maxPerKey: 32 }

/** Text that asks for the device flow; no JWT looks like it. */
const DEVICE = 'device'

type Context = LockContext<OidcOptions>

/** Of a challenge that waits for a person: ends the wait; and the how manieth it is. */
interface Waiting {
  readonly end: () => void
  readonly visit: number
}

/** How often one lock begins anew with a person; each is a question to the provider. */
const VISITS_MAX = 4

type Parts = Pick<AcceptorParts, 'store' | 'providers' | 'clock' | 'trustsPage' | 'log'>

export function oidcAcceptor(parts: Parts): Acceptor<OidcOptions> {
  const { store, providers, clock } = parts
  const visitors = new Turnstile(VISITORS)
  return {
    name: 'oidc',
    ...optionsOf(OPTIONS),
    nominable: false,
    prompt: false,
    finished: ({ proofs, place, options, now }) =>
      proofs.some(
        (proof) =>
          proof.acceptor === 'oidc' &&
          isOfPlace(proof.account, place) &&
          proof.values.realm === realmOfOptions(options) &&
          !isExpired(proof, now),
      ),
    begin: byCookie,
    answer(response, context, state) {
      const { end, visit = 0 } = (state as Waiting | undefined) ?? {}
      end?.()
      if (response.case !== 'text') return WRONG
      const { value } = response
      if (value !== DEVICE) return judged(parts, context, () => byToken(value, context))
      if (visit >= VISITS_MAX) return { outcome: 'dropped', code: Code.RATE_LIMITED }
      return judged(parts, context, () => byDevice(context, visit + 1))
    },
  }

  /** A browser that has logged in through this very provider is asked for nothing. */
  async function byCookie({ options, place, socket, now }: Context): Promise<LockStep> {
    const asked: LockStep = { outcome: 'challenge', ask: { case: undefined } }
    const { headers } = socket.handshake
    if (headers.origin === undefined || !parts.trustsPage(headers)) return asked
    const login = await findLogin(store.logins, headers)
    const counts =
      login && isOfPlace(login.account, place) && login.realm === realmOfOptions(options)
    if (!counts || isExpired(login, now)) return asked
    const client = await store.clients.find(login.account.id, login.client.id)
    if (!client) return asked
    const values = { issuer: options.issuer, realm: login.realm }
    return passedAs('oidc', client, { values, expiresAt: login.expiresAt })
  }

  async function byToken(jwt: string, { options, place, now }: Context): Promise<LockStep> {
    if (!place) return WRONG
    const audience = options.audience ?? options.client_id
    const known = await providers.find(options, now)
    const person = await readJwt(jwt, known, options, { audience, now })
    return passedPerson(store, place.account, person, options)
  }

  async function byDevice(context: Context, number: number): Promise<LockStep> {
    const { options, now, signal } = context
    if (!options.device) return WRONG
    const known = await providers.find(options, now)
    const visit = await startVisit(known, options)
    const end = new AbortController()
    const state: Waiting = { end: () => end.abort(), visit: number }
    const later = awaitPerson(visit, context, AbortSignal.any([signal, end.signal]))
    return { outcome: 'challenge', ask: visit.ask, state, later }
  }

  function awaitPerson(visit: Visit, context: Context, signal: AbortSignal): Promise<LockStep> {
    const { options, place, socket } = context
    return judged(parts, context, async () => {
      if (!place) return WRONG
      const wait = () => visit.person(clock, signal)
      const person = await visitors.run(socket.handshake.remote, wait)
      return passedPerson(store, place.account, person, options)
    })
  }
}

async function judged(
  { log }: Pick<Parts, 'log'>,
  { options, signal }: Context,
  judge: () => Promise<LockStep>,
): Promise<LockStep> {
  try {
    return await judge()
  } catch (error) {
    const code = codeOf(error)
    if (code === Code.UNAVAILABLE && !signal.aborted) {
      log.warn({ issuer: options.issuer, reason: reasonOf(error) }, 'OpenID: no verdict')
    }
    return failed(code)
  }
}
