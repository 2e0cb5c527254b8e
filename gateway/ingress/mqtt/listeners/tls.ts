/** MQTT on TLS, port 8883. */
import type { Endpoint } from '../../../config/setting.ts'
import { listen, SOCKETS } from '../../listen.ts'
import { secureServer, type TlsFiles } from '../../tls.ts'
import type { Arrivals } from './arrivals.ts'
import {
  admit,
  handshakeOf,
  ignore,
  type Listener,
  type ListenerOptions,
  listenerOf,
} from './tcp.ts'

export interface TlsOptions extends ListenerOptions, TlsFiles {
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeMs: number
}

export interface TlsListener extends Listener {
  /** Throws where certificate or key are no good; what was good before stays. */
  reload(): void
}

/** Rejects with a ListenError, or with the error of a certificate or key that is no good. */
export async function listenTls(
  endpoint: Endpoint,
  arrivals: Arrivals,
  options: TlsOptions,
): Promise<TlsListener> {
  const { server, reload } = secureServer(SOCKETS, { ...options, setting: 'mqtt.tls' })
  const open = admit(server, options.connections)
  server.on('secureConnection', (socket) => {
    socket.on('error', ignore)
    if (!socket.destroyed) arrivals.add(socket, handshakeOf(socket), 'tls')
  })
  const setting = 'mqtt.tls.listen'
  const at = await listen(server, endpoint, { setting, log: options.log })
  return { ...listenerOf(server, at, open), reload }
}
