/** The messages of one turn for one audience on one lane: encoded once, joined once, shared by all. */
import type { Stamp } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { FrameWriter, Lane } from './lane.ts'
import type { Membership, Place } from './place.ts'
import type { Socket } from './socket.ts'

/** A batch that grows past this is handed over before the turn ends, in bytes. */
const BATCH_BYTES_MAX = 262_144

export class Batch {
  readonly place: Place
  readonly writer: FrameWriter
  /** One a message, in order. */
  readonly stamps: Stamp[] = []
  /** Who sent each of them and shall not hear it; undefined where the room echoes. */
  readonly origins: (Socket | undefined)[] = []

  constructor(place: Place, lane: Lane) {
    this.place = place
    this.writer = lane.writer()
  }

  add(envelope: ScannedEnvelope, stamp: Stamp, origin: Socket | undefined): void {
    this.writer.envelope(envelope, stamp)
    this.stamps.push(stamp)
    this.origins.push(origin)
  }

  get full(): boolean {
    return this.writer.bytes > BATCH_BYTES_MAX
  }

  /** Nothing is allocated for a member here, unless he spoke himself in this turn. */
  deliver(members: readonly Membership[]): void {
    const whole = this.writer.whole()
    const count = this.stamps.length
    for (let i = 0; i < members.length; i++) {
      const member = members[i] as Membership
      if (member.spoke === this) this.#deliverOthers(member.socket)
      else member.socket.deliver(whole, this, 0, count)
    }
  }

  /** The spans around a socket's own messages. */
  #deliverOthers(socket: Socket): void {
    let from = 0
    for (let i = 0; i <= this.origins.length; i++) {
      if (i < this.origins.length && this.origins[i] !== socket) continue
      if (i > from) socket.deliver(this.writer.part(from, i), this, from, i)
      from = i + 1
    }
  }
}
