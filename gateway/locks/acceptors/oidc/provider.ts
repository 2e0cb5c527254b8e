/**
 * OpenID providers as the gateway knows them: their metadata and keys, each fetched once for all
 * who wait, kept for a while, and only from where the configured issuer says (threats K4, K5).
 */
import { createRemoteJWKSet, customFetch as jwksFetch, type RemoteJWKSet } from 'jose'
import {
  allowInsecureRequests,
  ClientSecretBasic,
  type Configuration,
  type CustomFetchOptions,
  customFetch,
  discovery,
  None,
} from 'openid-client'
import { type BoundedRequest, boundedFetch, Turnstile } from '../bounded-fetch.ts'
import type { OidcOptions } from './options.ts'

const TIMEOUT_MS = 5_000
const BYTES_MAX = 262_144
const METADATA_AGE_MS = 3_600_000
const KEYS_AGE_MS = 600_000

/** How soon keys are looked for again where a token names one that is not known. */
const KEYS_COOLDOWN_MS = 5_000

/** Requests at once: in all, and to one host. */
const CROWD = { max: 64, maxPerKey: 16 }

const PROVIDERS_MAX = 1_000

export interface Known {
  readonly config: Configuration
  readonly keys: RemoteJWKSet
}

interface Kept {
  readonly known: Promise<Known>
  readonly until: number
}

export class Providers {
  readonly #kept = new Map<string, Kept>()
  readonly #crowd = new Turnstile(CROWD)

  /** Rejects where the provider is away, or is not the one that it should be. */
  find(options: OidcOptions, now: number): Promise<Known> {
    const key = JSON.stringify([options.issuer, options.client_id, options.client_secret])
    const kept = this.#kept.get(key)
    if (kept && now < kept.until) return kept.known
    const known = this.#discover(options)
    this.#kept.delete(key)
    this.#kept.set(key, { known, until: now + METADATA_AGE_MS })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > PROVIDERS_MAX && oldest !== undefined) this.#kept.delete(oldest)
    known.catch(() => {
      if (this.#kept.get(key)?.known === known) this.#kept.delete(key)
    })
    return known
  }

  async #discover({ issuer, client_id, client_secret }: OidcOptions): Promise<Known> {
    const insecure = issuer.startsWith('http:')
    const fetch = (url: string, request: CustomFetchOptions) => this.#fetch(url, request, insecure)
    const asked = discovery(
      new URL(issuer),
      client_id,
      undefined,
      client_secret === undefined ? None() : ClientSecretBasic(client_secret),
      {
        [customFetch]: fetch,
        timeout: TIMEOUT_MS / 1000,
        execute: insecure ? [allowInsecureRequests] : [],
      },
    )
    // Whatever is wrong with the provider is no fault of a token.
    const config = await asked.catch((cause: unknown) => {
      throw new Error('the metadata of the provider cannot be had', { cause })
    })
    const { issuer: named, jwks_uri: keysUrl } = config.serverMetadata()
    if (named !== issuer) throw new Error(`the provider calls itself ${named}, not ${issuer}`)
    if (keysUrl === undefined) throw new Error('the provider tells of no keys')
    const keys = createRemoteJWKSet(new URL(keysUrl), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: KEYS_COOLDOWN_MS,
      cacheMaxAge: KEYS_AGE_MS,
      [jwksFetch]: (url, { method, headers }) =>
        this.#fetch(url, { method, headers: Object.fromEntries(headers), body: null }, insecure),
    })
    return { config, keys }
  }

  #fetch(
    url: string,
    { method, headers, body }: Pick<CustomFetchOptions, 'method' | 'headers' | 'body'>,
    insecure: boolean,
  ): Promise<Response> {
    const { protocol, host } = new URL(url)
    if (protocol !== 'https:' && !(insecure && protocol === 'http:')) {
      return Promise.reject(new Error(`${host} is not asked without TLS`))
    }
    const request: BoundedRequest = {
      method,
      headers,
      ...(body != null && { body: String(body) }),
    }
    const bounds = { timeoutMs: TIMEOUT_MS, bytesMax: BYTES_MAX }
    return this.#crowd.run(host, () => boundedFetch(url, request, bounds))
  }
}
