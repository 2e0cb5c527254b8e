/** What a session has subscribed to, and which of it a message matches. */
import { coveredBy, matchesAny } from '../../../protocol/channel.ts'

export interface Subscription {
  /** As it was subscribed, `$share/…` included. */
  readonly topic: string
  /** `{account}/{room}` as slugs, once it listens there. */
  place: string
  /** Of the room, see mapping/filter.ts. */
  readonly filters: readonly string[]
  /** Of a shared subscription. */
  readonly group: string | undefined
  readonly qos: 0 | 1 | 2
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
  /** Undefined: none. */
  readonly identifier: number | undefined
}

/** Channels of a room whose matches are remembered; beyond it the memory starts anew. */
const MATCHES_CACHED = 256

const NONE: readonly Subscription[] = []

export class Subscriptions {
  readonly #byTopic = new Map<string, Subscription>()
  /** By `{account}/{room}`; made when it is asked for. */
  #rooms: Map<string, InRoom> | undefined
  /** The last answer of isPlain, and to which question: most sessions are in one room. */
  #heard: readonly string[] | undefined
  #isPlain = false

  get size(): number {
    return this.#byTopic.size
  }

  get all(): Iterable<Subscription> {
    return this.#byTopic.values()
  }

  get(topic: string): Subscription | undefined {
    return this.#byTopic.get(topic)
  }

  set(subscription: Subscription): void {
    this.#byTopic.set(subscription.topic, subscription)
    this.settled()
  }

  delete(topic: string): void {
    this.#byTopic.delete(topic)
    this.settled()
  }

  /** The name of a subscription's room has been settled. */
  settled(): void {
    this.#rooms = undefined
    this.#heard = undefined
  }

  /** Those, but shared ones, that hear a channel of a room; `` for the room itself. */
  matching(place: string, channel: string): readonly Subscription[] {
    return this.#in(place)?.matching(channel) ?? NONE
  }

  /** Whether any hears it, by itself or in a group. */
  hears(place: string, channel: string): boolean {
    return this.#in(place)?.all.some(({ filters }) => matchesAny(filters, channel)) ?? false
  }

  /**
   * Whether all that a session hears of a room by these filters goes to it as to anybody else: by
   * QoS 0, and with nothing of its own.
   */
  isPlain(place: string, heard: readonly string[]): boolean {
    if (heard === this.#heard) return this.#isPlain
    this.#heard = heard
    this.#isPlain = this.#in(place)?.isPlain(heard) ?? false
    return this.#isPlain
  }

  /** Filters of a room that some subscription wants by itself, and not in a group. */
  filtersIn(place: string): Set<string> {
    const all = this.#in(place)?.all ?? NONE
    return new Set(all.flatMap(({ filters, group }) => (group === undefined ? filters : [])))
  }

  /** Whether any is of this room. */
  isIn(place: string): boolean {
    return this.#in(place) !== undefined
  }

  #in(place: string): InRoom | undefined {
    this.#rooms ??= roomsOf(this.#byTopic.values())
    return this.#rooms.get(place)
  }
}

class InRoom {
  readonly all: Subscription[] = []
  #matches: Map<string, readonly Subscription[]> | undefined

  matching(channel: string): readonly Subscription[] {
    this.#matches ??= new Map()
    const known = this.#matches.get(channel)
    if (known) return known
    if (this.#matches.size >= MATCHES_CACHED) this.#matches.clear()
    const found = this.all.filter(
      ({ group, filters }) => group === undefined && matchesAny(filters, channel),
    )
    this.#matches.set(channel, found)
    return found
  }

  isPlain(heard: readonly string[]): boolean {
    if (!this.all.every(isPlain)) return false
    const wanted = this.all.flatMap(({ filters }) => filters)
    // He may hear more than he has subscribed to: by a Join, or by the locks that he has met.
    return heard.every((filter) => coveredBy(wanted, filter))
  }
}

function isPlain(each: Subscription): boolean {
  const { qos, noLocal, retainAsPublished, identifier, group } = each
  return (
    qos === 0 && !noLocal && !retainAsPublished && identifier === undefined && group === undefined
  )
}

function roomsOf(subscriptions: Iterable<Subscription>): Map<string, InRoom> {
  const rooms = new Map<string, InRoom>()
  for (const each of subscriptions) {
    let room = rooms.get(each.place)
    if (!room) {
      room = new InRoom()
      rooms.set(each.place, room)
    }
    room.all.push(each)
  }
  return rooms
}
