/** What the HTTP side takes as credentials, for administration, messages and metrics alike. */
import type { Config } from '../../config/config.ts'
import type { Failures } from '../../identity/failures.ts'
import { type Finder, RecordCache } from '../../identity/record-cache.ts'
import type { Providers } from '../../locks/acceptors/oidc/provider.ts'
import type { Log } from '../../observe/log.ts'
import type { Store, TokenRecord } from '../../store/store.ts'
import { type Authenticate, authenticator } from './authenticate.ts'
import { oidcPrincipals } from './oidc.ts'
import { OperatorKey, operatorKey } from './operator-key.ts'

export interface CredentialParts {
  readonly store: Store
  readonly config: Config
  readonly tokens: Finder<TokenRecord>
  readonly failures: Failures
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
  const { store, config, tokens, failures, providers, log, clock, uptime } = parts
  const { data: folder, logins } = config
  const { oidc: options } = config.admin
  // The data folder has it.
  await operatorKey(folder)
  const kept = { kind: 'api-key', max: logins.records, uptime } as const
  const apiKeys = new RecordCache(store.apiKeys, store.changes, kept)
  void apiKeys.start()
  const operator = new OperatorKey(folder, uptime)
  const jwt = oidcPrincipals({ options, providers, accounts: store.accounts, clock, log })
  return {
    authenticate: authenticator({ apiKeys, tokens, operator, jwt, failures, clock }),
    stop: () => apiKeys.stop(),
  }
}
