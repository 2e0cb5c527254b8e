/** MQTT on plain TCP, port 1883. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../../../config/setting.ts'
import type { Handshake } from '../../../locks/acceptor.ts'
import type { Log } from '../../../observe/log.ts'
import type { Connections } from '../../connections.ts'
import { listen, SOCKETS } from '../../listen.ts'
import type { Arrivals } from './arrivals.ts'

export interface ListenerOptions {
  readonly connections: Connections
  readonly log: Log
}

export interface Listener extends Endpoint {
  /** Takes no new connections; those that are open live on. */
  stopListening(): void
  /** Closes what is still open. */
  close(): Promise<void>
}

/** TCP has no header fields; one object for all. */
const NONE: Handshake['headers'] = Object.freeze({})

export function ignore(): void {}

/** Rejects with a ListenError. */
export async function listenTcp(
  endpoint: Endpoint,
  arrivals: Arrivals,
  options: ListenerOptions,
): Promise<Listener> {
  const server = createServer(SOCKETS)
  const open = admit(server, options.connections)
  server.on('connection', (socket) => {
    if (!socket.destroyed) arrivals.add(socket, handshakeOf(socket), 'tcp')
  })
  const setting = 'mqtt.listen'
  return listenerOf(server, await listen(server, endpoint, { setting, log: options.log }), open)
}

/** What came with a connection: where it is from. */
export function handshakeOf({ remoteAddress = '' }: Socket): Handshake {
  return { remote: remoteAddress, headers: NONE }
}

/**
 * Counts a server's connections, closes those that are too many, and gives the set of those that
 * are open. MQTT has no word for that before CONNECT, and to wait for it would cost what is short.
 */
export function admit(server: Server, connections: Connections): ReadonlySet<Socket> {
  const open = new Set<Socket>()
  // One for all: a closure for each, and once() with it, would be more than the entry (G10).
  function gone(this: Socket) {
    open.delete(this)
  }
  server.on('connection', (socket: Socket) => {
    // A reset must not end the process, whoever serves it; the socket closes by itself then.
    socket.on('error', ignore)
    connections.take(socket)
    if (socket.destroyed) return
    try {
      connections.check(socket)
    } catch {
      return socket.destroy()
    }
    open.add(socket)
    socket.on('close', gone)
  })
  return open
}

export function listenerOf(server: Server, at: Endpoint, open: ReadonlySet<Socket>): Listener {
  return {
    ...at,
    stopListening: () => void server.close(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
