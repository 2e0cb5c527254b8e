/** The HTTP port: a table of routes, health among them, and the way to WebSocket. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import type { Log } from '../../observe/log.ts'
import { Refusal } from '../../protocol/codes.ts'
import { StoreError } from '../../store/store.ts'
import type { Connections } from '../connections.ts'
import { listen } from '../listen.ts'
import { refuseRequest, refuseUpgrade } from './problem.ts'
import { answerText, type Route } from './route.ts'

/** All headers of a request, in bytes; over it: 431. */
const HEADER_BYTES_MAX = 16_384

/** A request's headers, and the whole of it, have to be there within this time, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

/** How often these timeouts are looked at. */
const TIMEOUT_SWEEP_MS = 1_000

export interface HttpOptions {
  readonly host: string
  readonly port: number
  readonly connections: Connections
  readonly log: Log
  /** Resolves where the gateway can do its work; rejects with a Refusal or the store's error. */
  readonly ready: () => Promise<void>
  /** Beyond health. */
  readonly routes?: readonly Route[]
  /** Takes a connection over, or throws Refusal. */
  readonly upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void
}

export interface HttpServer {
  readonly host: string
  readonly port: number
  /** Takes no new connections; those that are open live on. */
  stopListening(): void
  /** Closes what is still open. */
  close(): Promise<void>
}

/** Rejects with a ListenError where the address cannot be listened on. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_SWEEP_MS,
    // Other offers, such as the h2c of curl --http2, are declined by answering the request.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  })
  server.on('connection', (socket) => options.connections.take(socket))
  const routes = [...healthRoutes(options), ...(options.routes ?? [])]
  server.on('request', (request, response) => answer(routes, options.log, request, response))
  server.on('upgrade', (request, socket, head) => upgrade(options, request, socket as Socket, head))
  const { log } = options
  const { host, port } = await listen(server, options, { setting: 'http.listen', log })
  return {
    host,
    port,
    stopListening: () => void server.close(),
    close: () => close(server),
  }
}

async function answer(
  routes: readonly Route[],
  log: Log,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?')[0] ?? ''
  const matching = routes.filter((route) => route.path.test(path))
  const route = matching.find(({ method }) => method === request.method || isHead(request, method))
  if (!route) return refuse(response, matching)
  try {
    await route.answer(request, response, route.path.exec(path)?.slice(1) ?? [])
  } catch (error) {
    refuseRequest(response, asRefusal(error, log))
  }
}

function asRefusal(error: unknown, log: Log): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof StoreError && error.failure !== 'unreadable') {
    return new Refusal(Code.UNAVAILABLE, 'the store is away')
  }
  log.error({ err: error }, 'a request failed')
  return new Refusal(Code.INTERNAL, 'the log of the gateway has more')
}

function isHead(request: IncomingMessage, method: string): boolean {
  return request.method === 'HEAD' && method === 'GET'
}

function refuse(response: ServerResponse, matching: readonly Route[]): void {
  if (matching.length === 0) {
    const detail = 'nothing is served here over plain HTTP'
    return refuseRequest(response, new Refusal(Code.PATH_UNKNOWN, detail))
  }
  const allow = matching.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ')
  response.writeHead(405, { allow }).end()
}

function healthRoutes({ ready }: HttpOptions): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/healthz$/,
      answer: (_request, response) => answerText(response, 200, 'ok'),
    },
    {
      method: 'GET',
      path: /^\/readyz$/,
      answer: async (_request, response) => {
        await ready()
        answerText(response, 200, 'ok')
      },
    },
  ]
}

function upgrade(
  options: HttpOptions,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  // Until somebody takes the socket over, an error of it would end the process.
  socket.on('error', () => socket.destroy())
  try {
    options.upgrade(request, socket, head)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    refuseUpgrade(socket, error)
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
