/**
 * Sessions without connections: on a store in memory, with the clock and the ends of turns in the
 * test's hands. Call `vi.useFakeTimers({ toFake: ['setInterval'] })` before, where deadlines
 * matter.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { create, type MessageInitShape, toJsonString } from '@bufbuild/protobuf'
import type { Code } from '@porthouse/proto/v1/code'
import { type Frame, type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { pino } from 'pino'
import { vi } from 'vitest'
import { type Settings, schema } from '../../gateway/config/config.ts'
import { Failures } from '../../gateway/identity/failures.ts'
import { packetOfJson } from '../../gateway/ingress/packet-json.ts'
import { binaryLane } from '../../gateway/ingress/websocket/binary-lane.ts'
import type { Acceptor, Handshake } from '../../gateway/locks/acceptor.ts'
import { knockAcceptor } from '../../gateway/locks/acceptors/knock.ts'
import { tokenAcceptor } from '../../gateway/locks/acceptors/token.ts'
import { Counts } from '../../gateway/observe/counts.ts'
import { Programs } from '../../gateway/programs/programs.ts'
import { parsePath } from '../../gateway/protocol/address.ts'
import { Uuid7Source } from '../../gateway/protocol/uuid7.ts'
import { Lingering } from '../../gateway/rooms/history/lingering.ts'
import { RoomHistories } from '../../gateway/rooms/history/room-histories.ts'
import { HistoryWriter } from '../../gateway/rooms/history/writer.ts'
import { lobbyFlow, strangersFlow } from '../../gateway/rooms/places.ts'
import { RetainedRooms } from '../../gateway/rooms/retained/retained-rooms.ts'
import { RetainedWriter } from '../../gateway/rooms/retained/retained-writer.ts'
import { Rooms } from '../../gateway/rooms/rooms.ts'
import { Graph } from '../../gateway/router/graph.ts'
import { IdempotencyWindow } from '../../gateway/router/idempotency.ts'
import type { Lane } from '../../gateway/router/lane.ts'
import { OwnChannels } from '../../gateway/router/own-channels.ts'
import { Router } from '../../gateway/router/router.ts'
import { Turn } from '../../gateway/router/turn.ts'
import type { Core } from '../../gateway/session/core.ts'
import { Lobbies } from '../../gateway/session/entry/lobbies.ts'
import { CatchUps } from '../../gateway/session/history/catch-ups.ts'
import { CursorBook } from '../../gateway/session/history/cursor-book.ts'
import { Accounts } from '../../gateway/session/identity/accounts.ts'
import { Resumes } from '../../gateway/session/identity/resume.ts'
import { Shares } from '../../gateway/session/identity/shares.ts'
import { Holders } from '../../gateway/session/live/holders.ts'
import { Live } from '../../gateway/session/live/live.ts'
import { renewed } from '../../gateway/session/live/renew.ts'
import { Knocks } from '../../gateway/session/locks/knocks.ts'
import { Presence } from '../../gateway/session/presence/presence.ts'
import { programActions } from '../../gateway/session/programs.ts'
import { receive } from '../../gateway/session/receive.ts'
import type { Session } from '../../gateway/session/session.ts'
import { Sessions } from '../../gateway/session/sessions.ts'
import { Technical } from '../../gateway/session/technical/technical.ts'
import type { Wire } from '../../gateway/session/wire.ts'
import type { Store, Rooms as StoredRooms } from '../../gateway/store/store.ts'
import { Recorder } from '../../gateway/why/recorder.ts'
import { Ring } from '../../gateway/why/ring.ts'
import { packetOf } from './client-frames.ts'
import { brief, framesIn } from './heard.ts'
import { MemoryStore } from './memory-store.ts'
import { SteeredLoop } from './steered-loop.ts'

type FrameInit = MessageInitShape<typeof FrameSchema>

/** How often the sessions look at deadlines, in milliseconds. */
const SWEEP_MS = 500

/** Of a socket of Node's, in bytes. */
const HIGH_WATER_MARK = 65_536

const NOWHERE: Handshake = { remote: '192.0.2.1', headers: {} }

export class Hall {
  now = 1_700_000_000_000
  readonly store = new MemoryStore()
  readonly graph = new Graph()
  readonly rooms: Rooms
  readonly core: Core
  readonly sessions: Sessions
  /** To be started by those who change what is stored. */
  readonly live: Live
  readonly loop = new SteeredLoop()
  #deferred: (() => void)[] = []
  #ids = 0

  /** `acceptors`: beside `token` and `knock`. */
  constructor(settings: Omit<Settings, 'data'> = {}, acceptors: readonly Acceptor[] = []) {
    const options = schema.parse({ ...settings, data: 'nowhere' })
    const clock = () => this.now
    const turn = new Turn(
      (run) => this.#deferred.push(run),
      () => this.now,
      this.loop,
    )
    const { graph } = this
    const stored = this.store.rooms as StoredRooms
    const { tries, deadlineMs } = options.limbo
    const token = tokenAcceptor({ store: this.store as unknown as Store })
    const technical = new Technical({ graph, clock, ...options.technical })
    const knocks = new Knocks({ graph, technical, turn, uptime: clock })
    const knock = knockAcceptor({ knocks })
    const known = new Map([token, knock, ...acceptors].map((each) => [each.name, each as Acceptor]))
    const flows = { acceptors: known, defaults: { tries, deadlineMs } }
    const window = new IdempotencyWindow(options.idempotency)
    const log = pino({ level: 'silent' })
    const { histories } = this.store
    const { messages, bytes, windowMs: ageMs, allBytes } = options.resume
    const bounds = { messages, bytes, ageMs, allBytes }
    const own = new OwnChannels({ graph, options: bounds, clock, uptime: clock })
    const retained = new RetainedWriter(this.store.retained, log, options.history.queueBytes)
    const writer = new HistoryWriter({
      histories,
      turn,
      uptime: clock,
      stopwatch: clock,
      log,
      options: options.history,
    })
    const programs = new Programs({
      options: options.programs,
      limits: options.limits,
      ids: new Uuid7Source(clock, randomBytes),
      actions: programActions(() => this.core),
      uptime: () => performance.now(),
      log,
    })
    this.rooms = new Rooms({
      stored,
      graph,
      turn,
      histories: new RoomHistories({
        histories,
        writer,
        keys: window,
        clock,
        uptime: clock,
        log,
      }),
      retained: new RetainedRooms(this.store.retained, retained),
      sessionBytes: options.history.sessionBytes,
      lingering: new Lingering({ bytes: options.history.windowBytes }, clock),
      programs,
      flows,
    })
    const micros = () => this.now * 1000
    const trails = new Recorder({ micros, ring: new Ring(options.why, micros) })
    this.core = {
      programs,
      options,
      clock,
      uptime: clock,
      newId: () =>
        `${'a'.repeat(12)}${(this.#ids++).toString().padStart(4, '0')}`.replace(/\d/g, letter),
      turn,
      counts: new Counts(),
      log,
      router: new Router({
        graph,
        ids: new Uuid7Source(clock, randomBytes),
        window,
        own,
        uptime: clock,
        trails,
      }),
      trails,
      rooms: this.rooms,
      writer,
      retained,
      own,
      cursors: new CursorBook(this.store.cursors),
      unread: (...query) => this.store.cursors.unread(...query),
      catchUps: new CatchUps(turn),
      acceptors: known,
      strangersFlow: strangersFlow(flows),
      lobbyFlow: lobbyFlow(flows),
      lobbies: new Lobbies(),
      failures: new Failures(options.limbo.failures, clock),
      holders: new Holders(),
      accounts: new Accounts(),
      resumes: new Resumes(options.resume, randomBytes, clock),
      renew: (proof) => renewed(this.store as unknown as Store, proof),
      shares: new Shares(),
      technical,
      knocks,
      presence: new Presence((ms, run) => void setTimeout(run, ms).unref()),
    }
    this.sessions = new Sessions(this.core)
    this.live = new Live(this.core, this.store as unknown as Store)
  }

  /** A socket that opened this path. */
  open(path = '/v1/ws', lane: Lane = binaryLane, handshake = NOWHERE): Guest {
    const guest = new Guest(this.sessions, lane, handshake)
    this.sessions.enter(guest.session, parsePath(path))
    return guest
  }

  endTurn(): void {
    for (const run of this.#deferred.splice(0)) run()
  }

  /** Lets the store answer and turns end, until nothing goes on by itself. */
  async settle(): Promise<void> {
    do {
      await setImmediate()
      this.endTurn()
      await setImmediate()
    } while (this.#deferred.length > 0)
  }

  /** Lets time pass, with deadlines looked at as often as ever. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += SWEEP_MS) {
      this.now += SWEEP_MS
      vi.advanceTimersByTime(SWEEP_MS)
    }
  }
}

/** A client with its connection, which can be made to take nothing for a while. */
export class Guest implements Wire {
  readonly session: Session
  readonly closed: Promise<void>
  /** Code that the connection ended with. */
  ended: Code | undefined
  paused = false
  /** Its system takes all that is written, and it reads nothing of that. */
  deaf = false
  /** Positions of the pings that it got. */
  readonly asked: number[] = []
  buffered = 0
  readonly #json: boolean
  readonly #written: Buffer[] = []
  #stuck = false
  #needsDrain = false
  #gone: () => void

  constructor(sessions: Sessions, lane: Lane, handshake: Handshake) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#gone = resolve
    this.#json = lane !== binaryLane
    this.session = sessions.open({ wire: this, lane, handshake })
  }

  /** Sends frames in one packet. */
  say(...frames: FrameInit[]): this {
    const packet = this.#json
      ? packetOfJson(toJsonString(PacketSchema, create(PacketSchema, { frames })))
      : packetOf(...frames)
    receive(this.session, packet)
    return this
  }

  /** Writes since what was written was taken. */
  get writes(): number {
    return this.#written.length
  }

  /** What was written to it since the last call. */
  take(): Frame[] {
    return framesIn(Buffer.concat(this.#written.splice(0)))
  }

  /** The same, a line a frame. */
  heard(): string[] {
    return this.take().map(brief)
  }

  /** Takes nothing from now on. */
  stick(): void {
    this.#stuck = true
  }

  /** Takes what was written so far, and then nothing again. */
  gulp(): void {
    this.buffered = 0
    this.pong()
    // As a stream does: only one that had been full tells when all was taken.
    if (this.#needsDrain) this.session.outbox.drained()
    this.#needsDrain = false
  }

  /** Takes all that was written, and what comes of that, as a fast reader. */
  unstick(): void {
    this.#stuck = false
    this.gulp()
  }

  /** The network is gone. */
  vanish(): void {
    this.session.end()
    this.#gone()
  }

  write(bytes: Buffer): void {
    this.#written.push(bytes)
    if (!this.#stuck) return
    this.buffered += bytes.length
    this.#needsDrain ||= this.buffered >= HIGH_WATER_MARK
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  ping(position: number): boolean {
    this.asked.push(position)
    if (!this.#stuck && !this.deaf) queueMicrotask(() => this.pong())
    return true
  }

  /** Answers what it was asked last, as one that has read all before. */
  pong(): void {
    this.session.outbox.answered(this.asked.at(-1) ?? 0)
  }

  close(code: Code): void {
    this.ended = code
    this.#gone()
  }

  terminate(): void {
    this.#gone()
  }
}

function letter(digit: string): string {
  return String.fromCharCode(97 + Number(digit))
}
