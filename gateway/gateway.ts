/** Makes a gateway out of its layers; the only file that knows them all, and the embedding API. */
import { randomBytes } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'

import type { Config } from './config/config.ts'
import { Connections } from './ingress/connections.ts'
import { serveHttp } from './ingress/http/server.ts'
import { isLoopback } from './ingress/websocket/origin.ts'
import { type WebSocketOptions, webSocketIngress } from './ingress/websocket/upgrade.ts'
import { tokenAcceptor } from './locks/acceptors/token.ts'
import type { Log } from './observe/log.ts'
import { Refusal } from './protocol/codes.ts'
import { Uuid7Source } from './protocol/uuid7.ts'
import { Rooms } from './rooms/rooms.ts'
import { Graph } from './router/graph.ts'
import { IdempotencyWindow } from './router/idempotency.ts'
import { Router } from './router/router.ts'
import { Turn } from './router/turn.ts'
import type { Core } from './session/core.ts'
import { Sessions } from './session/sessions.ts'
import type { Store } from './store/store.ts'

export interface Gateway {
  /** Where it listens in fact. */
  readonly http: { readonly host: string; readonly port: number }
  /** Live sockets. */
  readonly sockets: number
  /**
   * Ends in order: takes no new connections, tells the sockets to reconnect, lets their outboxes
   * out for at most config.drainMs, and closes. The store stays open; it is the caller's.
   */
  drain(): Promise<void>
}

export interface GatewayParts {
  readonly config: Config
  readonly store: Store
  readonly log: Log
}

/** Starts a gateway. Rejects where it cannot listen. */
export async function createGateway({ config, store, log }: GatewayParts): Promise<Gateway> {
  const clock = Date.now
  const graph = new Graph()
  const turn = new Turn(setImmediate)
  const core: Core = {
    options: config,
    clock,
    // Whole numbers, which take no memory of their own where they are kept.
    uptime: () => Math.trunc(performance.now()),
    newId,
    turn,
    log,
    router: new Router(
      graph,
      new Uuid7Source(clock, randomBytes),
      new IdempotencyWindow(config.idempotency),
    ),
    rooms: new Rooms({ stored: store.rooms, graph, turn, clock }),
    acceptors: new Map([tokenAcceptor(store.tokens, clock)].map((each) => [each.name, each])),
  }
  const sessions = new Sessions(core)
  const { host, port } = config.http.listen
  const connections = new Connections(config.connections)
  const http = await serveHttp({
    host,
    port,
    connections,
    ready: async () => {
      if (sessions.draining) throw new Refusal(Code.DRAINING, 'the gateway goes down')
      await store.ping()
    },
    upgrade: config.features.includes('websocket')
      ? webSocketIngress(webSocketOptions(config, connections), sessions)
      : refuseWebSocket,
  })
  return {
    http: { host: http.host, port: http.port },
    get sockets() {
      return sessions.count
    },
    async drain() {
      http.stopListening()
      await sessions.drain(config.drainMs)
      await http.close()
    },
  }
}

function webSocketOptions({ http, limits }: Config, connections: Connections): WebSocketOptions {
  return {
    origins: { allowed: http.origins, loopback: isLoopback(http.listen.host) },
    connections,
    packetBytes: limits.packetBytes,
  }
}

function refuseWebSocket(): never {
  throw new Refusal(Code.PATH_UNKNOWN, 'this gateway serves no WebSocket; see features')
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** 80 random bits: an id that nobody guesses (a byte modulo 32 is even, for 32 divides 256). */
function newId(): string {
  return Array.from(randomBytes(16), (byte) => BASE32[byte % 32]).join('')
}
