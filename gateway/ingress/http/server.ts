/** The HTTP port: routes and handlers over HTTP/1.1 and HTTP/2, and the way to WebSocket. */
import { createServer, type Server } from 'node:net'
import type { Endpoint } from '../../config/setting.ts'
import type { Log } from '../../observe/log.ts'
import type { Connections } from '../connections.ts'
import { listen } from '../listen.ts'
import { answer } from './answer.ts'
import { healthRoutes } from './health.ts'
import type { Upgrade } from './http1.ts'
import type { Http2Bounds } from './http2.ts'
import type { Handler, Route } from './route.ts'
import { HttpVersions } from './versions.ts'

export interface HttpOptions {
  readonly listen: Endpoint
  readonly http2: Http2Bounds
  readonly connections: Connections
  readonly log: Log
  /** Resolves where the gateway can do its work; rejects with a Refusal or the store's error. */
  readonly ready: () => Promise<void>
  /** Beyond health. */
  readonly routes?: readonly Route[]
  /** Such as an API of Connect, which has paths and methods of its own. */
  readonly handlers?: readonly Handler[]
  readonly upgrade: Upgrade
}

export interface HttpServer extends Endpoint {
  /** Takes no new connections, nor requests on those that have none; open ones live on. */
  stopListening(): void
  /** Closes what is still open. */
  close(): Promise<void>
}

/** As Node has it for HTTP: a client may end its side, and is still answered. */
const SOCKETS = { allowHalfOpen: true, noDelay: true }

/** Rejects with a ListenError where the address cannot be listened on. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { connections, log, upgrade, http2, handlers = [] } = options
  const routes = [...healthRoutes(options.ready), ...(options.routes ?? [])]
  const served = { handlers, routes, log }
  const versions = new HttpVersions({
    answer: (request, response) => void answer(served, request, response),
    upgrade,
    http2,
  })
  const server = createServer(SOCKETS, (socket) => {
    connections.take(socket)
    if (!socket.destroyed) versions.take(socket)
  })
  const at = await listen(server, options.listen, { setting: 'http.listen', log }).catch(
    (error) => {
      versions.stop()
      throw error
    },
  )
  return {
    ...at,
    stopListening() {
      server.close()
      versions.stop()
    },
    close: () => close(server, versions),
  }
}

function close(server: Server, versions: HttpVersions): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    versions.stop()
    versions.close()
  })
}
