/** Makes a gateway out of its layers; the only file that knows them all, and the embedding API. */
import { randomBytes } from 'node:crypto'
import type { Transport } from '@connectrpc/connect'
import { Code } from '@porthouse/proto/v1/code'
import { bearerOf } from './admin/credentials/authenticate.ts'
import { openCredentials } from './admin/credentials/credentials.ts'
import { overseerOf } from './admin/credentials/overseer.ts'
import type { Principal } from './admin/credentials/principal.ts'
import { Pages } from './admin/pages.ts'
import type { AdminParts } from './admin/parts.ts'
import type { Gateway } from './admin/running.ts'
import type { Config } from './config/config.ts'
import { exposureWarning, refuseExposure } from './config/exposure.ts'
import type { Feature } from './config/features.ts'
import { Failures } from './identity/failures.ts'
import { RecordCache } from './identity/record-cache.ts'
import { Connections } from './ingress/connections.ts'
import { type HttpIngress, httpIngress } from './ingress/http/ingress.ts'
import { loginRoutes } from './ingress/http/login.ts'
import { messagesRoute } from './ingress/http/messages/route.ts'
import type { Handler, Route } from './ingress/http/route.ts'
import { traced } from './ingress/http/traced.ts'
import { type AwayRooms, awayRooms } from './ingress/mqtt/kept/away-rooms.ts'
import { MQTT_PATH, type Upgrade } from './ingress/mqtt/listeners/websocket.ts'
import type { Mqtt, ServeMqtt } from './ingress/mqtt/serve.ts'
import { pageTrusted } from './ingress/origin.ts'
import { type Forwardable, Proxies } from './ingress/proxies.ts'
import { webSocketOptions } from './ingress/websocket/options.ts'
import { refuseWebSocket, webSocketIngress } from './ingress/websocket/upgrade.ts'
import type { Acceptor } from './locks/acceptor.ts'
import { type AcceptorParts, builtInAcceptors } from './locks/acceptors/index.ts'
import { OidcLogins } from './locks/acceptors/oidc/login.ts'
import { Providers } from './locks/acceptors/oidc/provider.ts'
import { Calls } from './observe/calls.ts'
import { Counts } from './observe/counts.ts'
import { levelsOf } from './observe/levels.ts'
import type { Log } from './observe/log.ts'
import type { Measured } from './observe/metrics/family.ts'
import type { MetricsRoutes } from './observe/metrics/route.ts'
import { measuredStore } from './observe/metrics/store.ts'
import { Programs } from './programs/programs.ts'
import { Refusal } from './protocol/codes.ts'
import { gatewayUrl } from './protocol/gateway-url.ts'
import { ownUrls, type Reached } from './protocol/loopback.ts'
import { RandomIds } from './protocol/random-ids.ts'
import { copyId, Uuid7Source, uuidOf } from './protocol/uuid7.ts'
import { forEntry } from './rooms/for-entry.ts'
import { Lingering } from './rooms/history/lingering.ts'
import { RoomHistories } from './rooms/history/room-histories.ts'
import { HistoryWriter } from './rooms/history/writer.ts'
import { lobbyFlow, strangersFlow } from './rooms/places.ts'
import { RetainedRooms } from './rooms/retained/retained-rooms.ts'
import { RetainedWriter } from './rooms/retained/retained-writer.ts'
import { Rooms } from './rooms/rooms.ts'
import { Graph } from './router/graph.ts'
import { IdempotencyWindow } from './router/idempotency.ts'
import { OwnChannels } from './router/own-channels.ts'
import { Router } from './router/router.ts'
import { Turn } from './router/turn.ts'
import type { Core } from './session/core.ts'
import { Lobbies } from './session/entry/lobbies.ts'
import { CatchUps } from './session/history/catch-ups.ts'
import { CursorBook } from './session/history/cursor-book.ts'
import { Accounts } from './session/identity/accounts.ts'
import { Resumes } from './session/identity/resume.ts'
import { Shares } from './session/identity/shares.ts'
import { Holders } from './session/live/holders.ts'
import { Live } from './session/live/live.ts'
import { renewed } from './session/live/renew.ts'
import { Knocks } from './session/locks/knocks.ts'
import { openPosters, type Posters } from './session/posts/posters.ts'
import { Presence } from './session/presence/presence.ts'
import { programActions } from './session/programs.ts'
import { Sessions } from './session/sessions.ts'
import { Technical } from './session/technical/technical.ts'
import type { Credential, Store, TokenRecord } from './store/store.ts'
import { openRecorder } from './why/recorder.ts'

export type { Gateway } from './admin/running.ts'
export { ListenError } from './ingress/listen.ts'
export type { Acceptor } from './locks/acceptor.ts'

export interface GatewayParts {
  readonly config: Config
  readonly store: Store
  readonly log: Log
  /** Of one's own, beside the built-in ones (R18): see docs/acceptors/README.md. */
  readonly acceptors?: readonly Acceptor[]
}

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
    await Promise.all([mqtt?.close(), administration.stop(), posters?.stop()])
    throw error
  })
  reached = http
  const warnings = [...warningsOf(given, parts.urls())]
  for (const each of warnings) log.warn(each)
  const stops = [live, ...caches, administration, ...(posters ? [posters] : [])]
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

/** The admin API over a store that no gateway is open on: what is live is not there. */
export async function localAdmin(given: GatewayParts): Promise<Transport> {
  const commons = commonsOf(given, Date.now)
  const parts = acceptorParts(given, Date.now, commons)
  const { localTransport } = await import('./admin/local.ts')
  return localTransport(adminParts(given, commons, parts))
}

/** What sessions work with, where nothing listens nor is kept: for dry runs, and to read flows. */
export function createCore(given: GatewayParts): Core {
  const features = given.config.features.filter((each) => each !== 'mqtt' && each !== 'programs')
  const parts = { ...given, config: { ...given.config, features } }
  const commons = commonsOf(parts, Date.now)
  const locks = acceptorParts(parts, Date.now, commons)
  return coreOf(parts, Date.now, locks, commons, forEntry(parts.store.rooms))
}

/** What locks and sessions meet at. */
interface Commons extends Pick<Core, 'turn' | 'uptime' | 'technical' | 'knocks'> {
  readonly graph: Graph
  readonly ids: Uuid7Source
  /** Undefined where MQTT is off, whose sessions alone have anybody away. */
  readonly away: AwayRooms | undefined
  readonly tokens: RecordCache<TokenRecord>
  readonly keys: RecordCache<Credential>
}

function commonsOf({ config, store, log }: GatewayParts, clock: () => number): Commons {
  const { roomSockets } = config.technical
  const graph = new Graph()
  const turn = new Turn(setImmediate)
  // Whole numbers, which take no memory of their own where they are kept.
  const uptime = () => Math.trunc(performance.now())
  const technical = new Technical({ graph, clock, roomSockets })
  const knocks = new Knocks({ graph, technical, turn, uptime })
  const kept = { max: config.logins.records, uptime }
  const tokens = new RecordCache(store.tokens, store.changes, { kind: 'token', ...kept })
  const keys = new RecordCache(store.credentials, store.changes, { kind: 'credential', ...kept })
  const ids = new Uuid7Source(clock, randomBytes)
  const away = config.features.includes('mqtt')
    ? awayRooms(config, store, { clock, uptime, log: levelsOf(log).of('mqtt') })
    : undefined
  return { ids, away, graph, turn, uptime, technical, knocks, tokens, keys }
}

function acceptorParts(
  { config, store, log, acceptors: own = [] }: GatewayParts,
  clock: () => number,
  { knocks, tokens, keys }: Commons,
  reached: () => Reached = () => ({ http: config.http.listen }),
): AcceptorParts {
  const { origins, publicUrl } = config.http
  const { tries, deadlineMs } = config.limbo
  const acceptors: Map<string, Acceptor> = new Map()
  const publicly = publicUrl === undefined ? undefined : gatewayUrl(publicUrl)
  const urls = () => (publicly === undefined ? ownUrls(reached()) : [publicly])
  const parts: AcceptorParts = {
    store,
    tokens,
    keys,
    log: levelsOf(log).of('locks'),
    clock,
    random: randomBytes,
    urls,
    trustsPage: (headers) => pageTrusted(headers, [...origins, ...urls()]),
    providers: new Providers(),
    knocks,
    acceptors: () => acceptors,
    defaults: { tries, deadlineMs },
  }
  for (const acceptor of [...builtInAcceptors(parts), ...own]) {
    if (acceptors.has(acceptor.name)) throw new Error(`two acceptors named ${acceptor.name}`)
    acceptors.set(acceptor.name, acceptor)
  }
  return parts
}

function loginOf({ http: { origins } }: Config, parts: AcceptorParts, proxies: Proxies): Route[] {
  const { urls, trustsPage } = parts
  return loginRoutes({
    logins: new OidcLogins(parts),
    publicUrl: () => urls()[0],
    origins,
    trustsPage,
    isSecure: (request) => proxies.isSecure(request),
  })
}

function coreOf(
  { config, store, log }: GatewayParts,
  clock: () => number,
  { acceptors, defaults }: AcceptorParts,
  { graph, ids, away, turn, uptime, technical, knocks }: Commons,
  stored: Pick<Store['rooms'], 'find' | 'list'> = store.rooms,
): Core {
  const flows = { acceptors: acceptors(), defaults }
  const sockets = new RandomIds(randomBytes)
  const keys = new IdempotencyWindow(config.idempotency)
  const { histories } = store
  const { messages, bytes, windowMs: ageMs } = config.resume
  const bounds = { messages, bytes, ageMs, allBytes: config.resume.allBytes }
  const own = new OwnChannels({ graph, options: bounds, clock, uptime })
  const logs = levelsOf(log)
  const storing = logs.of('store')
  const retained = new RetainedWriter(store.retained, storing, config.history.queueBytes)
  const stopwatch = () => performance.now() / 1000
  const written = { histories, turn, uptime, stopwatch, log: storing, options: config.history }
  const writer = new HistoryWriter(written)
  const { limits } = config
  const actions = programActions(() => core)
  // Without a folder there are none, and a room whose config names one says so.
  const { folder, ...others } = config.programs
  const options = config.features.includes('programs') ? config.programs : others
  const trails = openRecorder(config)
  const programming = { options, limits, ids, actions, uptime, log: logs.of('programs') }
  const programs = new Programs(programming)
  const core: Core = {
    options: config,
    clock,
    uptime,
    newId: () => sockets.next(),
    turn,
    counts: new Counts(),
    log: logs.of('session'),
    router: new Router({ graph, ids, window: keys, own, uptime, trails }),
    trails,
    writer,
    retained,
    own,
    cursors: new CursorBook(store.cursors),
    unread: (...query) => store.cursors.unread(...query),
    catchUps: new CatchUps(turn),
    rooms: new Rooms({
      stored,
      graph,
      turn,
      histories: new RoomHistories({ histories, writer, keys, clock, uptime, log: storing }),
      retained: new RetainedRooms(store.retained, retained),
      sessionBytes: config.history.sessionBytes,
      lingering: new Lingering({ bytes: config.history.windowBytes }, uptime),
      programs,
      away,
      flows,
    }),
    programs,
    acceptors: flows.acceptors,
    strangersFlow: strangersFlow(flows),
    lobbyFlow: lobbyFlow(flows),
    lobbies: new Lobbies(),
    failures: new Failures(config.limbo.failures, uptime),
    holders: new Holders(),
    accounts: new Accounts(),
    resumes: new Resumes(config.resume, randomBytes, uptime),
    renew: (proof) => renewed(store, proof),
    shares: new Shares(),
    technical,
    knocks,
    presence: new Presence((ms, run) => void setTimeout(run, ms).unref()),
  }
  return core
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

/** Features that are reached by credentials which HTTP carries. */
const BY_CREDENTIALS: readonly Feature[] = ['admin', 'messages', 'metrics']

interface Administration {
  /** Undefined where nothing needs it. */
  readonly bearer: ((request: Forwardable) => Promise<Principal>) | undefined
  readonly handlers: readonly Handler[]
  stop(): Promise<void>
}

/** What those work with who come by credentials. */
interface Around {
  readonly core: Core
  readonly sessions: Sessions
  readonly posters: Posters | undefined
  readonly commons: Commons
  readonly parts: AcceptorParts
  readonly proxies: Proxies
  readonly gateway: () => Gateway | undefined
}

/** For everybody, beside health. */
function routesOf(
  given: GatewayParts,
  { parts, proxies, posters, bearer }: Around & Administration,
): Route[] {
  const { features } = given.config
  const login = features.includes('login') ? loginOf(given.config, parts, proxies) : []
  const posts = features.includes('messages') && posters && bearer
  const routes = posts ? [...login, messagesRoute({ ...given, posters, bearer })] : login
  return features.includes('traces') ? routes.map(traced) : routes
}

async function administrationOf(
  given: GatewayParts,
  { core, sessions, posters, commons, parts, proxies, gateway }: Around,
): Promise<Administration> {
  const { config } = given
  if (!config.features.some((feature) => BY_CREDENTIALS.includes(feature))) {
    return { bearer: undefined, handlers: [], stop: async () => {} }
  }
  const { failures } = core
  const credentials = await openCredentials({ ...given, ...parts, ...commons, failures })
  const { authenticate } = credentials
  const remoteOf = (request: Forwardable) => proxies.remoteOf(request)
  const bearer = bearerOf(authenticate, remoteOf)
  if (!config.features.includes('admin') || !posters) {
    return { bearer, handlers: [], stop: credentials.stop }
  }
  // Loaded here, for it is much that a gateway without administration does not need.
  const { openAdmin } = await import('./admin/admin.ts')
  const live = { core, sessions, posters, gateway, startedAt: commons.uptime() }
  const admin = openAdmin({ ...adminParts(given, commons, parts), live }, authenticate, remoteOf)
  return {
    bearer,
    handlers: [admin],
    stop() {
      admin.stop()
      return credentials.stop()
    },
  }
}

function adminParts(
  given: GatewayParts,
  { ids, uptime }: Commons,
  { acceptors, defaults }: AcceptorParts,
): AdminParts {
  return {
    ...given,
    log: levelsOf(given.log).of('admin'),
    levels: levelsOf(given.log),
    clock: Date.now,
    uptime,
    random: randomBytes,
    newId: () => uuidOf(copyId(ids.next()).toString('hex')),
    pages: new Pages(randomBytes(32)),
    flows: { acceptors: acceptors(), defaults },
    emptyCore: () => createCore(given),
  }
}

/** Loaded here, for a gateway without metrics does not need it. */
async function metricsOf(
  measured: Measured,
  { bearer }: Administration,
): Promise<MetricsRoutes | undefined> {
  if (!bearer || !measured.config.features.includes('metrics')) return undefined
  const { metricsRoutes } = await import('./observe/metrics/route.ts')
  return metricsRoutes(measured, overseerOf(bearer))
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
