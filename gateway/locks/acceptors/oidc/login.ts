/**
 * The login of a browser: authorization code with PKCE (RFC 6749, RFC 7636, RFC 9700), in which
 * state, nonce and verifier are of one use and one browser, and which ends in a cookie (K9, K10).
 */
import type { Flow as FlowConfig } from '@porthouse/proto/room/v1/access'
import { Code } from '@porthouse/proto/v1/code'
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
} from 'openid-client'
import {
  type BrowserLogins,
  CALLBACK_PATH,
  type Headers,
  type LoginEnd,
  type LoginStart,
  type LoginWish,
} from '../../../identity/browser-logins.ts'
import { cookieOf, loginHash, newLogin } from '../../../identity/logins.ts'
import { Refusal } from '../../../protocol/codes.ts'
import type { AcceptorParts } from '../index.ts'
import { readObject } from '../options.ts'
import { codeOf, reasonOf } from './faults.ts'
import { type Person, readJwt } from './jwt.ts'
import { type OidcOptions, OPTIONS } from './options.ts'
import { clientOf, realmOfOptions } from './person.ts'
import type { Known } from './provider.ts'
import { Seal } from './seal.ts'

/** How long a person may take at the provider's pages. */
const START_MS = 600_000

/** How long a login lasts. */
const LOGIN_MS = 43_200_000

/** States that are remembered as used; the provider refuses a code's second use in any case. */
const USED_MAX = 10_000

/** What the browser brings back. */
interface Started extends Omit<LoginWish, 'issuer'> {
  readonly realm: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  /** Milliseconds since 1970-01-01 UTC. */
  readonly until: number
}

type Parts = Pick<AcceptorParts, 'store' | 'providers' | 'urls' | 'random' | 'clock' | 'log'>

export class OidcLogins implements BrowserLogins {
  readonly #parts: Parts
  readonly #seal: Seal
  readonly #used = new Set<string>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#seal = new Seal(parts.random)
  }

  async start({ issuer, ...wish }: LoginWish): Promise<LoginStart> {
    const offered = await this.#offers(wish)
    const options = offered.find((each) => issuer === undefined || each.issuer === issuer)
    if (!options) throw new Refusal(Code.PATH_UNKNOWN, 'there is no such login')
    const [state, nonce, verifier] = [this.#secret(), this.#secret(), this.#secret()]
    const location = await this.#asking(options, async ({ config }) =>
      buildAuthorizationUrl(config, {
        redirect_uri: this.#callback().href,
        scope: options.scopes.join(' '),
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }),
    )
    const until = this.#parts.clock() + START_MS
    const realm = realmOfOptions(options)
    const started: Started = { ...wish, realm, state, nonce, verifier, until }
    const cookie = { name: cookieName(state), value: this.#seal.close(started), maxAgeMs: START_MS }
    return { location: location.href, cookie }
  }

  async finish(query: URLSearchParams, headers: Headers): Promise<LoginEnd> {
    const started = this.#use(query.get('state') ?? '', headers)
    const { store, random, clock } = this.#parts
    const options = (await this.#offers(started)).find(
      (each) => realmOfOptions(each) === started.realm,
    )
    if (!options) throw new Refusal(Code.PATH_UNKNOWN, 'there is no such login any more')
    const person = await this.#asking(options, (known) =>
      this.#person(known, options, started, query),
    )
    const client = await clientOf(store, started.account, person, options)
    const { cookie, hash } = newLogin(random(32), started.realm)
    const expiresAt = new Date(clock() + LOGIN_MS)
    await store.logins.create({ hash, account: client.account.id, client: client.id, expiresAt })
    const { returnTo, state } = started
    return { cookie, maxAgeMs: LOGIN_MS, returnTo, spent: cookieName(state) }
  }

  async end(headers: Headers): Promise<void> {
    const hash = loginHash(headers)
    if (hash) await this.#parts.store.logins.delete(hash)
  }

  /** What the room's locks offer, in their order; nothing where there is no such room. */
  async #offers({ account, room }: { account: string; room: string }): Promise<OidcOptions[]> {
    const found = await this.#parts.store.rooms.find(account, room)
    const blocks = found?.config.blocks ?? []
    const flows = blocks.map(({ kind }) => (kind.case === 'access' ? kind.value.flow : undefined))
    return flows.flatMap((flow) => (flow ? optionsIn(flow) : []))
  }

  async #person(
    known: Known,
    options: OidcOptions,
    { state, nonce, verifier }: Started,
    query: URLSearchParams,
  ): Promise<Person> {
    const url = this.#callback()
    url.search = query.toString()
    const tokens = await authorizationCodeGrant(known.config, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    })
    // The library has checked its claims; its signature, and who it is, are checked as any token's.
    const { client_id: audience } = options
    return readJwt(tokens.id_token ?? '', known, options, { audience, now: this.#parts.clock() })
  }

  /** What `start` gave to this very browser for this state: once. */
  #use(state: string, headers: Headers): Started {
    const sealed = cookieOf(headers, cookieName(state))
    const started = sealed === undefined ? undefined : (this.#seal.open(sealed) as Started)
    const counts = started && started.state === state && this.#parts.clock() < started.until
    if (!counts || this.#used.has(state)) {
      throw new Refusal(Code.UNAUTHENTICATED, 'this login was not begun here, or is over')
    }
    this.#used.add(state)
    const [oldest] = this.#used
    if (this.#used.size > USED_MAX && oldest !== undefined) this.#used.delete(oldest)
    return started
  }

  /** Never from what a request says of its host. */
  #callback(): URL {
    const [url] = this.#parts.urls()
    if (url === undefined) throw new Refusal(Code.UNAVAILABLE, 'http.publicUrl is not set')
    return new URL(CALLBACK_PATH, url)
  }

  async #asking<T>(options: OidcOptions, ask: (known: Known) => Promise<T>): Promise<T> {
    const { providers, clock, log } = this.#parts
    try {
      return await ask(await providers.find(options, clock()))
    } catch (error) {
      const code = codeOf(error)
      if (code === Code.UNAVAILABLE) {
        log.warn({ issuer: options.issuer, reason: reasonOf(error) }, 'OpenID: no login')
      }
      throw new Refusal(code, 'the provider did not vouch for this browser')
    }
  }

  #secret(): string {
    return Buffer.from(this.#parts.random(32)).toString('base64url')
  }
}

/** One a login, so that two tabs may log in at once. */
function cookieName(state: string): string {
  return `porthouse_login_${state.slice(0, 16).replace(/[^\w-]/g, '')}`
}

function optionsIn({ kind }: FlowConfig): OidcOptions[] {
  if (kind.case === 'all' || kind.case === 'any') return kind.value.flows.flatMap(optionsIn)
  if (kind.case !== 'lock' || kind.value.acceptor !== 'oidc') return []
  return [readObject(OPTIONS, kind.value.options ?? {})]
}
