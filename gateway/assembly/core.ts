/** What sessions meet at, and what they work with: the core of a gateway, out of its layers. */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Config } from '../config/config.ts'
import { Failures } from '../identity/failures.ts'
import { RecordCache } from '../identity/record-cache.ts'
import { type AwayRooms, awayRooms } from '../ingress/mqtt/kept/away-rooms.ts'
import { pageTrusted } from '../ingress/origin.ts'
import type { Acceptor } from '../locks/acceptor.ts'
import { type AcceptorParts, builtInAcceptors } from '../locks/acceptors/index.ts'
import { Providers } from '../locks/acceptors/oidc/provider.ts'
import { Counts } from '../observe/counts.ts'
import { levelsOf } from '../observe/levels.ts'
import type { Log } from '../observe/log.ts'
import { Programs } from '../programs/programs.ts'
import { gatewayUrl } from '../protocol/gateway-url.ts'
import { ownUrls, type Reached } from '../protocol/loopback.ts'
import { RandomIds } from '../protocol/random-ids.ts'
import { Uuid7Source } from '../protocol/uuid7.ts'
import { forEntry } from '../rooms/for-entry.ts'
import { Lingering } from '../rooms/history/lingering.ts'
import { RoomHistories } from '../rooms/history/room-histories.ts'
import { HistoryWriter } from '../rooms/history/writer.ts'
import { lobbyFlow, strangersFlow } from '../rooms/places.ts'
import { RetainedRooms } from '../rooms/retained/retained-rooms.ts'
import { RetainedWriter } from '../rooms/retained/retained-writer.ts'
import { Rooms } from '../rooms/rooms.ts'
import { Graph } from '../router/graph.ts'
import { IdempotencyWindow } from '../router/idempotency.ts'
import { LoopLoad } from '../router/loop-load.ts'
import { OwnChannels } from '../router/own-channels.ts'
import { Router } from '../router/router.ts'
import { Turn } from '../router/turn.ts'
import type { Core } from '../session/core.ts'
import { Lobbies } from '../session/entry/lobbies.ts'
import { CatchUps } from '../session/history/catch-ups.ts'
import { CursorBook } from '../session/history/cursor-book.ts'
import { Accounts } from '../session/identity/accounts.ts'
import { Resumes } from '../session/identity/resume.ts'
import { Shares } from '../session/identity/shares.ts'
import { Holders } from '../session/live/holders.ts'
import { renewed } from '../session/live/renew.ts'
import { Knocks } from '../session/locks/knocks.ts'
import { Presence } from '../session/presence/presence.ts'
import { programActions } from '../session/programs.ts'
import { Technical } from '../session/technical/technical.ts'
import type { Credential, Store, TokenRecord } from '../store/store.ts'
import { openRecorder } from '../why/recorder.ts'

export interface GatewayParts {
  readonly config: Config
  readonly store: Store
  readonly log: Log
  /** Of one's own, beside the built-in ones (R18): see docs/acceptors/README.md. */
  readonly acceptors?: readonly Acceptor[]
}

/** What locks and sessions meet at. */
export interface Commons extends Pick<Core, 'turn' | 'uptime' | 'technical' | 'knocks'> {
  readonly graph: Graph
  readonly ids: Uuid7Source
  /** Undefined where MQTT is off, whose sessions alone have anybody away. */
  readonly away: AwayRooms | undefined
  readonly tokens: RecordCache<TokenRecord>
  readonly keys: RecordCache<Credential>
}

export function commonsOf({ config, store, log }: GatewayParts, clock: () => number): Commons {
  const { roomSockets } = config.technical
  const graph = new Graph()
  const now = () => performance.now()
  const load = new LoopLoad(() => performance.eventLoopUtilization(), now)
  const turn = new Turn(setImmediate, now, { load, after })
  // Whole numbers, which take no memory of their own where they are kept.
  const uptime = () => Math.trunc(turn.now)
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

function after(ms: number, run: () => void): void {
  setTimeout(run, ms).unref()
}

export function acceptorParts(
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

export function coreOf(
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
  const trails = openRecorder(config, turn)
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
    presence: new Presence(after),
  }
  return core
}

/** What sessions work with, where nothing listens nor is kept: for dry runs, and to read flows. */
export function createCore(given: GatewayParts): Core {
  const features = given.config.features.filter((each) => each !== 'mqtt' && each !== 'programs')
  const parts = { ...given, config: { ...given.config, features } }
  const commons = commonsOf(parts, Date.now)
  const locks = acceptorParts(parts, Date.now, commons)
  return coreOf(parts, Date.now, locks, commons, forEntry(parts.store.rooms))
}
