/** What is reached by credentials over HTTP: administration, messages and metrics. */
import { randomBytes } from 'node:crypto'
import type { Transport } from '@connectrpc/connect'
import { bearerOf } from '../admin/credentials/authenticate.ts'
import { openCredentials } from '../admin/credentials/credentials.ts'
import { overseerOf } from '../admin/credentials/overseer.ts'
import type { Principal } from '../admin/credentials/principal.ts'
import { Pages } from '../admin/pages.ts'
import type { AdminParts } from '../admin/parts.ts'
import type { Gateway } from '../admin/running.ts'
import type { Config } from '../config/config.ts'
import type { Feature } from '../config/features.ts'
import { loginRoutes } from '../ingress/http/login.ts'
import { messagesRoute } from '../ingress/http/messages/route.ts'
import type { Handler, Route } from '../ingress/http/route.ts'
import { traced } from '../ingress/http/traced.ts'
import type { Forwardable, Proxies } from '../ingress/proxies.ts'
import type { AcceptorParts } from '../locks/acceptors/index.ts'
import { OidcLogins } from '../locks/acceptors/oidc/login.ts'
import { levelsOf } from '../observe/levels.ts'
import type { Measured } from '../observe/metrics/family.ts'
import type { MetricsRoutes } from '../observe/metrics/route.ts'
import { copyId, uuidOf } from '../protocol/uuid7.ts'
import type { Core } from '../session/core.ts'
import type { Posters } from '../session/posts/posters.ts'
import type { Sessions } from '../session/sessions.ts'

import { acceptorParts, type Commons, commonsOf, createCore, type GatewayParts } from './core.ts'

/** Features that are reached by credentials which HTTP carries. */
const BY_CREDENTIALS: readonly Feature[] = ['admin', 'messages', 'metrics']

export interface Administration {
  /** Undefined where nothing needs it. */
  readonly bearer: ((request: Forwardable) => Promise<Principal>) | undefined
  readonly handlers: readonly Handler[]
  stop(): Promise<void>
}

/** What those work with who come by credentials. */
export interface Around {
  readonly core: Core
  readonly sessions: Sessions
  readonly posters: Posters | undefined
  readonly commons: Commons
  readonly parts: AcceptorParts
  readonly proxies: Proxies
  readonly gateway: () => Gateway | undefined
}

/** For everybody, beside health. */
export function routesOf(
  given: GatewayParts,
  { parts, proxies, posters, bearer }: Around & Administration,
): Route[] {
  const { features } = given.config
  const login = features.includes('login') ? loginOf(given.config, parts, proxies) : []
  const posts = features.includes('messages') && posters && bearer
  const routes = posts ? [...login, messagesRoute({ ...given, posters, bearer })] : login
  return features.includes('traces') ? routes.map(traced) : routes
}

export async function administrationOf(
  given: GatewayParts,
  { core, sessions, posters, commons, parts, proxies, gateway }: Around,
): Promise<Administration> {
  const { config } = given
  if (!config.features.some((feature) => BY_CREDENTIALS.includes(feature))) {
    return { bearer: undefined, handlers: [], stop: async () => {} }
  }
  const { failures } = core
  const credentials = await openCredentials({ ...given, ...parts, ...commons, failures })
  const { authenticate } = credentials
  const remoteOf = (request: Forwardable) => proxies.remoteOf(request)
  const bearer = bearerOf(authenticate, remoteOf)
  if (!config.features.includes('admin') || !posters) {
    return { bearer, handlers: [], stop: credentials.stop }
  }
  // Loaded here, for it is much that a gateway without administration does not need.
  const { openAdmin } = await import('../admin/admin.ts')
  const live = { core, sessions, posters, gateway, startedAt: commons.uptime() }
  const admin = openAdmin({ ...adminParts(given, commons, parts), live }, authenticate, remoteOf)
  return {
    bearer,
    handlers: [admin],
    stop() {
      admin.stop()
      return credentials.stop()
    },
  }
}

function adminParts(
  given: GatewayParts,
  { ids, uptime }: Commons,
  { acceptors, defaults }: AcceptorParts,
): AdminParts {
  return {
    ...given,
    log: levelsOf(given.log).of('admin'),
    levels: levelsOf(given.log),
    clock: Date.now,
    uptime,
    random: randomBytes,
    newId: () => uuidOf(copyId(ids.next()).toString('hex')),
    pages: new Pages(randomBytes(32)),
    flows: { acceptors: acceptors(), defaults },
    emptyCore: () => createCore(given),
  }
}

/** Loaded here, for a gateway without metrics does not need it. */
export async function metricsOf(
  measured: Measured,
  { bearer }: Administration,
): Promise<MetricsRoutes | undefined> {
  if (!bearer || !measured.config.features.includes('metrics')) return undefined
  const { metricsRoutes } = await import('../observe/metrics/route.ts')
  return metricsRoutes(measured, overseerOf(bearer))
}

function loginOf({ http: { origins } }: Config, parts: AcceptorParts, proxies: Proxies): Route[] {
  const { urls, trustsPage } = parts
  return loginRoutes({
    logins: new OidcLogins(parts),
    publicUrl: () => urls()[0],
    origins,
    trustsPage,
    isSecure: (request) => proxies.isSecure(request),
  })
}

/** The admin API over a store that no gateway is open on: what is live is not there. */
export async function localAdmin(given: GatewayParts): Promise<Transport> {
  const commons = commonsOf(given, Date.now)
  const parts = acceptorParts(given, Date.now, commons)
  const { localTransport } = await import('../admin/local.ts')
  return localTransport(adminParts(given, commons, parts))
}
