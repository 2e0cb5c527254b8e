/** A room as the router sees it: who listens to which of its channels, and the next position. */
import type { Policy } from '@porthouse/proto/room/v1/config'
import { Audience, type LaneGroup } from './audience.ts'
import type { Batch } from './batch.ts'
import type { Socket } from './socket.ts'
import type { Turn } from './turn.ts'

/** What the router needs to know of a room's config. */
export interface PlaceConfig {
  readonly echo: boolean
  readonly slowConsumers: Policy
}

/** One socket in one room: what it may do there, resolved when it joined (R26). */
export interface Membership {
  readonly socket: Socket
  readonly place: Place
  readonly maySend: boolean
  readonly mayReceive: boolean
  /** Channel filters it listens by; `` for the room and all its channels. */
  readonly filters: Set<string>
  audience: Audience | undefined
  group: LaneGroup | undefined
  /** Position among the group's members. */
  index: number
  /** The batch of this turn that holds messages of its own, which it shall not hear. */
  spoke: Batch | undefined
}

/** Channels whose audiences are remembered; beyond it the memory starts anew. */
const CHANNELS_CACHED = 10_000

export class Place {
  readonly route: number
  /** `{account}/{room}`, as slugs. */
  readonly name: string
  readonly epoch: number
  readonly #turn: Turn
  config: PlaceConfig
  /** Position given last. */
  sequence = 0
  /** By their filters, sorted and joined by a newline. */
  readonly #audiences = new Map<string, Audience>()
  readonly #byChannel = new Map<string, readonly Audience[]>()
  /** Those who hear the room itself, which is where most messages go. */
  #whole: readonly Audience[] = []

  constructor(route: number, name: string, epoch: number, config: PlaceConfig, turn: Turn) {
    this.route = route
    this.name = name
    this.epoch = epoch
    this.config = config
    this.#turn = turn
  }

  get address(): string {
    return `room:${this.name}`
  }

  /** Adds a filter. What was sent before is not delivered, what is sent from now on is. */
  listen(member: Membership, filter: string): void {
    this.#move(member, () => member.filters.add(filter))
  }

  unlisten(member: Membership, filter: string): void {
    this.#move(member, () => member.filters.delete(filter))
  }

  leave(member: Membership): void {
    this.#move(member, () => member.filters.clear())
  }

  /** Those who hear a channel; `` for the room itself. */
  audiencesOf(channel: string): readonly Audience[] {
    if (channel === '') return this.#whole
    const known = this.#byChannel.get(channel)
    if (known) return known
    if (this.#byChannel.size >= CHANNELS_CACHED) this.#byChannel.clear()
    const audiences = [...this.#audiences.values()].filter((audience) => audience.hears(channel))
    this.#byChannel.set(channel, audiences)
    return audiences
  }

  #move(member: Membership, change: () => void): void {
    const { audience: before } = member
    change()
    const key = keyOf(member.filters)
    const after = key === undefined ? undefined : this.#audience(key)
    if (after === before) return
    if (before) {
      before.remove(member)
      if (before.size === 0) {
        this.#audiences.delete(before.key)
        this.#changed()
      }
    }
    member.audience = after
    after?.add(member)
  }

  #changed(): void {
    this.#byChannel.clear()
    const whole = this.#audiences.get('')
    this.#whole = whole ? [whole] : []
  }

  #audience(key: string): Audience {
    let audience = this.#audiences.get(key)
    if (!audience) {
      audience = new Audience(this, this.#turn, key)
      this.#audiences.set(key, audience)
      this.#changed()
    }
    return audience
  }
}

/** The room itself hears all its channels, so other filters beside it add nothing. */
function keyOf(filters: ReadonlySet<string>): string | undefined {
  if (filters.size === 0) return undefined
  return filters.has('') ? '' : [...filters].sort().join('\n')
}
