/**
 * The sockets that listen to a place by the same filters and share a lane, and what waits for them
 * until they go out. A socket is in exactly one audience of a place, so a message reaches it once
 * however many of its filters match: see docs/decisions/0006.
 */
import { matchesChannel } from '../protocol/channel.ts'
import type { EnvelopeBody } from '../protocol/packet-writer.ts'
import { Batch } from './batch.ts'
import type { RoomMessage } from './intake.ts'
import type { Lane } from './lane.ts'
import type { Membership } from './membership.ts'
import type { Place } from './place.ts'

export class Audience {
  #batch: Batch | undefined
  readonly #members: Membership[] = []
  readonly #place: Place
  readonly #lane: Lane
  readonly filters: readonly string[]

  constructor(place: Place, lane: Lane, filters: readonly string[]) {
    this.#place = place
    this.#lane = lane
    this.filters = filters
  }

  get size(): number {
    return this.#members.length
  }

  hears(channel: string): boolean {
    return this.filters.some((filter) => matchesChannel(filter, channel))
  }

  add(member: Membership): void {
    // What was sent before he came is not for him.
    this.flush()
    member.audience = this
    member.index = this.#members.push(member) - 1
  }

  remove(member: Membership): void {
    this.flush()
    const last = this.#members.pop()
    if (last && last !== member) {
      this.#members[member.index] = last
      last.index = member.index
    }
    member.audience = undefined
  }

  /** Sends to all members when the room's messages go out, but for the one who is spared. */
  append(body: EnvelopeBody, message: RoomMessage, spared: Membership | undefined): void {
    if (!this.#batch) {
      this.#batch = new Batch(this.#place, this.#lane, this.filters)
      this.#place.gatherer.dirty(this)
    }
    const batch = this.#batch
    batch.add(body, message)
    if (spared) spared.spoke = batch
    if (batch.full) this.flush()
  }

  flush(): void {
    const batch = this.#batch
    if (!batch) return
    this.#batch = undefined
    batch.deliver(this.#members)
  }
}
