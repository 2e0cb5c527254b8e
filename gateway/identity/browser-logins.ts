/** How a browser logs in: declared here for the HTTP port, which knows nothing of providers. */

export type Headers = Readonly<Record<string, string | undefined>>

/** Where a provider sends browsers back to. */
export const CALLBACK_PATH = '/v1/login/callback'

export interface LoginWish {
  /** Slugs or UUIDs. */
  readonly account: string
  readonly room: string
  /** Which of the room's providers; absent: the first. */
  readonly issuer?: string
  /** Comes back as it is. */
  readonly returnTo: string
}

export interface LoginStart {
  /** The provider's page. */
  readonly location: string
  /** To be brought back by the same browser. */
  readonly cookie: { readonly name: string; readonly value: string; readonly maxAgeMs: number }
}

export interface LoginEnd {
  /** Value of the login's cookie. */
  readonly cookie: string
  readonly maxAgeMs: number
  readonly returnTo: string
  /** Name of the cookie that `start` set. */
  readonly spent: string
}

/** All of them reject with a Refusal, or with the store's error. */
export interface BrowserLogins {
  /** PATH_UNKNOWN where the room has no such login, UNAVAILABLE where the provider is away. */
  start(wish: LoginWish): Promise<LoginStart>
  /**
   * What the provider sent the browser back with. UNAUTHENTICATED, NOT_ADMITTED where the provider
   * or the person said no, UNAVAILABLE.
   */
  finish(query: URLSearchParams, headers: Headers): Promise<LoginEnd>
  /** Forgets the login that the headers' cookie stands for, if any. */
  end(headers: Headers): Promise<void>
}
