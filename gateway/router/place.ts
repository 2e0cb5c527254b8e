/** A room as the router sees it: who listens to which of its channels, and the next position. */
import { RateLimit } from '../protocol/rate-limit.ts'
import { Audience } from './audience.ts'
import { AudienceIndex } from './audience-index.ts'
import type { Gatherer } from './flush-window.ts'
import { Groups } from './groups.ts'
import type { Intake, Keeper } from './intake.ts'
import type { Membership } from './membership.ts'
import { Occupancy } from './occupancy.ts'
import { type PlaceConfig, rateOf } from './place-config.ts'
import { RoomTraffic } from './traffic.ts'
import type { Turn } from './turn.ts'

/** Channels whose audiences are remembered; beyond it the memory starts anew. */
const CHANNELS_CACHED = 10_000

export class Place {
  /** Of the last message that was delivered. */
  sequence: number
  /** What a message has to pass, for its position or until it is settled; undefined: nothing. */
  intake: Intake | undefined
  /** What is sent to it is stored before it is heard. */
  stores = false
  /** Who keeps its messages; undefined: nobody. */
  keeper: Keeper | undefined
  #config: PlaceConfig
  /** Where its batches wait. */
  gatherer: Gatherer
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
  /** What `line` has said, by path: each of many members has one of them. */
  readonly #lines = new Map<string, string>()

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
    this.gatherer = turn
    this.config = config
  }

  get config(): PlaceConfig {
    return this.#config
  }

  /** Takes effect with the next message; nobody is dropped. */
  set config(config: PlaceConfig) {
    const { limits, channels, channelsOnly, flushWindowMs: ms } = config
    this.flush()
    this.#config = config
    this.gatherer = ms === undefined ? this.#turn : this.#turn.window(ms)
    this.#lines.clear()
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

  /** Where a block of its config stands, or a field of it: what decided something (R49). */
  line(block: string, field?: string): string {
    const path = field === undefined ? block : `${block}.${field}`
    const known = this.#lines.get(path)
    if (known !== undefined) return known
    const at = this.#config.blocks.indexOf(block)
    const where = at === -1 ? `${path} (default)` : `blocks[${at}].${path}`
    const line = `config ${this.address} ${where}`
    this.#lines.set(path, line)
    return line
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

  /** Hands over what was sent so far, ahead of what comes by other ways. */
  flush(): void {
    for (const audience of this.#audiences.values()) audience.flush()
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
      audience = new Audience(this, socket.lane, [...filters])
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
