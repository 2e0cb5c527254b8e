/** All ways of MQTT into the gateway: each a listener that can be off. */
import type { Config } from '../../config/config.ts'
import type { Endpoint } from '../../config/setting.ts'
import type { Log } from '../../observe/log.ts'
import type { Connections } from '../connections.ts'
import type { OriginRules } from '../origin.ts'
import type { Proxies } from '../proxies.ts'
import { Arrivals } from './listeners/arrivals.ts'
import type { Serve } from './listeners/serve.ts'
import { type Listener, listenTcp } from './listeners/tcp.ts'
import { listenTls, type TlsListener } from './listeners/tls.ts'
import { mqttUpgrade, type Upgrade } from './listeners/websocket.ts'

export interface IngressOptions {
  readonly mqtt: Config['mqtt']
  /** One packet. */
  readonly packetBytes: number
  readonly origins: OriginRules
  readonly connections: Connections
  readonly proxies: Proxies
  readonly log: Log
  readonly draining: () => boolean
  /** The gateway's own milliseconds. */
  readonly uptime: () => number
}

export interface MqttIngress {
  /** Where it listens in fact; undefined where that is off. */
  readonly tcp: Endpoint | undefined
  readonly tls: Endpoint | undefined
  /** For upgrades at MQTT_PATH; undefined where that is off. */
  readonly upgrade: Upgrade | undefined
  /** Takes certificate and key of TLS as they are now. Throws where they are no good. */
  reload(): void
  /** Takes no new connections; those that are open live on. */
  stopListening(): void
  /** Closes what is still open. */
  close(): Promise<void>
}

/** Rejects with a ListenError; nothing listens then. */
export async function mqttIngress(options: IngressOptions, serve: Serve): Promise<MqttIngress> {
  const { mqtt, connections, proxies, packetBytes: messageBytes, origins, draining } = options
  const arrivals = new Arrivals(serve, mqtt.connectTimeoutMs, options.uptime)
  let tcp: Listener | undefined
  let tls: TlsListener | undefined
  try {
    tcp = await listening(options, arrivals)
    tls = await listeningTls(options, arrivals)
  } catch (error) {
    arrivals.close()
    await tcp?.close()
    throw error
  }
  const listeners = [tcp, tls].filter((one) => one !== undefined)
  const upgrades = { origins, connections, proxies, messageBytes, draining }
  return {
    tcp,
    tls,
    upgrade: mqtt.websocket ? mqttUpgrade(arrivals, upgrades) : undefined,
    reload: () => tls?.reload(),
    stopListening() {
      for (const listener of listeners) listener.stopListening()
    },
    async close() {
      arrivals.close()
      await Promise.all(listeners.map((listener) => listener.close()))
    },
  }
}

async function listening(
  { mqtt: { listen }, connections, log }: IngressOptions,
  arrivals: Arrivals,
): Promise<Listener | undefined> {
  return listen === 'off' ? undefined : listenTcp(listen, arrivals, { connections, log })
}

async function listeningTls(
  { mqtt: { tls, connectTimeoutMs: handshakeMs }, connections, log }: IngressOptions,
  arrivals: Arrivals,
): Promise<TlsListener | undefined> {
  const { listen, certFile, keyFile } = tls
  if (listen === 'off' || certFile === undefined || keyFile === undefined) return undefined
  return listenTls(listen, arrivals, { connections, log, certFile, keyFile, handshakeMs })
}
