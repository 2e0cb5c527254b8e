/** A room as the router sees it: who listens to which of its channels, and the next position. */
import type { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { matchesChannel } from '../protocol/channel.ts'
import { RateLimit } from '../protocol/rate-limit.ts'
import { Audience } from './audience.ts'
import { AudienceIndex } from './audience-index.ts'
import type { Batch } from './batch.ts'
import { Groups, type GroupTerms } from './groups.ts'
import type { Intake, Keeper } from './intake.ts'
import { Occupancy } from './occupancy.ts'
import type { Actor, Socket } from './socket.ts'
import type { Structure } from './structure.ts'
import { RoomTraffic } from './traffic.ts'
import type { Turn } from './turn.ts'

/** What the router needs to know of a room's config. */
export interface PlaceConfig {
  readonly echo: boolean
  readonly slowConsumers: Policy
  readonly limits: PlaceLimits
  /** Filters of the channels that it has; empty: any. */
  readonly channels: readonly string[]
  /** Nothing is sent to the room itself. */
  readonly channelsOnly: boolean
  /** What its messages have to be; undefined: anything. */
  readonly structure: Structure | undefined
  /** Where what says nothing of it goes; undefined: where the socket entered (R27). */
  readonly defaultTarget: DefaultTarget | undefined
  readonly groups: readonly GroupTerms[]
}

/** Undefined: no such bound. */
export interface PlaceLimits {
  readonly sockets: number | undefined
  /** Content of one message. */
  readonly payloadBytes: number | undefined
  /** Messages a second that one socket, and all of them, may send. */
  readonly socketRate: Rate | undefined
  readonly roomRate: Rate | undefined
}

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export type DefaultTarget =
  | { readonly kind: 'channel'; readonly channel: string }
  /** Its name. */
  | { readonly kind: 'group'; readonly group: string }

/** In whose name a socket may send to a room, and to which of its channels. */
export interface Sender {
  readonly actor: Actor
  /** The actor's. */
  readonly from: Uint8Array
  /** Filters; empty: the room and all its channels. */
  readonly channels: readonly string[]
}

export function maySend({ channels }: Sender, channel: string): boolean {
  return channels.length === 0 || channels.some((each) => matchesChannel(each, channel))
}

export function freeOf([first]: readonly Sender[]): Sender | undefined {
  return first && first.channels.length === 0 && !first.actor.terms ? first : undefined
}

/** One socket in one room: what it may do there, resolved when it joined (R26). */
export interface Membership {
  readonly socket: Socket
  readonly place: Place
  /** By what members know him: `client:…`, `token:…/n` or `socket:…`; `` before that is settled. */
  name: string
  /**
   * The first of `senders`, where neither channels nor terms confine him: all that most messages
   * need to know.
   */
  free: Sender | undefined
  /** The preferred one first; empty: it may not send. */
  senders: readonly Sender[]
  /** Filters within which it may listen; empty: it may not. */
  hears: readonly string[]
  /** It may let in those who knock. */
  mayAdmit: boolean
  /** Channel filters it listens by; `` for the room and all its channels. */
  readonly filters: Set<string>
  audience: Audience | undefined
  /** Position among the audience's members. */
  index: number
  /** Of what it may send. */
  rate: RateLimit | undefined
  /** The batch of this turn that holds messages of its own, which it shall not hear. */
  spoke: Batch | undefined
}

export function rateOf({ limits }: PlaceConfig): RateLimit | undefined {
  return limits.socketRate && new RateLimit(limits.socketRate)
}

/** Channels whose audiences are remembered; beyond it the memory starts anew. */
const CHANNELS_CACHED = 10_000

export class Place {
  /** Of the last message that was delivered. */
  sequence: number
  /** What a message has to pass before it has a position; undefined: nothing. */
  intake: Intake | undefined
  /** What is sent to it is stored before it is heard. */
  stores = false
  /** Who keeps its messages; undefined: nobody. */
  keeper: Keeper | undefined
  #config: PlaceConfig
  /** The config bounds what may be sent, beside who may. */
  guarded = false
  /** Of what all may send together. */
  rate: RateLimit | undefined
  /** All who are in it, listening or not. */
  readonly members = new Set<Membership>()
  /** Those who may let in whoever knocks. */
  readonly admitters = new Set<Membership>()
  readonly groups = new Groups()
  readonly occupancy = new Occupancy()
  readonly traffic = new RoomTraffic()
  /** Those who hear the room itself, which is where most messages go. */
  #whole: readonly Audience[] = []
  /** Positions of another one are void. */
  epoch: number
  readonly route: number
  /** `{account}/{room}`, as slugs. */
  readonly name: string
  readonly #turn: Turn
  /** By `keyOf`. */
  readonly #audiences = new Map<string, Audience>()
  readonly #index = new AudienceIndex()
  readonly #byChannel = new Map<string, readonly Audience[]>()

  constructor(
    route: number,
    name: string,
    position: { readonly epoch: number; readonly sequence: number },
    config: PlaceConfig,
    turn: Turn,
  ) {
    this.route = route
    this.name = name
    this.epoch = position.epoch
    this.sequence = position.sequence
    this.#config = config
    this.#turn = turn
    this.config = config
  }

  get config(): PlaceConfig {
    return this.#config
  }

  /** Takes effect with the next message; nobody is dropped. */
  set config(config: PlaceConfig) {
    const { limits, channels, channelsOnly } = config
    this.#config = config
    this.groups.configure(config.groups)
    this.rate = limits.roomRate && new RateLimit(limits.roomRate)
    for (const member of this.members) member.rate = rateOf(config)
    this.guarded =
      channels.length > 0 ||
      channelsOnly ||
      [limits.payloadBytes, limits.socketRate, limits.roomRate].some((each) => each !== undefined)
  }

  get address(): string {
    return `room:${this.name}`
  }

  /** Adds a filter. What was sent before is not delivered, what is sent from now on is. */
  listen(member: Membership, filter: string): void {
    if (member.filters.has(filter)) return
    this.occupancy.listen(member, filter)
    this.#change(member, () => member.filters.add(filter))
  }

  unlisten(member: Membership, filter: string): void {
    if (!member.filters.has(filter)) return
    this.occupancy.unlisten(member, filter)
    this.#change(member, () => member.filters.delete(filter))
  }

  leave(member: Membership): void {
    this.members.delete(member)
    this.admitters.delete(member)
    this.groups.remove(member)
    this.occupancy.rename(member, '')
    this.#change(member, () => member.filters.clear())
  }

  /** Those who hear a channel; `` for the room itself. */
  audiencesOf(channel: string): readonly Audience[] {
    if (channel === '') return this.#whole
    const known = this.#byChannel.get(channel)
    if (known) return known
    if (this.#byChannel.size >= CHANNELS_CACHED) this.#byChannel.clear()
    const audiences = this.#index.thatHear(channel)
    this.#byChannel.set(channel, audiences)
    return audiences
  }

  /** Changes a member's filters, and moves him to the audience that they make. */
  #change(member: Membership, change: () => void): void {
    const before = keyOf(member)
    change()
    const after = keyOf(member)
    if (after === before) return
    const { audience } = member
    audience?.remove(member)
    if (before !== undefined && audience?.size === 0) {
      this.#audiences.delete(before)
      this.#index.delete(audience)
      this.#audiencesChanged()
    }
    if (after !== undefined) this.#audience(after, member).add(member)
  }

  #audience(key: string, { socket, filters }: Membership): Audience {
    let audience = this.#audiences.get(key)
    if (!audience) {
      audience = new Audience(this, socket.lane, [...filters], this.#turn)
      this.#audiences.set(key, audience)
      this.#index.add(audience)
      this.#audiencesChanged()
    }
    return audience
  }

  #audiencesChanged(): void {
    this.#byChannel.clear()
    this.#whole = this.#index.thatHear('')
  }
}

/**
 * Names the audience that a member belongs to; undefined where he does not listen. The room itself
 * hears all its channels, so other filters beside it add nothing.
 */
function keyOf({ socket, filters }: Membership): string | undefined {
  if (filters.size === 0) return undefined
  const sorted = filters.has('') ? [''] : [...filters].sort()
  return [socket.lane.name, ...sorted].join('\n')
}
