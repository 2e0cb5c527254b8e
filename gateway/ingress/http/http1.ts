/** HTTP/1.1 and the upgrades to WebSocket, on connections that something else has accepted. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { Refusal } from '../../protocol/codes.ts'
import { linger } from '../linger.ts'
import {
  HEADER_BYTES_MAX,
  HEADERS_TIMEOUT_MS,
  LINGER_MS,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_SWEEP_MS,
} from './bounds.ts'
import { refuseUpgrade } from './problem.ts'
import type { HttpRequest, HttpResponse } from './route.ts'

/** Takes a connection over, or throws Refusal. */
export type Upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void

export function http1Server(
  answer: (request: HttpRequest, response: HttpResponse) => void,
  upgrade: Upgrade,
): Server {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_SWEEP_MS,
    // Other offers, such as the h2c of curl --http2, are declined by answering the request.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  })
  server.on('request', (request, response) => {
    // Who gives a request up may have taken its socket from it by then.
    const { socket } = request
    if (hasBody(request)) response.once('finish', () => leaveRest(request, socket))
    answer(request, response)
  })
  server.on('upgrade', (request, socket, head) => take(upgrade, request, socket as Socket, head))
  // Node begins to look at the timeouts when a server listens, and this one never does.
  server.emit('listening')
  return server
}

function hasBody({ headers }: IncomingMessage): boolean {
  return 'transfer-encoding' in headers || (headers['content-length'] ?? '0') !== '0'
}

/** An answer need not wait for all of a request: what is still to come has LINGER_MS. */
function leaveRest(request: IncomingMessage, socket: Socket): void {
  if (request.complete) return
  request.resume()
  linger(request, 'end', LINGER_MS, () => socket.destroy())
}

function take(upgrade: Upgrade, request: IncomingMessage, socket: Socket, head: Buffer): void {
  // Until somebody has taken the socket over, an error of it would end the process.
  socket.on('error', gone)
  try {
    upgrade(request, socket, head)
    socket.off('error', gone)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    refuseUpgrade(socket, error)
  }
}

function gone(this: Socket): void {
  this.destroy()
}
