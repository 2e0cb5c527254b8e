/** A listener of HTTP, on plain TCP or on TLS. */
import { createServer, type Server } from 'node:net'
import type { Endpoint } from '../../config/setting.ts'
import type { Log } from '../../observe/log.ts'
import type { Connections } from '../connections.ts'
import { listen, SOCKETS } from '../listen.ts'
import { secureServer, type TlsFiles } from '../tls.ts'
import { HEADERS_TIMEOUT_MS } from './bounds.ts'
import { ALPN, type HttpVersions } from './versions.ts'

export interface ListenerOptions {
  readonly listen: Endpoint
  /** Where it stands in the config: `http` for `http.listen`. */
  readonly section: string
  /** Without them it speaks plain HTTP. */
  readonly tls?: TlsFiles | undefined
  readonly connections: Connections
  readonly log: Log
}

export interface Listener extends Endpoint {
  /** Takes certificate and key as they are now. Throws where they are no good. */
  reload(): void
  /** Takes no new connections; those that are open live on. */
  stopListening(): void
  /** Resolves when none is open any more. */
  closed(): Promise<void>
}

/** As Node has it for HTTP: a client may end its side, and is still answered. */
const HALF_OPEN = { ...SOCKETS, allowHalfOpen: true }

/** Rejects with a ListenError, or with the error of a certificate or key that is no good. */
export async function listenHttp(
  options: ListenerOptions,
  versions: HttpVersions,
): Promise<Listener> {
  const { section, connections, log } = options
  const { server, reload } = options.tls
    ? secure(options.tls, options, versions)
    : { server: plain(versions), reload: () => undefined }
  server.prependListener('connection', (socket) => connections.take(socket))
  const at = await listen(server, options.listen, { setting: `${section}.listen`, log })
  return {
    ...at,
    reload,
    stopListening: () => void server.close(),
    closed: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

function plain(versions: HttpVersions): Server {
  return createServer(HALF_OPEN, (socket) => {
    if (!socket.destroyed) versions.take(socket)
  })
}

function secure(
  files: TlsFiles,
  { section: setting, log }: ListenerOptions,
  versions: HttpVersions,
): { server: Server; reload(): void } {
  const settings = { ...HALF_OPEN, ALPNProtocols: ALPN }
  const parts = { ...files, handshakeMs: HEADERS_TIMEOUT_MS, setting, log }
  const { server, reload } = secureServer(settings, parts)
  server.on('secureConnection', (socket) => versions.takeSecure(socket))
  return { server, reload }
}
