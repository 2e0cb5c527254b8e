/**
 * What waits for a socket that reads too slowly, bounded in bytes; each room's policy says what
 * gives way (R46). What was lost is counted by room and told before the next message.
 */
import { create } from '@bufbuild/protobuf'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import type { CountBy } from '../../observe/counts.ts'
import type { MessageId } from '../../protocol/uuid7.ts'
import type { Place } from '../../router/place.ts'

interface Entry<Item> {
  readonly item: Item
  /** Undefined for what never gives way: receipts, room events, direct messages. */
  readonly message: QueuedMessage | undefined
}

export interface QueuedMessage {
  readonly id: MessageId
  readonly place: Place
  readonly channel: string
  readonly sequence: number
}

/** Whose queue it is. */
export interface LossHost {
  /** A message gave way. `decidedBy`: see TrailStep. */
  noteLost(message: QueuedMessage, decidedBy: string): void
}

interface Loss {
  from: number
  to: number
  count: number
}

/** `Item`: bytes ready for the wire, or what is to become such; its length is in bytes. */
export class SlowQueue<Item extends { readonly length: number } = Buffer> {
  readonly #bytesMax: number
  readonly #lost: CountBy<Policy>
  readonly #host: LossHost
  /** In order of arrival, by number, so that any of them can go. */
  readonly #entries = new Map<number, Entry<Item>>()
  /** For rooms that conflate: the entry that waits for each channel. */
  readonly #latest = new Map<string, number>()
  /** For rooms that drop their oldest: their entries in order, wherever others' stand between. */
  readonly #ofPlace = new Map<Place, Set<number>>()
  readonly #losses = new Map<Place, Loss>()
  #bytes = 0
  #next = 0

  /** `lost`: to count what gives way in. */
  constructor(bytesMax: number, lost: CountBy<Policy>, host: LossHost) {
    this.#host = host
    this.#bytesMax = bytesMax
    this.#lost = lost
  }

  /** Adds what may not be lost. False where the queue is full, and the socket has to go. */
  add(item: Item): boolean {
    if (this.#bytes + item.length > this.#bytesMax) return false
    this.#put({ item, message: undefined })
    return true
  }

  /**
   * Adds a room's message, or loses one, by the room's policy. False where the socket has to go.
   */
  addMessage(item: Item, message: QueuedMessage): boolean {
    const policy = message.place.config.slowConsumers
    if (policy === Policy.CONFLATE) this.#conflate(message)
    else if (policy === Policy.DROP_OLDEST) this.#makeRoom(item.length, message.place)
    if (this.#bytes + item.length > this.#bytesMax) {
      if (policy === Policy.DISCONNECT) {
        this.#host.noteLost(message, byPolicy(message))
        return false
      }
      this.#lose(message)
      return true
    }
    const number = this.#put({ item, message })
    if (policy === Policy.CONFLATE) this.#latest.set(channelKey(message), number)
    else if (policy === Policy.DROP_OLDEST) this.#numbersOf(message.place).add(number)
    return true
  }

  get size(): number {
    return this.#entries.size
  }

  /** Of all that waits. */
  get bytes(): number {
    return this.#bytes
  }

  get empty(): boolean {
    return this.#entries.size === 0 && this.#losses.size === 0
  }

  /** Something has given way that was not told yet. */
  get hasLosses(): boolean {
    return this.#losses.size > 0
  }

  /** What waits, in order. */
  *[Symbol.iterator](): IterableIterator<Item> {
    for (const { item } of this.#entries.values()) yield item
  }

  /** Takes out what waited longest. */
  shift(): Item | undefined {
    for (const [number, entry] of this.#entries) {
      this.#remove(number, entry)
      return entry.item
    }
    return undefined
  }

  /** Takes out what to tell of those that have given way. */
  takeLosses(): Frame[] {
    if (!this.hasLosses) return []
    const notices = [...this.#losses].map(([place, loss]) => lost(place, loss))
    this.#losses.clear()
    return notices
  }

  /** Takes out: first what to tell, then what waited longest, just more than `bytes` of it. */
  take(bytes: number): { notices: Frame[]; waiting: Item[] } {
    const notices = this.takeLosses()
    const waiting: Item[] = []
    let taken = 0
    for (const [number, entry] of this.#entries) {
      if (taken > bytes) break
      taken += entry.item.length
      waiting.push(entry.item)
      this.#remove(number, entry)
    }
    return { notices, waiting }
  }

  /** Lets go of all that waits: the socket goes, because of that policy or of this setting. */
  discard(setting: string | undefined): void {
    for (const { message } of this.#entries.values()) {
      if (message) this.#host.noteLost(message, setting ?? byPolicy(message))
    }
    this.take(Number.POSITIVE_INFINITY)
  }

  #put(entry: Entry<Item>): number {
    const number = this.#next++
    this.#entries.set(number, entry)
    this.#bytes += entry.item.length
    return number
  }

  #conflate(message: QueuedMessage): void {
    const number = this.#latest.get(channelKey(message))
    if (number !== undefined) this.#drop(number)
  }

  #makeRoom(size: number, place: Place): void {
    for (const number of this.#numbersOf(place)) {
      if (this.#bytes + size <= this.#bytesMax) return
      this.#drop(number)
    }
  }

  #numbersOf(place: Place): Set<number> {
    const numbers = this.#ofPlace.get(place) ?? new Set()
    this.#ofPlace.set(place, numbers)
    return numbers
  }

  #drop(number: number): void {
    const entry = this.#entries.get(number)
    if (!entry?.message) return
    this.#remove(number, entry)
    this.#lose(entry.message)
  }

  #remove(number: number, { item, message }: Entry<Item>): void {
    this.#entries.delete(number)
    this.#bytes -= item.length
    if (!message) return
    this.#ofPlace.get(message.place)?.delete(number)
    if (message.place.config.slowConsumers === Policy.CONFLATE) {
      this.#latest.delete(channelKey(message))
    }
  }

  #lose(message: QueuedMessage): void {
    const { place, sequence } = message
    this.#lost.add(place.config.slowConsumers)
    this.#host.noteLost(message, byPolicy(message))
    const loss = this.#losses.get(place)
    if (!loss) {
      this.#losses.set(place, { from: sequence, to: sequence, count: 1 })
      return
    }
    loss.from = Math.min(loss.from, sequence)
    loss.to = Math.max(loss.to, sequence)
    loss.count++
  }
}

function byPolicy({ place }: QueuedMessage): string {
  return place.line('slowConsumers', 'policy')
}

function channelKey({ place, channel }: QueuedMessage): string {
  return `${place.route}/${channel}`
}

function lost(place: Place, { from, to, count }: Loss): Frame {
  const value = {
    route: place.route,
    fromSequence: BigInt(from),
    toSequence: BigInt(to),
    count,
    code: Code.SLOW_CONSUMER,
  }
  return create(FrameSchema, {
    body: { case: 'room', value: { action: { case: 'lost', value } } },
  })
}
