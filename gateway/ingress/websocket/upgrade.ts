/**
 * From an HTTP upgrade to a served WebSocket: what is refused, is refused before it costs anything.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Entry, formatAddress, parsePath } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Sessions } from '../../session/sessions.ts'
import type { Connections } from '../connections.ts'
import { handshakeOf } from '../handshake.ts'
import { type OriginRules, originAllowed } from '../origin.ts'
import type { Proxies } from '../proxies.ts'
import { type Arrival, closeWith, LANES, SessionSocket, serve } from './connection.ts'
import {
  type Caller,
  serveTeleprinter,
  type TeleprinterOptions,
} from './teleprinter/teleprinter.ts'

export interface WebSocketOptions {
  readonly origins: OriginRules
  readonly connections: Connections
  readonly proxies: Proxies
  readonly packetBytes: number
  /** Undefined: it is off, and bare text is refused. */
  readonly teleprinter: TeleprinterOptions | undefined
}

/** Fragments that one message may come in; a sender that needs more is up to no good. */
const FRAGMENTS_MAX = 1024

/** How long a peer may take to answer a close frame, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000

/** Gives what takes a server's upgrades; it throws Refusal for those that it does not want. */
export function webSocketIngress(options: WebSocketOptions, sessions: Sessions) {
  // A variable, since the types of ws do not know closeTimeout yet.
  const settings = {
    noServer: true,
    WebSocket: SessionSocket,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.packetBytes,
    maxFragments: FRAGMENTS_MAX,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered: Set<string>) =>
      LANES.find(({ name }) => offered.has(name))?.name ?? false,
  }
  const server = new WebSocketServer(settings)
  server.on('wsClientError', (error) => {
    throw new Refusal(Code.HANDSHAKE_INVALID, error.message)
  })

  return (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const remote = options.proxies.remoteOf(request)
    const entry = check(request, remote, options, sessions)
    const secret = entry.kind === 'room' ? entry.secret : undefined
    const arrival = { entry, handshake: handshakeOf(request, remote, secret) }
    server.handleUpgrade(request, socket, head, (ws) => {
      if (ws.protocol !== '') return serve(ws, socket, sessions, arrival)
      if (options.teleprinter) {
        const caller = callerOf(ws, socket, request, sessions, arrival)
        return void serveTeleprinter(caller, options.teleprinter)
      }
      ws.on('error', () => undefined)
      closeWith(ws, Code.SUBPROTOCOL_MISSING, 'offer porthouse.v1 or porthouse.v1.json')
    })
  }
}

function callerOf(
  ws: WebSocket,
  socket: Socket,
  request: IncomingMessage,
  sessions: Sessions,
  { entry, handshake }: Arrival,
): Caller {
  return {
    ws,
    socket,
    remote: handshake.remote,
    query: new URLSearchParams(request.url?.split('?')[1] ?? ''),
    place: entry.kind === 'main' ? undefined : formatAddress(entry.address),
    client: entry.kind === 'room' ? entry.client : undefined,
    open: (wire, lane) => sessions.open({ wire, lane, handshake }),
    enter: (session) => sessions.enter(session, entry),
    answered: (session, position) => sessions.answered(session, position),
    late: () => sessions.draining,
  }
}

/** Throws Refusal. */
function check(
  request: IncomingMessage,
  remote: string,
  { origins, connections }: WebSocketOptions,
  sessions: Sessions,
): Entry {
  if (sessions.draining) throw new Refusal(Code.DRAINING, 'the gateway goes down')
  const entry = parsePath((request.url ?? '').split('?')[0] as string)
  if (!originAllowed(request, origins)) {
    throw new Refusal(Code.ORIGIN_NOT_ALLOWED, 'see http.origins in the config')
  }
  const offered = request.headers['sec-websocket-protocol']
  const known = offered?.split(',').some((name) => LANES.some((lane) => lane.name === name.trim()))
  if (offered !== undefined && !known) {
    throw new Refusal(Code.SUBPROTOCOL_UNSUPPORTED, 'known: porthouse.v1, porthouse.v1.json')
  }
  connections.check(request.socket, remote)
  if (!sessions.mayTry(remote)) {
    throw new Refusal(Code.RATE_LIMITED, 'too many wrong answers came from this network')
  }
  return entry
}

/** In place of the ingress where the feature is off. */
export function refuseWebSocket(): never {
  throw new Refusal(Code.PATH_UNKNOWN, 'this gateway serves no WebSocket; see features')
}
