import type { Answerer } from '../answerer.ts'

/** A JWT of the OpenID provider that a room names, or a function that gets a fresh one. */
export function bearer(jwt: string | (() => string | Promise<string>)): Answerer {
  return {
    acceptor: 'oidc',
    ...(typeof jwt === 'string' && { ahead: () => jwt }),
    answer: ({ ask }) => {
      if (ask.kind !== 'nothing') return undefined
      return typeof jwt === 'string' ? jwt : jwt()
    },
  }
}

/** A page that a person opens elsewhere, and the code that he types there (RFC 8628). */
export interface Visit {
  /** http or https. */
  readonly url: string
  readonly userCode: string
  /** The same page with the code filled in; empty where the provider has none. */
  readonly completeUrl: string
  /** Aborted when there is no use in visiting any more. */
  readonly signal: AbortSignal
}

/** Logs a person in where there is no browser. Connecting waits as long as the lock does. */
export function deviceFlow({ onVisit }: { onVisit: (visit: Visit) => void }): Answerer {
  return {
    acceptor: 'oidc',
    answer({ ask }, { signal }) {
      if (ask.kind === 'nothing') return 'device'
      if (ask.kind !== 'visit') return undefined
      const { url, userCode, completeUrl } = ask
      onVisit({ url, userCode, completeUrl, signal })
      return null
    },
  }
}
