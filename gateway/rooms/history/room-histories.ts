/**
 * Gives each loaded room the history that its config asks for, and looks after it: a durable one is
 * claimed in the store, trimmed as its retention says, and its keys are known again (R30, R37).
 */
import type { Log } from '../../observe/log.ts'
import { keepId } from '../../protocol/uuid7.ts'
import type { IdempotencyWindow } from '../../router/idempotency.ts'
import type { OwnMessage } from '../../router/intake.ts'
import type { Place } from '../../router/place.ts'
import { Window } from '../../router/window.ts'
import type { Histories, HistoryHead, StoredKey } from '../../store/history.ts'
import type { RoomConfig } from '../config.ts'
import type { Room } from '../rooms.ts'
import { Hold } from './hold.ts'
import { RecentPages } from './recent-pages.ts'
import { RoomHistory, TAIL } from './room-history.ts'
import { Claim, type HistoryWriter } from './writer.ts'

/** How often retention is looked after, in milliseconds. */
const TRIM_MS = 5_000

/** Keys of one room that are known again after a restart; the newest. */
const KEYS_MAX = 10_000

export interface HistoriesParts {
  readonly histories: Histories
  readonly writer: HistoryWriter
  readonly keys: IdempotencyWindow
  /** Milliseconds since 1970-01-01 UTC. */
  readonly clock: () => number
  /** Milliseconds that only rise. */
  readonly uptime: () => number
  readonly log: Log
}

export class RoomHistories {
  readonly #parts: HistoriesParts
  readonly #retained = new Map<Place, { readonly room: Room; trimming: boolean }>()
  readonly #pages = new RecentPages()
  #trimmer: NodeJS.Timeout | undefined
  /** Given last. */
  #epoch = 0

  constructor(parts: HistoriesParts) {
    this.#parts = parts
  }

  /** What a room that is being loaded goes on from. Rejects with StoreError. */
  async claim(roomId: string, { history }: RoomConfig): Promise<HistoryHead | undefined> {
    if (history.keep !== 'durable') return undefined
    const { histories, clock, keys } = this.#parts
    const head = await histories.claim(roomId)
    const since = clock() - keys.windowMs
    for (const key of await histories.keys(roomId, since, KEYS_MAX)) this.#restore(key, head)
    return head
  }

  /**
   * A new epoch: of what is kept in memory alone positions begin anew with each loading, even
   * within one millisecond.
   */
  newEpoch(): number {
    this.#epoch = Math.max(this.#parts.clock(), this.#epoch + 1)
    return this.#epoch
  }

  /** What a room's messages wait in while it changes its history. */
  hold(): Hold {
    const { queueBytes: bytes, waitMs } = this.#parts.writer.options
    return new Hold({ bytes, waitMs })
  }

  /** The history of a place whose position it goes on from. */
  open(
    roomId: string,
    place: Place,
    { history }: RoomConfig,
    head: HistoryHead | undefined,
  ): RoomHistory {
    const { histories, writer } = this.#parts
    const { keep } = history
    const window = new Window<OwnMessage>(keep === 'window' ? history.window : TAIL, place.sequence)
    const now = this.#parts.uptime
    if (!head) return new RoomHistory(place, keep, window, now)
    const { generation } = head
    const claim = new Claim(roomId, generation, place)
    const stored = { histories, claim, head, intake: writer.intake(claim), pages: this.#pages }
    return new RoomHistory(place, keep, window, now, stored)
  }

  /** Takes the bounds of what it keeps in memory from its config. */
  bound({ history: { kind, window }, config }: Room): void {
    window.bound(kind === 'window' ? config.history.window : TAIL, this.#parts.uptime())
  }

  /** Sees to its retention from now on, as its config says. */
  watch(room: Room): void {
    const { history, config, place } = room
    const { messages, bytes, ageMs } = config.retention
    const bounded = [messages, bytes, ageMs].some((each) => each !== undefined)
    if (history.kind !== 'durable' || !bounded) return this.unwatch(place)
    const retained = { room, trimming: false }
    this.#retained.set(place, retained)
    void this.#trim(retained)
    this.#trimmer ??= setInterval(() => this.#trimAll(), TRIM_MS).unref()
  }

  unwatch(place: Place): void {
    this.#retained.delete(place)
    if (this.#retained.size > 0) return
    clearInterval(this.#trimmer)
    this.#trimmer = undefined
  }

  #restore({ scope, body, id, sequence, timeMs }: StoredKey, { epoch }: HistoryHead): void {
    const { keys, clock, uptime } = this.#parts
    const [scopeHash, bodyHash] = [scope, body].map((each) => Buffer.from(each).toString('hex'))
    const at = uptime() - Math.max(0, clock() - timeMs)
    const facts = { sockets: 0, sequence, epoch, stored: true, kept: true }
    const own = keepId({ bytes: Buffer.from(id), at: 0 })
    keys.restore(scopeHash as string, bodyHash as string, { ...facts, id: own }, at)
  }

  #trimAll(): void {
    for (const retained of this.#retained.values()) void this.#trim(retained)
  }

  async #trim(retained: { readonly room: Room; trimming: boolean }): Promise<void> {
    if (retained.trimming) return
    retained.trimming = true
    const { histories, clock, log } = this.#parts
    const { room } = retained
    try {
      const { record, config, history } = room
      history.trimmed(await histories.trim(record.id, config.retention, clock()))
    } catch (error) {
      log.warn({ err: error, room: room.place.name }, 'retention has to wait for the store')
    } finally {
      retained.trimming = false
    }
  }
}
