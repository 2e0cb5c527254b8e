/**
 * The sockets that listen to a place by the same filters, by lane. A socket is in exactly one audience
 * of a place, so a message reaches it once however many of its filters match.
 */
import { matchesChannel } from '../protocol/channel.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { Batch, type RoomMessage } from './batch.ts'
import type { Lane } from './lane.ts'
import type { Membership, Place } from './place.ts'
import type { Turn } from './turn.ts'

export class Audience {
  readonly #place: Place
  readonly #turn: Turn
  /** Its filters, sorted and joined by a newline. */
  readonly key: string
  readonly #filters: readonly string[]
  readonly #groups: LaneGroup[] = []
  /** Members on all lanes. */
  size = 0

  constructor(place: Place, turn: Turn, key: string) {
    this.#place = place
    this.#turn = turn
    this.key = key
    this.#filters = key.split('\n')
  }

  hears(channel: string): boolean {
    return this.#filters.some((filter) => matchesChannel(filter, channel))
  }

  add(member: Membership): void {
    const lane = member.socket.lane
    let group = this.#groups.find((candidate) => candidate.lane === lane)
    if (!group) {
      group = new LaneGroup(this.#place, lane, this.#turn)
      this.#groups.push(group)
    }
    group.add(member)
    this.size++
  }

  remove(member: Membership): void {
    member.group?.remove(member)
    this.size--
  }

  /** Sends to all members at the end of the turn; `sender` is the sender's own membership. */
  append(envelope: ScannedEnvelope, message: RoomMessage, sender: Membership): void {
    for (const group of this.#groups) group.append(envelope, message, sender)
  }
}

/** The members of one audience that share a lane, and what waits for them in this turn. */
export class LaneGroup {
  readonly lane: Lane
  readonly #place: Place
  readonly #turn: Turn
  readonly #members: Membership[] = []
  #batch: Batch | undefined

  constructor(place: Place, lane: Lane, turn: Turn) {
    this.#place = place
    this.lane = lane
    this.#turn = turn
  }

  add(member: Membership): void {
    // What was sent before he came is not for him.
    this.flush()
    member.group = this
    member.index = this.#members.push(member) - 1
  }

  remove(member: Membership): void {
    this.flush()
    const last = this.#members.pop()
    if (last && last !== member) {
      this.#members[member.index] = last
      last.index = member.index
    }
    member.group = undefined
  }

  append(envelope: ScannedEnvelope, message: RoomMessage, sender: Membership): void {
    if (this.#members.length === 0) return
    if (!this.#batch) {
      this.#batch = new Batch(this.#place, this.lane)
      this.#turn.dirty(this)
    }
    const batch = this.#batch
    batch.add(envelope, message)
    if (message.origin && sender.group === this) sender.spoke = batch
    if (batch.full) this.flush()
  }

  flush(): void {
    const batch = this.#batch
    if (!batch) return
    this.#batch = undefined
    batch.deliver(this.#members)
  }
}
