/** The acceptors that porthouse comes with, a file each (R18). */

import type { Finder } from '../../identity/record-cache.ts'
import type { Log } from '../../observe/log.ts'
import type { Credential, Store, TokenRecord } from '../../store/store.ts'
import type { Acceptor } from '../acceptor.ts'
import type { KnockDesk } from '../knock-desk.ts'
import type { Acceptors, LockDefaults } from '../read-flow.ts'
import { cookieAcceptor } from './cookie.ts'
import { headerAcceptor } from './header.ts'
import { identityAcceptor } from './identity.ts'
import { keyAcceptor } from './key.ts'
import { knockAcceptor } from './knock.ts'
import type { Providers } from './oidc/provider.ts'
import { oidcAcceptor } from './oidc.ts'
import { passwordAcceptor } from './password.ts'
import { presetAcceptor } from './preset.ts'
import { sshKeyAcceptor } from './ssh-key.ts'
import { tokenAcceptor } from './token.ts'
import { ttyAcceptor } from './tty.ts'
import { urlAcceptor } from './url.ts'
import { webhookAcceptor } from './webhook.ts'

/** What the built-in acceptors work with. */
export interface AcceptorParts {
  readonly store: Store
  /** Where tokens and connection keys are looked up; absent: in the store itself. */
  readonly tokens?: Finder<TokenRecord>
  readonly keys?: Finder<Credential>
  /**
   * What the gateway is reached by, as origins such as `https://hub.example`: signatures for any
   * other are void. Asked at each use, for a port may be known only once it listens.
   */
  readonly urls: () => readonly string[]
  /** That many bytes nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
  /** Milliseconds since 1970-01-01 UTC. */
  readonly clock: () => number
  /** Whether a page of this handshake's Origin may use what the browser knows of its user (H5). */
  readonly trustsPage: (headers: Readonly<Record<string, string | undefined>>) => boolean
  /** Known OpenID providers; one for all who ask them. */
  readonly providers: Providers
  /** Where who knocks is left, for those inside to decide. */
  readonly knocks: KnockDesk
  readonly log: Log
  /** All there are, plugins among them: for flows within the options of one. */
  readonly acceptors: () => Acceptors
  /** For flows within the options of an acceptor. */
  readonly defaults: LockDefaults
}

export function builtInAcceptors(parts: AcceptorParts): Acceptor[] {
  return [
    tokenAcceptor(parts),
    sshKeyAcceptor(parts),
    keyAcceptor(parts),
    passwordAcceptor(parts),
    presetAcceptor(parts),
    identityAcceptor(parts),
    ttyAcceptor(),
    oidcAcceptor(parts),
    cookieAcceptor(parts),
    headerAcceptor(parts),
    urlAcceptor(),
    webhookAcceptor(parts),
    knockAcceptor(parts),
  ]
}
