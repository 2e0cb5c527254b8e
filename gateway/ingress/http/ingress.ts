/**
 * All ways of HTTP into the gateway: its own port and that with TLS, and, each where an address is
 * given for it, administration and metrics set apart.
 */

import { Code } from '@porthouse/proto/v1/code'
import type { Config } from '../../config/config.ts'
import { exposureWarning } from '../../config/exposure.ts'
import type { Endpoint } from '../../config/setting.ts'
import type { Log } from '../../observe/log.ts'
import { Refusal } from '../../protocol/codes.ts'
import { Connections } from '../connections.ts'
import type { Proxies } from '../proxies.ts'
import type { TlsFiles } from '../tls.ts'
import { healthRoutes } from './health.ts'
import type { Upgrade } from './http1.ts'
import type { Handler, Route } from './route.ts'
import { type HttpServer, serveHttp } from './server.ts'

/** What answers, in the order in which it is asked. */
export interface Answering {
  readonly handlers: readonly Handler[]
  readonly routes: readonly Route[]
}

export interface HttpIngressOptions {
  readonly config: Config
  readonly connections: Connections
  readonly proxies: Proxies
  readonly log: Log
  /** Resolves where the gateway can do its work; rejects with a Refusal or the store's error. */
  readonly ready: () => Promise<void>
  readonly upgrade: Upgrade
  /** Told of everything that is refused over HTTP, upgrades among it. */
  readonly refused?: (code: Code) => void
  /** For everybody, beyond health. */
  readonly open: Answering
  /** For operators and admins: served beside `open`, or where `admin.listen` says so alone. */
  readonly admin: Answering
  /** For who reaches `metrics.listen`, and served nowhere else. */
  readonly metrics: readonly Route[]
}

export interface HttpIngress {
  /** Where it listens in fact; undefined where that is off. */
  readonly http: Endpoint
  readonly https: Endpoint | undefined
  readonly admin: Endpoint | undefined
  readonly metrics: Endpoint | undefined
  /** Takes certificates as they are now. Throws where one is no good. */
  reload(): void
  /** Takes no new connections, nor requests on those that have none; open ones live on. */
  stopListening(): void
  /** Closes what is still open; what was asked has `graceMs` to be answered before. */
  close(graceMs?: number): Promise<void>
}

/** Rejects with a ListenError or the error of a certificate; nothing listens then. */
export async function httpIngress(options: HttpIngressOptions): Promise<HttpIngress> {
  const servers: HttpServer[] = []
  const all = async <T>(work: (server: HttpServer) => T) => Promise.all(servers.map(work))
  try {
    const main = await serveMain(options)
    servers.push(main)
    const admin = await serveAdmin(options)
    if (admin) servers.push(admin)
    const metrics = await serveMetrics(options)
    if (metrics) servers.push(metrics)
    return {
      http: main.endpoints[0] as Endpoint,
      https: main.endpoints[1],
      admin: admin?.endpoints[0],
      metrics: metrics?.endpoints[0],
      reload() {
        for (const server of servers) server.reload()
      },
      stopListening() {
        for (const server of servers) server.stopListening()
      },
      close: async (graceMs) => void (await all((server) => server.close(graceMs))),
    }
  } catch (error) {
    await all((server) => server.close())
    throw error
  }
}

async function serveMain(options: HttpIngressOptions): Promise<HttpServer> {
  const { config, connections, log, upgrade, open, admin, refused } = options
  const { http } = config
  const tls = filesOf(http.tls)
  const secure = tls && http.tls.listen !== 'off' ? [{ listen: http.tls.listen, tls }] : []
  const shared = config.admin.listen === 'off' ? admin : { handlers: [], routes: [] }
  return serveHttp({
    listeners: [
      { listen: http.listen, section: 'http' },
      ...secure.map((one) => ({ ...one, section: 'http.tls' })),
    ],
    http2: http,
    origins: http.origins,
    connections,
    log,
    handlers: [...shared.handlers, ...open.handlers],
    routes: [...health(options), ...shared.routes, ...open.routes],
    upgrade,
    refused,
  })
}

async function serveAdmin(options: HttpIngressOptions): Promise<HttpServer | undefined> {
  const { config, admin } = options
  const { listen, tls } = config.admin
  if (listen === 'off' || admin.handlers.length + admin.routes.length === 0) return undefined
  const listeners = [{ listen, section: 'admin', tls: filesOf(tls) }]
  const routes = [...health(options), ...admin.routes]
  return serveHttp({ ...apart(options), listeners, handlers: admin.handlers, routes })
}

async function serveMetrics(options: HttpIngressOptions): Promise<HttpServer | undefined> {
  const { listen } = options.config.metrics
  const { metrics: routes } = options
  if (listen === 'off' || routes.length === 0) return undefined
  const listeners = [{ listen, section: 'metrics' }]
  return serveHttp({ ...apart(options), listeners, handlers: [], routes })
}

/** With connections of its own: who fills the gateway's must not keep its operator out (H16). */
function apart({ config, proxies, log, refused }: HttpIngressOptions) {
  const connections = new Connections(config.connections, proxies)
  const { origins } = config.http
  return { http2: config.http, origins, connections, log, upgrade: refuseUpgrade, refused }
}

function health({ config, ready }: HttpIngressOptions): Route[] {
  return healthRoutes(ready, exposureWarning(config))
}

function filesOf({ certFile, keyFile }: Config['admin']['tls']): TlsFiles | undefined {
  return certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined
}

function refuseUpgrade(): never {
  throw new Refusal(Code.PATH_UNKNOWN, 'no WebSocket is served here')
}
