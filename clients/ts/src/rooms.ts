import type { Envelope } from '@porthouse/proto/v1/envelope'
import type { CaughtUp, Joined, Lost as LostFrame } from '@porthouse/proto/v1/room'
import { splitRoom } from './address.ts'
import { codeInfo } from './code.ts'
import type { PorthouseError } from './error.ts'
import type { Feed } from './feed.ts'
import { heldBytes, type Lost, type Message, readMessage, stampOf } from './message.ts'
import type { OwnChannels } from './own-channels.ts'
import { type Entering, Membership, type RoomHost, type Stay } from './room.ts'

/** The rooms that a client is in, by address and by this connection's route numbers. */
export class Rooms {
  readonly #own: OwnChannels
  readonly #host: RoomHost
  readonly #feed: Feed
  readonly #byAddress = new Map<string, Membership>()
  readonly #byRoom = new Map<string, Set<Membership>>()
  readonly #byRoute = new Map<number, Set<Membership>>()
  #released = false

  /** `feed` gets what any room gets, `own` what was sent to a client. */
  constructor(host: Omit<RoomHost, 'heard'>, feed: Feed, own: OwnChannels) {
    this.#host = {
      send: (...message) => host.send(...message),
      ask: (question, signal) => host.ask(question, signal),
      leave: (room) => host.leave(room),
      heard: (room, message, bytes) => this.#heard(room, message, bytes),
    }
    this.#feed = feed
    this.#own = own
  }

  find(address: string): Membership | undefined {
    return this.#byAddress.get(address)
  }

  get size(): number {
    return this.#byAddress.size
  }

  /** All in a room, by its address without a channel. */
  in(room: string): Iterable<Membership> {
    return this.#byRoom.get(room) ?? []
  }

  /** All that share a number. */
  by(route: number): Iterable<Membership> {
    return this.#byRoute.get(route) ?? []
  }

  [Symbol.iterator](): Iterator<Membership> {
    return this.#byAddress.values()
  }

  /** The room joined, which may be one that is known already, and what its listener missed. */
  enter(joined: Joined, stay: Stay, entering?: Entering): { room: Membership; gap?: Lost } {
    const known = this.#byAddress.get(joined.address)
    if (known && known.route !== joined.route) this.#forget(known)
    const room = known ?? new Membership(joined, this.#host)
    this.#byAddress.set(room.address, room)
    addTo(this.#byRoom, room.room, room)
    // An account's lobby has no number: what it echoes names it.
    if (joined.route !== 0) addTo(this.#byRoute, joined.route, room)
    const gap = room.enter(joined, stay, entering)
    if (this.#released) room.feed.release()
    return { room, ...(gap && { gap }) }
  }

  /**
   * The first connection is made: until now, whoever awaited it could not make a reader, and from
   * now on who joins a room can.
   */
  release(): void {
    this.#released = true
    this.#feed.release()
    for (const room of this.#byAddress.values()) room.feed.release()
  }

  /** What was asked for of the past has come. */
  caughtUp({ address, sequence }: CaughtUp): void {
    const room = this.#byAddress.get(address)
    if (room) room.arrive(sequence)
    else this.#own.caughtUp(address, sequence)
  }

  /** Ends the room or channel, and with a room its channels. True where it was known. */
  leave(address: string, error?: PorthouseError): boolean {
    const { room: whole } = splitRoom(address)
    let known = false
    for (const room of this.#byAddress.values()) {
      if (room.address !== address && (address !== whole || room.room !== whole)) continue
      known = true
      this.#byAddress.delete(room.address)
      takeFrom(this.#byRoom, room.room, room)
      this.#forget(room)
      room.end(error)
    }
    return known
  }

  /** It has its number no more. */
  #forget(room: Membership): void {
    takeFrom(this.#byRoute, room.route, room)
  }

  /** Throws MALFORMED_PACKET for an envelope without the gateway's stamp. */
  deliver(envelope: Envelope): void {
    const stamp = stampOf(envelope)
    const bytes = heldBytes(envelope)
    if (stamp.route === 0) {
      const direct = readMessage(envelope, stamp)
      const room = this.#byAddress.get(stamp.target)
      return room ? room.take(direct, bytes) : this.#own.take(direct, bytes)
    }
    const rooms = this.#byRoute.get(stamp.route)
    const [any] = rooms ?? []
    // Left a moment ago.
    if (!rooms || !any) return
    const message = readMessage(envelope, stamp, { address: any.room, epoch: any.epoch })
    const hearing = [...rooms].filter((room) => room.hears(stamp.channel))
    for (const room of hearing) room.take(message, bytes)
    if (hearing.length === 0) this.#feed.push(message, bytes)
  }

  // The first of those who hear a message gives it to the readers of all rooms; one that is not
  // back yet may have had it on the connection before.
  #heard(room: Membership, message: Message, bytes: number): void {
    for (const other of this.in(room.room)) if (other !== room && other.has(message)) return
    this.#feed.push(message, bytes)
  }

  /** Tells the readers concerned what the gateway says they lost. */
  lost({ route, fromSequence, toSequence, count, code }: LostFrame): Lost {
    const rooms = this.#byRoute.get(route) ?? []
    const [any] = rooms
    const lost: Lost = {
      address: any?.room ?? '',
      epoch: any?.epoch ?? 0n,
      from: fromSequence,
      to: toSequence,
      count,
      code: codeInfo(code).name,
    }
    for (const room of rooms) if (room.listening) room.feed.lost(lost)
    this.#feed.lost(lost)
    return lost
  }

  /** The connection is gone, and its route numbers with it. */
  away(): void {
    this.#byRoute.clear()
    for (const room of this.#byAddress.values()) room.away()
  }

  end(error?: PorthouseError): void {
    for (const room of this.#byAddress.values()) room.end(error)
    this.#byAddress.clear()
    this.#byRoom.clear()
    this.#byRoute.clear()
    this.#feed.end(error)
  }
}

function addTo<Key>(sets: Map<Key, Set<Membership>>, key: Key, room: Membership): void {
  const sharing = sets.get(key)
  if (sharing) sharing.add(room)
  else sets.set(key, new Set([room]))
}

function takeFrom<Key>(sets: Map<Key, Set<Membership>>, key: Key, room: Membership): void {
  const sharing = sets.get(key)
  sharing?.delete(room)
  if (sharing?.size === 0) sets.delete(key)
}
