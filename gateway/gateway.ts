import { Code } from '@porthouse/proto/v1/code'
import type { Gateway } from './admin/running.ts'
import { administrationOf, metricsOf, routesOf } from './assembly/administration.ts'
import { acceptorParts, commonsOf, coreOf, type GatewayParts } from './assembly/core.ts'
import type { Config } from './config/config.ts'
import { exposureWarning, refuseExposure } from './config/exposure.ts'
import { Connections } from './ingress/connections.ts'
import { type HttpIngress, httpIngress } from './ingress/http/ingress.ts'
import type { AwayRooms } from './ingress/mqtt/kept/away-rooms.ts'
import { MQTT_PATH, type Upgrade } from './ingress/mqtt/listeners/websocket.ts'
import type { Mqtt, ServeMqtt } from './ingress/mqtt/serve.ts'
import { Proxies } from './ingress/proxies.ts'
import { webSocketOptions } from './ingress/websocket/options.ts'
import { refuseWebSocket, webSocketIngress } from './ingress/websocket/upgrade.ts'
import { Calls } from './observe/calls.ts'
import { levelsOf } from './observe/levels.ts'
import { measuredStore } from './observe/metrics/store.ts'
import { Refusal } from './protocol/codes.ts'
import type { Reached } from './protocol/loopback.ts'
import type { Core } from './session/core.ts'
import { Live } from './session/live/live.ts'
import { openPosters } from './session/posts/posters.ts'
import { Sessions } from './session/sessions.ts'

export type { Gateway } from './admin/running.ts'
export { localAdmin } from './assembly/administration.ts'
export { createCore, type GatewayParts } from './assembly/core.ts'
export { ListenError } from './ingress/listen.ts'
export type { Acceptor } from './locks/acceptor.ts'

/** Starts a gateway. Rejects with a ConfigError or, where it cannot listen, a ListenError. */
export async function createGateway(parts: GatewayParts): Promise<Gateway> {
  const storeCalls = new Calls()
  const isMeasured = parts.config.features.includes('metrics')
  const store = isMeasured ? measuredStore(parts.store, storeCalls) : parts.store
  return start({ ...parts, store }, storeCalls)
}

async function start(given: GatewayParts, storeCalls: Calls): Promise<Gateway> {
  const { config, store, log } = given
  const logs = levelsOf(log)
  refuseExposure(config)
  const clock = Date.now
  let reached: Reached = { http: config.http.listen }
  let gateway: Gateway | undefined
  const commons = commonsOf(given, clock)
  const parts = acceptorParts(given, clock, commons, () => reached)
  const core = coreOf({ config, store, log }, clock, parts, commons)
  const sessions = new Sessions(core)
  const live = new Live(core, store)
  await live.start()
  const { tokens, keys } = commons
  const caches = [tokens, keys]
  for (const cache of caches) void cache.start()
  const proxies = new Proxies(config.http.trustedProxies)
  const door = { connections: new Connections(config.connections, proxies), proxies }
  const { features } = config
  const mqttParts = { ...given, ...commons, ...door, log: logs.of('mqtt'), core, sessions }
  const mqtt = await mqttOf(mqttParts, commons.away)
  const posters = openPosters(core, config)
  const around = { core, sessions, posters, commons, parts, proxies, gateway: () => gateway }
  const administration = await administrationOf(given, around)
  const stops = [live, ...caches, administration, ...(posters ? [posters] : [])]
  const { connections } = door
  const measured = { config, core, sessions, connections, mqtt: mqtt?.parts, store: storeCalls }
  const metrics = await metricsOf(measured, administration)
  const http = await httpIngress({
    config,
    ...door,
    log: logs.of('http'),
    ready: async () => {
      if (sessions.draining) throw new Refusal(Code.DRAINING, 'the gateway goes down')
      await store.ping()
    },
    open: { handlers: [], routes: routesOf(given, { ...administration, ...around }) },
    admin: { handlers: administration.handlers, routes: metrics ? [metrics.guarded] : [] },
    metrics: metrics ? [metrics.open] : [],
    refused: (code) => core.counts.refusals.http.add(code),
    upgrade: upgrades(
      features.includes('websocket')
        ? webSocketIngress(
            webSocketOptions({ ...given, ...door, log: logs.of('locks'), clock }),
            sessions,
          )
        : refuseWebSocket,
      mqtt?.upgrade,
    ),
  }).catch(async (error) => {
    await Promise.all([mqtt?.close(), ...stops.map((each) => each.stop())])
    throw error
  })
  reached = http
  const warnings = [...warningsOf(given, parts.urls())]
  for (const each of warnings) log.warn(each)
  gateway = gatewayOf({ config, core, sessions, http, mqtt, warnings, stops })
  return gateway
}

/** What runs in a gateway. */
interface Running {
  readonly config: Config
  readonly core: Core
  readonly sessions: Sessions
  readonly http: HttpIngress
  readonly mqtt: Mqtt | undefined
  readonly warnings: readonly string[]
  /** What waits for changes, or answers those who call. */
  readonly stops: readonly { stop(): Promise<void> }[]
}

function gatewayOf(running: Running): Gateway {
  const { sessions, http, mqtt, warnings } = running
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  let draining = false
  return {
    http: http.http,
    https: http.https,
    admin: http.admin,
    metrics: http.metrics,
    mqtt: mqtt?.tcp,
    mqttTls: mqtt?.tls,
    mqttPath: mqtt?.upgrade && MQTT_PATH,
    get sockets() {
      return sessions.count
    },
    reload() {
      http.reload()
      mqtt?.reload()
    },
    warnings,
    get draining() {
      return draining
    },
    ended,
    drain() {
      const begins = !draining
      draining = true
      if (begins) end(running).then(resolve, reject)
      return ended
    },
  }
}

async function end({ config, core, sessions, http, mqtt, stops }: Running): Promise<void> {
  http.stopListening()
  mqtt?.stopListening()
  await Promise.all(stops.map((each) => each.stop()))
  await sessions.drain(config.drainMs)
  // Wills are said to rooms like any message.
  await mqtt?.stored()
  core.programs.stop()
  await core.writer.idle(config.drainMs)
  await core.retained.flush()
  await Promise.all([http.close(config.drainMs), mqtt?.close()])
}

/** What an operator has to know of his settings. */
function* warningsOf({ config, store }: GatewayParts, urls: readonly string[]): Iterable<string> {
  if (urls.length === 0) {
    yield 'http.publicUrl is not set: keys, SSH keys and logins of browsers prove nothing'
  }
  const exposure = exposureWarning(config)
  if (exposure) yield exposure
  if (!store.histories.syncs) {
    yield 'the database has fsync off: what is stored may not survive a loss of power'
  }
}

/** Loaded here, for it is much that a gateway without MQTT does not need. */
async function mqttOf(
  parts: Omit<ServeMqtt, 'away'>,
  away: AwayRooms | undefined,
): Promise<Mqtt | undefined> {
  if (!away) return undefined
  const { serveMqtt } = await import('./ingress/mqtt/serve.ts')
  return serveMqtt({ ...parts, away })
}

function upgrades(websocket: Upgrade, mqtt: Upgrade | undefined): Upgrade {
  return (request, socket, head) => {
    const isMqtt = mqtt && request.url?.split('?')[0] === MQTT_PATH
    return isMqtt ? mqtt(request, socket, head) : websocket(request, socket, head)
  }
}
