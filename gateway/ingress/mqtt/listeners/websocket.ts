/** MQTT over WebSocket (MQTT 5 section 6): an upgrade at /mqtt, where HTTP listens. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { WebSocketServer } from 'ws'
import { Refusal } from '../../../protocol/codes.ts'
import type { Connections } from '../../connections.ts'
import { handshakeOf } from '../../handshake.ts'
import { type OriginRules, originAllowed } from '../../origin.ts'
import type { Proxies } from '../../proxies.ts'
import type { Arrivals } from './arrivals.ts'
import { WebSocketStream } from './websocket-stream.ts'

/** The second is what clients of MQTT 3.1 offered before the first was registered. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1']

/** Fragments that one message may come in; a sender that needs more is up to no good. */
const FRAGMENTS_MAX = 1024

/** How long a peer may take to answer a close frame, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000

export interface WebSocketOptions {
  readonly origins: OriginRules
  readonly connections: Connections
  readonly proxies: Proxies
  /** One WebSocket message. It may hold a part of a packet, or many. */
  readonly messageBytes: number
  /** The gateway goes down. */
  readonly draining: () => boolean
}

export const MQTT_PATH = '/mqtt'

/** Takes an upgrade at MQTT_PATH over; throws Refusal where it does not want it. */
export type Upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void

export function mqttUpgrade(arrivals: Arrivals, options: WebSocketOptions): Upgrade {
  // A variable, since the types of ws do not know closeTimeout yet.
  const settings = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.messageBytes,
    maxFragments: FRAGMENTS_MAX,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered: Set<string>) =>
      SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  }
  const server = new WebSocketServer(settings)
  server.on('wsClientError', (error) => {
    throw new Refusal(Code.HANDSHAKE_INVALID, error.message)
  })

  return (request, socket, head) => {
    const remote = options.proxies.remoteOf(request)
    check(request, remote, options)
    const handshake = handshakeOf(request, remote)
    server.handleUpgrade(request, socket, head, (ws) => {
      arrivals.add(new WebSocketStream(ws), handshake, 'websocket')
    })
  }
}

/** Throws Refusal. */
function check(request: IncomingMessage, remote: string, options: WebSocketOptions): void {
  const { origins, connections, draining } = options
  if (draining()) throw new Refusal(Code.DRAINING, 'the gateway goes down')
  if (!originAllowed(request, origins)) {
    throw new Refusal(Code.ORIGIN_NOT_ALLOWED, 'see http.origins in the config')
  }
  const offered = request.headers['sec-websocket-protocol']?.split(',') ?? []
  if (!offered.some((name) => SUBPROTOCOLS.includes(name.trim()))) {
    throw new Refusal(Code.SUBPROTOCOL_UNSUPPORTED, 'known here: mqtt, mqttv3.1')
  }
  connections.check(request.socket, remote)
}
