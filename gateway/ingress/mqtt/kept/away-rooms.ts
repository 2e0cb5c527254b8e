/**
 * Which sessions are away, by the rooms that they listen to: read from the store with each room
 * that is loaded, and from memory where that knows better, while a session leaves or comes back.
 */
import type { Config } from '../../../config/config.ts'
import type { Log } from '../../../observe/log.ts'
import type { AwayKeeper, AwayKeepers } from '../../../rooms/away.ts'
import type { Intake } from '../../../router/intake.ts'
import type { Place } from '../../../router/place.ts'
import type { Socket } from '../../../router/socket.ts'
import type { MqttSessions, MqttSubscriber } from '../../../store/mqtt-sessions.ts'
import type { Store } from '../../../store/store.ts'
import { Away, type HearsLive, type SubscriptionName } from './away.ts'
import { awayIntake } from './away-intake.ts'
import type { AwaySubscription } from './away-subscription.ts'
import { QueueWriter } from './queue-writer.ts'

/** Subscriptions that are read at once. */
const PAGE = 1_000
/** Sessions whose losses are remembered until they come back; the oldest are forgotten. */
const LOSSES_MAX = 100_000

export type ByRoom = ReadonlyMap<string, readonly AwaySubscription[]>

export interface AwayRoomsParts {
  readonly sessions: MqttSessions
  /** Of one queue. */
  readonly queue: { readonly messages: number; readonly bytes: number }
  /** What of all queues may wait for the store, in bytes, and how long somebody waits for it. */
  readonly waitingBytes: number
  readonly waitMs: number
  /** Milliseconds since 1970-01-01 UTC. */
  readonly clock: () => number
  /** Milliseconds that only rise. */
  readonly uptime: () => number
  readonly log: Log
}

/** As a gateway's config has them; made before the rest of MQTT, for rooms keep for them. */
export function awayRooms(
  { mqtt, history }: Config,
  { mqttSessions: sessions }: Store,
  parts: Pick<AwayRoomsParts, 'clock' | 'uptime' | 'log'>,
): AwayRooms {
  const queue = { messages: mqtt.queueMessages, bytes: mqtt.queueBytes }
  const { queueBytes: waitingBytes, waitMs } = history
  return new AwayRooms({ sessions, queue, waitingBytes, waitMs, ...parts })
}

export class AwayRooms implements AwayKeepers {
  readonly writer: QueueWriter
  /** Keys of the sessions behind sockets. */
  readonly keys = new WeakMap<Socket, string>()
  readonly #parts: AwayRoomsParts
  readonly #intake: Intake
  /** By their UUIDs. */
  readonly #open = new Map<string, Away>()
  /** On their way, out or in: what the store says of them is not, or no more, so. */
  readonly #moving = new Map<string, { readonly rooms: ByRoom; readonly hearsLive?: HearsLive }>()
  /** What their queues have lost since they are away, as far as this gateway knows. */
  readonly #losses = new Map<string, number>()

  constructor(parts: AwayRoomsParts) {
    this.#parts = parts
    this.writer = new QueueWriter({
      queue: parts.sessions.queue,
      bounds: parts.queue,
      bytesMax: parts.waitingBytes,
      waitMs: parts.waitMs,
      uptime: parts.uptime,
      log: parts.log,
      dropped: (key, count) => this.#lost(key, count),
    })
    this.#intake = awayIntake(this.writer)
  }

  async open(roomId: string, place: Place, changed: () => void): Promise<AwayKeeper> {
    const away = new Away({
      roomId,
      place,
      changed,
      writer: this.writer,
      intake: this.#intake,
      keyOf: (socket) => this.keys.get(socket),
      placed: (at, names) => this.#placed(at, names),
      closed: (closed) => {
        if (this.#open.get(roomId) === closed) this.#open.delete(roomId)
      },
    })
    this.#open.set(roomId, away)
    for (const [key, { rooms, hearsLive }] of this.#moving) {
      away.set(key, rooms.get(roomId) ?? [], hearsLive)
    }
    try {
      for await (const page of this.#stored(roomId)) away.load(page)
    } catch (error) {
      away.close()
      throw error
    }
    away.loaded()
    return away
  }

  /**
   * A session is away from now on, or, with `hearsLive`, on its way back: what the rooms send is
   * kept for it, but for what it hears.
   */
  away(key: string, rooms: ByRoom, hearsLive?: HearsLive): void {
    const before = this.#moving.get(key)?.rooms ?? new Map()
    this.#moving.set(key, { rooms, ...(hearsLive && { hearsLive }) })
    for (const roomId of before.keys()) if (!rooms.has(roomId)) this.#open.get(roomId)?.set(key, [])
    for (const [roomId, subscriptions] of rooms) {
      this.#open.get(roomId)?.set(key, subscriptions, hearsLive)
    }
  }

  /** That it is away, the store knows as well. */
  stored(key: string): void {
    this.#moving.delete(key)
  }

  /** It is there, and nothing is kept for it any more. */
  back(key: string): void {
    this.away(key, new Map())
    this.#moving.delete(key)
  }

  /** They are no more. */
  gone(keys: readonly string[]): void {
    for (const key of keys) {
      this.#moving.delete(key)
      this.#losses.delete(key)
    }
    for (const away of this.#open.values()) if (!away.empty) away.forget(keys)
  }

  /** What the queue of a session has lost; told once. */
  takeLosses(key: string): number {
    const count = this.#losses.get(key) ?? 0
    this.#losses.delete(key)
    return count
  }

  /**
   * Sessions were deleted by others. Those on their way out stay, as the store does not know yet
   * that they are away. Rejects with StoreError.
   */
  async reread(): Promise<void> {
    for (const [roomId, away] of [...this.#open]) {
      if (away.empty) continue
      const settle = away.reread()
      const there = new Set(this.#moving.keys())
      for await (const page of this.#stored(roomId)) for (const { key } of page) there.add(key)
      settle(there)
    }
  }

  async *#stored(roomId: string): AsyncGenerator<readonly MqttSubscriber[]> {
    const { sessions, clock } = this.#parts
    const awayAt = new Date(clock())
    let after: MqttSubscriber | undefined
    do {
      const range = { awayAt, limit: PAGE, ...(after && { after }) }
      const page = await sessions.subscriptions.inRooms([roomId], range)
      yield page
      after = page.length === PAGE ? page.at(-1) : undefined
    } while (after)
  }

  /** Where it cannot be stored, they are not told what they have missed; so with a crash. */
  #placed({ epoch, sequence }: Place, names: readonly SubscriptionName[]): void {
    const { sessions, log } = this.#parts
    const moves = names.map((name) => ({ ...name, epoch, sequence }))
    sessions.subscriptions.move(moves).catch((error) => {
      log.warn({ err: error }, 'positions of MQTT sessions are not stored')
    })
  }

  #lost(key: string, count: number): void {
    this.#losses.set(key, (this.#losses.get(key) ?? 0) + count)
    const [oldest] = this.#losses.keys()
    if (this.#losses.size > LOSSES_MAX && oldest !== undefined) this.#losses.delete(oldest)
  }
}
