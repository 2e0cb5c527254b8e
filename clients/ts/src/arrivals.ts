import type { Joined } from '@porthouse/proto/v1/room'
import type { CatchingUp } from './course.ts'
import { PorthouseError } from './error.ts'
import type { ClientEvents, Events } from './events.ts'
import { type Handshake, type Rejoined, rejoined } from './handshake.ts'
import { Joins } from './joins.ts'
import type { Lost } from './message.ts'
import { encodeFrame } from './packet.ts'
import type { Queue } from './queue.ts'
import type { Entering, Membership, Stay } from './room.ts'
import type { Rooms } from './rooms.ts'

export interface ArrivalsHost {
  readonly queue: Queue
  readonly rooms: Rooms
  readonly events: Events<ClientEvents>
  /** Whether the URL names a place. */
  readonly entering: boolean
  /** Of the connection there is. */
  readonly handshake: Handshake
  push(frame: Uint8Array): void
  gap(gap: Lost): void
  fail(error: PorthouseError): void
  /** Does what may fail beside the handling of a frame. */
  guarded(act: () => void): void
  /** An answer to the greeting may have been the last one missing. */
  progress(): void
  expectPast(who: CatchingUp): void
}

// Of rooms that nobody asked for; a gateway adds to few.
const UNASKED_MAX = 1024

/**
 * How rooms are come into: by a join, by the URL, by being added to them, and again on each new
 * connection; and what becomes of those that cannot be.
 */
export class Arrivals {
  readonly joins: Joins
  readonly #host: ArrivalsHost
  #entered: Membership | undefined
  #rejoined: Rejoined[] = []
  #unasked = 0

  constructor(host: ArrivalsHost) {
    this.#host = host
    this.joins = new Joins({
      queue: host.queue,
      find: (address) => host.rooms.find(address),
      enter: (joined, stay, entering) => this.#enter(joined, stay, entering).room,
      refused: (room, error) => host.guarded(() => this.#notRejoined(room, error)),
      expectPast: (who) => host.expectPast(who),
    })
  }

  /** The room that the URL named. */
  get entered(): Membership | undefined {
    return this.#entered
  }

  /** Those that were found again on this connection. */
  get rejoined(): readonly Rejoined[] {
    return this.#rejoined
  }

  /** A new connection, until the signal: which rooms are joined again with its first packet. */
  begin(signal: AbortSignal): Membership[] {
    this.#rejoined = []
    const known = [...this.#host.rooms].filter((room) => room !== this.#entered)
    return this.joins.begin(known, signal)
  }

  /**
   * Something that no question of the application's has asked for. Throws ROOM_LIMIT where it never
   * ends.
   */
  joined(id: number, joined: Joined): void {
    const { rooms, handshake } = this.#host
    if (!rooms.find(joined.address) && ++this.#unasked > UNASKED_MAX) {
      throw new PorthouseError('ROOM_LIMIT', { detail: `More than ${UNASKED_MAX} unasked` })
    }
    const again = this.isRejoining(id)
    // The join was aborted, or the room that the URL names was left.
    const left = id === 0 ? this.#entered?.address === joined.address : !again
    if (left && !rooms.find(joined.address)) this.tellLeave(joined.address)
    else this.#welcomed(id, joined)
    if (again) handshake.take(id)
    if (id === 0) handshake.enter()
    this.#host.progress()
  }

  /** Whether it is the answer to a join of this connection's own. */
  isRejoining(id: number): boolean {
    return id !== 0 && this.#host.handshake.rejoining.has(id)
  }

  /** The answer to such a join. */
  refused(id: number, error: PorthouseError): void {
    this.#notRejoined(this.#host.handshake.take(id), error)
  }

  /** Whether nobody waits any more for what the frame led to. */
  isAborted(id: number): boolean {
    const { queue, handshake } = this.#host
    const { locks, rejoining, done } = handshake
    return done && id !== 0 && !queue.has(id) && !rejoining.has(id) && !locks.has(id)
  }

  /** A place asks for more than there are answers to: it cannot be entered. */
  stuck(question: number, place: string, error: PorthouseError): void {
    const { queue, handshake } = this.#host
    // The main lobby only offers to be shown a proof.
    if (!place) return
    if (!handshake.entered && question === 0) return this.#host.fail(error)
    this.tellLeave(place)
    const again = this.isRejoining(question) ? [question] : handshake.joinsOf(place)
    this.#host.guarded(() => {
      for (const id of again) this.refused(id, error)
    })
    if (again.length > 0 || queue.refuse(question, error)) return
    for (const id of queue.entering(place)) queue.refuse(id, error)
  }

  /** Leaves without waiting for the answer, where a join went wrong. */
  tellLeave(address: string): void {
    const action = { case: 'leave' as const, value: { address } }
    this.#host.push(encodeFrame(this.#host.queue.newId(), { case: 'room', value: { action } }))
  }

  #welcomed(id: number, joined: Joined): void {
    const { rooms, queue, entering } = this.#host
    const before = rooms.find(joined.address)
    // The room of the URL comes back by itself, and has to ask for what it missed.
    const later = id === 0 && !queue.isOpen && before !== undefined && isElsewhere(before, joined)
    // Joined again, a room listens as before.
    const stay = before?.stay ?? { listening: id === 0 && joined.listening }
    const { room, gap } = this.#enter(joined, stay, { later })
    // Others that come unasked were added while the socket lived (R51).
    if (id === 0 && entering) this.#entered ??= room
    if (id === 0 && before && !queue.isOpen) this.joins.byUrl(room, joined, later)
    else this.joins.returned(room)
    if (!queue.isOpen) this.#rejoined.push(rejoined(joined, !later && gap === undefined))
  }

  #enter(joined: Joined, stay: Stay, entering?: Entering): { room: Membership; gap?: Lost } {
    const entered = this.#host.rooms.enter(joined, stay, entering)
    if (entered.gap) this.#host.gap(entered.gap)
    return entered
  }

  #notRejoined(room: Membership | undefined, error: PorthouseError): void {
    // What passes is waited for: the whole connection is tried again later.
    if (error.temporary) throw error
    if (room) {
      this.#host.rooms.leave(room.address, error)
      this.#host.events.emit('drop', { error, address: room.address })
    }
    this.#host.progress()
  }
}

/** Whether messages may have come since the room was last heard. */
function isElsewhere({ listening, position }: Membership, { epoch, sequence }: Joined): boolean {
  return listening && (position?.epoch !== epoch || position.sequence !== sequence)
}
