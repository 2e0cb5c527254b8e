import type { Joined } from '@porthouse/proto/v1/room'
import { hears, isFilter, splitRoom } from './address.ts'
import { PorthouseError } from './error.ts'
import { Feed, type MessagesOptions } from './feed.ts'
import type { Message } from './message.ts'
import type { Receipt } from './receipt.ts'
import type { Destination, RoomSendOptions, SendOptions } from './send.ts'

/** A room that the client is in, or a channel of one. It stays good across reconnections. */
export interface Room {
  /** What was joined, as slugs: `room:{account}/{room}[/{channel}]`. */
  readonly address: string
  /** Whether its messages are heard; false where it was joined to send only. */
  readonly listening: boolean
  readonly maySend: boolean
  /**
   * Sends to the room. Resolves with the receipt at the level asked for, at level `none` with
   * nothing once the message is in the socket. Rejects with a PorthouseError, or the signal's
   * reason.
   */
  send(
    content: string | Uint8Array,
    options: RoomSendOptions & { level: 'none' },
  ): Promise<undefined>
  send(content: string | Uint8Array, options?: RoomSendOptions): Promise<Receipt>
  /**
   * The room's messages from now on; made in the same turn in which the join resolved, none is
   * missed. Ends when the room is left or the client closed; throws where either was not your
   * doing.
   */
  messages(options?: MessagesOptions): AsyncIterableIterator<Message>
  /** Resolves when the gateway has let go. Leaving a room ends its channels too. */
  leave(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a room asks of its client. */
export interface RoomHost {
  send(
    content: string | Uint8Array,
    options: SendOptions,
    destination: Destination,
  ): Promise<Receipt | undefined>
  leave(room: Membership): Promise<void>
}

/** A Room as its client sees it. */
export class Membership implements Room {
  readonly address: string
  /** The address without its channel. */
  readonly room: string
  readonly feed = new Feed()
  readonly #host: RoomHost
  readonly #channel: string
  #joined: Joined
  #listening: boolean
  #present = true
  #end: PorthouseError | undefined

  /**
   * `listening` is what this stay asked for; another one in the same room may have asked for more.
   */
  constructor(joined: Joined, listening: boolean, host: RoomHost) {
    this.address = joined.address
    const { room, channel } = splitRoom(joined.address)
    this.room = room
    this.#channel = channel
    this.#joined = joined
    this.#listening = listening
    this.#host = host
  }

  get listening(): boolean {
    return this.#listening
  }

  get maySend(): boolean {
    return this.#joined.maySend
  }

  get epoch(): bigint {
    return this.#joined.epoch
  }

  get route(): number {
    return this.#joined.route
  }

  hears(channel: string): boolean {
    return this.listening && hears(this.#channel, channel)
  }

  /** Joined again, in this connection or a new one. */
  rejoined(joined: Joined, listening: boolean): void {
    this.#joined = joined
    this.#listening ||= listening
    this.#present = true
  }

  /** The connection that knew its route is gone. */
  away(): void {
    this.#present = false
  }

  end(error?: PorthouseError): void {
    this.#end ??= error ?? new PorthouseError('CLOSED', { detail: 'The room was left' })
    this.feed.end(error)
  }

  send(
    content: string | Uint8Array,
    options: RoomSendOptions & { level: 'none' },
  ): Promise<undefined>
  send(content: string | Uint8Array, options?: RoomSendOptions): Promise<Receipt>
  send(content: string | Uint8Array, options: RoomSendOptions = {}): Promise<Receipt | undefined> {
    const { channel = isFilter(this.#channel) ? '' : this.#channel } = options
    return this.#host.send(content, options, () => {
      if (this.#end) throw this.#end
      if (this.#present && this.route !== 0) return { route: this.route, channel }
      return { to: [channel ? `${this.room}/${channel}` : this.room] }
    })
  }

  messages(options?: MessagesOptions): AsyncIterableIterator<Message> {
    return this.feed.read(options)
  }

  leave(): Promise<void> {
    return this.#end ? Promise.resolve() : this.#host.leave(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }
}
