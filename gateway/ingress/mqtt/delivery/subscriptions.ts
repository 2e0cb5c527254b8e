/** What a session has subscribed to, and which of it a message matches. */
import { matchesAny } from '../../../protocol/channel.ts'

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

/** Answers that are remembered; beyond it the memory starts anew. */
const MATCHES_CACHED = 256

const NONE: readonly Subscription[] = []

export class Subscriptions {
  readonly #byTopic = new Map<string, Subscription>()
  #matches: Map<string, readonly Subscription[]> | undefined

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
    this.#matches = undefined
  }

  delete(topic: string): void {
    this.#byTopic.delete(topic)
    this.#matches = undefined
  }

  /** The name of a subscription's room has been settled. */
  settled(): void {
    this.#matches = undefined
  }

  /** Those, but shared ones, that hear a channel of a room; `` for the room itself. */
  matching(place: string, channel: string): readonly Subscription[] {
    const key = `${place}/${channel}`
    this.#matches ??= new Map()
    const known = this.#matches.get(key)
    if (known) return known
    if (this.#matches.size >= MATCHES_CACHED) this.#matches.clear()
    const found = [...this.#byTopic.values()].filter(
      (each) =>
        each.place === place && each.group === undefined && matchesAny(each.filters, channel),
    )
    this.#matches.set(key, found.length === 0 ? NONE : found)
    return found
  }

  /** Filters of a room that some subscription wants by itself, and not in a group. */
  filtersIn(place: string): Set<string> {
    const all = [...this.#byTopic.values()].filter((each) => each.place === place)
    return new Set(all.flatMap(({ filters, group }) => (group === undefined ? filters : [])))
  }

  /** Whether any is of this room. */
  isIn(place: string): boolean {
    for (const each of this.#byTopic.values()) if (each.place === place) return true
    return false
  }
}
