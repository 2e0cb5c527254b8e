/** What a session has subscribed to, and which of it a message matches. */
import type { QoS } from 'mqtt-packet'
import { coveredBy, matchesAny } from '../../../protocol/channel.ts'
import type { Membership } from '../../../router/membership.ts'
import type { Topics } from '../../../session/session.ts'
import type { Hearing } from './hearing.ts'

export interface Subscription {
  /** As it was subscribed, `$share/…` included. */
  readonly topic: string
  /** `{account}/{room}` as slugs, once it listens there. */
  place: string
  /** Of the room, see mapping/filter.ts. */
  readonly filters: readonly string[]
  /** Of a shared subscription. */
  readonly group: string | undefined
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
  /** Undefined: none. */
  readonly identifier: number | undefined
  /** It has been let in. */
  isHeard?: boolean
}

/** Channels of a room whose matches are remembered; beyond it the memory starts anew. */
const MATCHES_CACHED = 256

const NONE: readonly Subscription[] = []

/** How what a room's program gives is heard, which nobody has subscribed to. */
const GIVEN: Hearing = { granted: 0, retainAsPublished: false, identifiers: [] }

export class Subscriptions implements Topics {
  readonly #byTopic = new Map<string, Subscription>()
  /** By `{account}/{room}`; made when it is asked for. */
  #rooms: Map<string, InRoom> | undefined
  /** The last answer of plainQos, and to which question: most sessions are in one room. */
  #heard: readonly string[] | undefined
  #plainQos: QoS | undefined
  /** Filters that rooms' programs have it hear. */
  #given: WeakMap<Membership, Set<string>> | undefined

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
   * Where all that a session hears of a room by these filters goes to it with nothing of its own:
   * the highest QoS that it was granted there. What was sent by QoS 0 goes to it as to anybody.
   */
  plainQos(place: string, heard: readonly string[]): QoS | undefined {
    if (heard === this.#heard) return this.#plainQos
    this.#heard = heard
    this.#plainQos = this.#in(place)?.plainQos(heard)
    return this.#plainQos
  }

  /** Filters of a room that some subscription wants by itself, and not in a group. */
  filtersIn(place: string): Set<string> {
    const all = this.#in(place)?.all ?? NONE
    return new Set(all.flatMap(({ filters, group }) => (group === undefined ? filters : [])))
  }

  /** The same of those that have been let in. */
  wantedIn(place: string): string[] {
    const all = this.#in(place)?.all ?? NONE
    return all.flatMap(({ filters, group, isHeard }) => {
      return group === undefined && isHeard ? filters : []
    })
  }

  hearItself(place: string, channel: string): boolean {
    return this.matching(place, channel).some(({ noLocal }) => !noLocal)
  }

  give(member: Membership, filter: string): void {
    this.#given ??= new WeakMap()
    const given = this.#given.get(member) ?? new Set()
    this.#given.set(member, given.add(filter))
  }

  takeBack(member: Membership, filter: string): void {
    this.#given?.get(member)?.delete(filter)
  }

  isGiven(member: Membership, filter: string): boolean {
    return this.#given?.get(member)?.has(filter) ?? false
  }

  /** How a channel is heard that a program has it hear; undefined: it is not. */
  given(member: Membership | undefined, channel: string): Hearing | undefined {
    const filters = member && this.#given?.get(member)
    if (!filters) return undefined
    return matchesAny(
      [...filters].filter((each) => member.filters.has(each)),
      channel,
    )
      ? GIVEN
      : undefined
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

  plainQos(heard: readonly string[]): QoS | undefined {
    if (!this.all.every(isPlain)) return undefined
    const wanted = this.all.flatMap(({ filters }) => filters)
    // He may hear more than he has subscribed to: by a Join, or by the locks that he has met.
    if (!heard.every((filter) => coveredBy(wanted, filter))) return undefined
    return Math.max(...this.all.map(({ qos }) => qos)) as QoS
  }
}

function isPlain(each: Subscription): boolean {
  const { noLocal, retainAsPublished, identifier, group } = each
  return !noLocal && !retainAsPublished && identifier === undefined && group === undefined
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
