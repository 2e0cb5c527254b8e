/** What the HTTP side takes as credentials, for administration, messages and metrics alike. */
import type { Failures } from '../../identity/failures.ts'
import { type Finder, RecordCache } from '../../identity/record-cache.ts'
import type { Providers } from '../../locks/acceptors/oidc/provider.ts'
import type { Log } from '../../observe/log.ts'
import type { Store, TokenRecord } from '../../store/store.ts'
import { type Authenticate, authenticator } from './authenticate.ts'
import { type OidcOptions, oidcPrincipals } from './oidc.ts'
import { OperatorKey, operatorKey } from './operator-key.ts'

export interface CredentialParts {
  readonly store: Store
  /** The data folder, which has the operator's key. */
  readonly folder: string
  /** API keys that are kept for a second, for the next call by them. */
  readonly records: number
  readonly tokens: Finder<TokenRecord>
  readonly failures: Failures
  readonly oidc: OidcOptions
  readonly providers: Providers
  readonly log: Log
  readonly clock: () => number
  readonly uptime: () => number
}

export interface Credentials {
  readonly authenticate: Authenticate
  stop(): Promise<void>
}

/** Rejects with the system's error where the operator's key can be neither read nor made. */
export async function openCredentials(parts: CredentialParts): Promise<Credentials> {
  const { store, folder, records, tokens, failures, clock, uptime } = parts
  const { oidc: options, providers, log } = parts
  await operatorKey(folder)
  const kept = { kind: 'api-key', max: records, uptime } as const
  const apiKeys = new RecordCache(store.apiKeys, store.changes, kept)
  void apiKeys.start()
  const operator = new OperatorKey(folder, uptime)
  const jwt = oidcPrincipals({ options, providers, accounts: store.accounts, clock, log })
  return {
    authenticate: authenticator({ apiKeys, tokens, operator, jwt, failures, clock }),
    stop: () => apiKeys.stop(),
  }
}
