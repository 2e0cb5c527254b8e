/** The HTTP port: health, and the way to WebSocket. Later services join here. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import type { Connections } from '../connections.ts'
import { refuseRequest, refuseUpgrade } from './problem.ts'

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
  /** Resolves where the gateway can do its work; rejects with a Refusal or the store's error. */
  readonly ready: () => Promise<void>
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

/** Rejects where the address cannot be listened on. */
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
  server.on('request', (request, response) => answer(options, request, response))
  server.on('upgrade', (request, socket, head) => upgrade(options, request, socket as Socket, head))
  await listen(server, options)
  const { address, port } = server.address() as AddressInfo
  return {
    host: address,
    port,
    stopListening: () => void server.close(),
    close: () => close(server),
  }
}

async function answer(
  { ready }: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?')[0]
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
  }
  if (path === '/healthz') return text(response, 200, 'ok')
  if (path === '/readyz') {
    return ready().then(
      () => text(response, 200, 'ok'),
      (error) => refuseRequest(response, notReady(error)),
    )
  }
  refuseRequest(response, new Refusal(Code.PATH_UNKNOWN, 'nothing is served here over plain HTTP'))
}

function notReady(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(Code.UNAVAILABLE, 'the store is away')
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

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${body}\n`)
}

function listen(server: Server, { host, port }: HttpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
