/**
 * From an HTTP upgrade to a served WebSocket: what is refused, is refused before it costs anything.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { WebSocketServer } from 'ws'
import { type Entry, parsePath } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Sessions } from '../../session/sessions.ts'
import type { Connections } from '../connections.ts'
import { closeWith, LANES, serve } from './connection.ts'
import { type OriginRules, originAllowed } from './origin.ts'

export interface WebSocketOptions {
  readonly origins: OriginRules
  readonly connections: Connections
  readonly packetBytes: number
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
    const entry = check(request, options, sessions)
    server.handleUpgrade(request, socket, head, (ws) => {
      if (ws.protocol !== '') return serve(ws, socket, sessions, entry)
      ws.on('error', () => undefined)
      closeWith(ws, Code.SUBPROTOCOL_MISSING, 'offer porthouse.v1 or porthouse.v1.json')
    })
  }
}

/** Throws Refusal. */
function check(
  request: IncomingMessage,
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
  connections.check(request.socket)
  return entry
}
