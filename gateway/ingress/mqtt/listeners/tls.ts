/** MQTT on TLS, port 8883. */
import { constants } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type SecureContextOptions } from 'node:tls'
import type { Endpoint } from '../../../config/setting.ts'
import { listen } from '../../listen.ts'
import type { Arrivals } from './arrivals.ts'
import {
  admit,
  handshakeOf,
  ignore,
  type Listener,
  type ListenerOptions,
  listenerOf,
  SOCKETS,
} from './tcp.ts'

export interface TlsOptions extends ListenerOptions {
  /** PEM files. */
  readonly certFile: string
  readonly keyFile: string
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeMs: number
}

export interface TlsListener extends Listener {
  /**
   * Reads certificate and key anew, for connections from then on. Throws where they are no good;
   * what was good before stays.
   */
  reload(): void
}

/**
 * Rejects with a ListenError, or with the error of a certificate or key that is no good. Nothing
 * below TLS 1.2 is spoken, and nothing is negotiated a second time (threat H13).
 */
export async function listenTls(
  endpoint: Endpoint,
  arrivals: Arrivals,
  options: TlsOptions,
): Promise<TlsListener> {
  const server = createServer({
    ...SOCKETS,
    ...contextOf(options),
    handshakeTimeout: options.handshakeMs,
  })
  const open = admit(server, options.connections)
  server.on('secureConnection', (socket) => {
    socket.on('error', ignore)
    if (!socket.destroyed) arrivals.add(socket, handshakeOf(socket), 'tls')
  })
  // Who fails at the handshake, or takes too long for it: Node leaves the latter open.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const setting = 'mqtt.tls.listen'
  const at = await listen(server, endpoint, { setting, log: options.log })
  const reload = () => server.setSecureContext(contextOf(options))
  return { ...listenerOf(server, at, open), reload }
}

function contextOf({ certFile, keyFile }: TlsOptions): SecureContextOptions {
  return {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  }
}
