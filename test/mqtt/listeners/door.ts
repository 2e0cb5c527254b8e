/** The listeners of MQTT with nobody behind them but an echo, which takes any byte for CONNECT. */
import type { Duplex } from 'node:stream'
import { pino } from 'pino'
import { schema } from '../../../gateway/config/config.ts'
import { Connections } from '../../../gateway/ingress/connections.ts'
import { type HttpServer, serveHttp } from '../../../gateway/ingress/http/server.ts'
import { type MqttIngress, mqttIngress } from '../../../gateway/ingress/mqtt/ingress.ts'
import type { Transport } from '../../../gateway/ingress/mqtt/listeners/serve.ts'
import { Proxies } from '../../../gateway/ingress/proxies.ts'
import type { Handshake } from '../../../gateway/locks/acceptor.ts'
import type { TestSettings } from '../../support/gateway.ts'

const log = pino({ level: 'silent' })

export interface Guest {
  readonly stream: Duplex
  readonly handshake: Handshake
  readonly transport: Transport
}

export class Door {
  readonly mqtt: MqttIngress
  readonly http: HttpServer
  /** All who came in, in order. */
  readonly guests: Guest[]

  static async open({ mqtt, ...settings }: TestSettings = {}): Promise<Door> {
    const config = schema.parse({
      ...settings,
      data: 'nowhere',
      http: { listen: '127.0.0.1:0', ...settings.http },
      mqtt: { listen: '127.0.0.1:0', ...mqtt },
    })
    const proxies = new Proxies(config.http.trustedProxies)
    const connections = new Connections(config.connections, proxies)
    const guests: Guest[] = []
    const options = {
      mqtt: config.mqtt,
      packetBytes: config.limits.packetBytes,
      origins: { allowed: config.http.origins, loopback: true },
      connections,
      proxies,
      log,
      draining: () => false,
      uptime: () => performance.now(),
    }
    const ingress = await mqttIngress(options, (stream, handshake, transport) => {
      guests.push({ stream, handshake, transport })
      const served = { state: 'new' }
      stream.on('error', () => undefined)
      stream.on('data', (bytes) => {
        served.state = 'connected'
        stream.write(bytes)
      })
      return served
    })
    const http = await serveHttp({
      listeners: [{ listen: config.http.listen, section: 'http' }],
      http2: config.http,
      origins: [],
      connections,
      log,
      routes: [],
      handlers: [],
      upgrade: (...request) => ingress.upgrade?.(...request),
    })
    return new Door(ingress, http, guests)
  }

  private constructor(mqtt: MqttIngress, http: HttpServer, guests: Guest[]) {
    this.mqtt = mqtt
    this.http = http
    this.guests = guests
  }

  get port(): number {
    return this.mqtt.tcp?.port as number
  }

  /** Of HTTP, where WebSocket is. */
  get webPort(): number {
    return this.http.endpoints[0]?.port as number
  }

  async close(): Promise<void> {
    this.mqtt.stopListening()
    this.http.stopListening()
    for (const { stream } of this.guests) stream.destroy()
    await Promise.all([this.mqtt.close(), this.http.close()])
  }
}
