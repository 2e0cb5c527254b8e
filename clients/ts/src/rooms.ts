import type { Envelope } from '@porthouse/proto/v1/envelope'
import type { Joined, Lost as LostFrame } from '@porthouse/proto/v1/room'
import { splitRoom } from './address.ts'
import { codeInfo } from './code.ts'
import { PorthouseError } from './error.ts'
import type { Feed } from './feed.ts'
import { heldBytes, type Lost, readMessage } from './message.ts'
import { Membership, type RoomHost } from './room.ts'

/** The rooms that a client is in, by address and by this connection's route numbers. */
export class Rooms {
  readonly #host: RoomHost
  readonly #feed: Feed
  readonly #byAddress = new Map<string, Membership>()
  readonly #byRoute = new Map<number, Set<Membership>>()

  /** `feed` gets what any room gets, and direct messages. */
  constructor(host: RoomHost, feed: Feed) {
    this.#host = host
    this.#feed = feed
  }

  find(address: string): Membership | undefined {
    return this.#byAddress.get(address)
  }

  [Symbol.iterator](): Iterator<Membership> {
    return this.#byAddress.values()
  }

  /** The room joined, to listen or not, which may be one that is known already. */
  enter(joined: Joined, listening: boolean): Membership {
    const known = this.#byAddress.get(joined.address)
    const room = known ?? new Membership(joined, listening, this.#host)
    known?.rejoined(joined, listening)
    this.#byAddress.set(room.address, room)
    // An account's lobby has no number: what it echoes names it.
    if (joined.route === 0) return room
    const sharing = this.#byRoute.get(joined.route)
    if (sharing) sharing.add(room)
    else this.#byRoute.set(joined.route, new Set([room]))
    return room
  }

  /** Ends the room or channel, and with a room its channels. True where it was known. */
  leave(address: string, error?: PorthouseError): boolean {
    const { room: whole } = splitRoom(address)
    let known = false
    for (const room of this.#byAddress.values()) {
      if (room.address !== address && (address !== whole || room.room !== whole)) continue
      known = true
      this.#byAddress.delete(room.address)
      this.#byRoute.get(room.route)?.delete(room)
      room.end(error)
    }
    return known
  }

  /** Throws MALFORMED_PACKET for an envelope without the gateway's stamp. */
  deliver(envelope: Envelope): void {
    const { stamp } = envelope
    if (stamp?.id.length !== 16) {
      throw new PorthouseError('MALFORMED_PACKET', { detail: 'An envelope without its stamp' })
    }
    const bytes = heldBytes(envelope)
    if (stamp.route === 0) {
      const direct = readMessage(envelope, stamp)
      this.#byAddress.get(stamp.target)?.feed.push(direct, bytes)
      return this.#feed.push(direct, bytes)
    }
    const rooms = this.#byRoute.get(stamp.route)
    const [any] = rooms ?? []
    // Left a moment ago.
    if (!rooms || !any) return
    const message = readMessage(envelope, stamp, { address: any.room, epoch: any.epoch })
    for (const room of rooms) if (room.hears(stamp.channel)) room.feed.push(message, bytes)
    this.#feed.push(message, bytes)
  }

  /** Tells the readers concerned what the gateway says they lost. */
  lost({ route, fromSequence, toSequence, count, code }: LostFrame): Lost {
    const rooms = this.#byRoute.get(route) ?? []
    const [any] = rooms
    const lost: Lost = {
      address: any?.room ?? '',
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
    this.#byRoute.clear()
    this.#feed.end(error)
  }
}
