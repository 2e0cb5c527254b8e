/**
 * The messages that go out together to one audience on one lane: encoded once, joined once, shared
 * by all.
 */
import type { EnvelopeBody } from '../protocol/packet-writer.ts'
import type { RoomMessage } from './intake.ts'
import type { FrameWriter, Lane } from './lane.ts'
import type { Membership } from './membership.ts'
import type { Place } from './place.ts'

/** A batch that grows past this is handed over at once, in bytes. */
const BATCH_BYTES_MAX = 262_144

export class Batch {
  readonly place: Place
  readonly writer: FrameWriter
  /** Of its audience; the same object as long as that lives. */
  readonly filters: readonly string[]
  /** In order; the n-th is the writer's n-th frame. */
  readonly messages: RoomMessage[] = []

  constructor(place: Place, lane: Lane, filters: readonly string[]) {
    this.place = place
    this.filters = filters
    this.writer = lane.writer(place.name)
  }

  add(body: EnvelopeBody, message: RoomMessage): void {
    this.writer.envelope(body, message, 0, this.place.config.structure)
    this.messages.push(message)
  }

  get full(): boolean {
    return this.writer.bytes > BATCH_BYTES_MAX
  }

  /** Frames `from` to `to` (exclusive) as a transport message. */
  bytes(from: number, to: number): Buffer {
    const isWhole = from === 0 && to === this.messages.length
    return isWhole ? this.writer.whole() : this.writer.part(from, to)
  }

  /** Nothing is allocated for a member here, unless he spoke himself. */
  deliver(members: readonly Membership[]): void {
    const count = this.messages.length
    let own = 0
    for (let i = 0; i < members.length; i++) {
      const member = members[i] as Membership
      if (member.spoke === this) own += this.#deliverOthers(member)
      else member.socket.deliver(this, 0, count)
    }
    const [first] = members
    if (first) first.socket.tally.messagesOut += count * members.length - own
  }

  /** The spans around a member's own messages. Returns how many these are. */
  #deliverOthers(member: Membership): number {
    const { messages } = this
    const { socket } = member
    const { mark } = socket
    member.spoke = undefined
    let from = 0
    let others = 0
    for (let i = 0; i <= messages.length; i++) {
      if (i < messages.length && messages[i]?.origin !== mark) continue
      if (i > from) socket.deliver(this, from, i)
      others += i - from
      from = i + 1
    }
    return messages.length - others
  }
}
