import type { Frame } from '@porthouse/proto/v1/frame'
import { fullAddress } from './address.ts'
import {
  type Allowance,
  Commands,
  type Occupancy,
  type RoomUnread,
  type SocketInfo,
} from './command.ts'
import type { PorthouseError } from './error.ts'
import type { ClientEvents } from './events.ts'
import type { MessagesOptions } from './feed.ts'
import type { Member } from './member.ts'
import type { Message } from './message.ts'
import type { Since } from './position.ts'
import { asFrame } from './queue.ts'
import type { Receipt } from './receipt.ts'
import { retrying, retryMs } from './retry.ts'
import type { Membership, Room, Stay } from './room.ts'
import { type Destination, type SendOptions, sendQuestion } from './send.ts'
import { Session, type SessionOptions } from './session.ts'

export interface JoinOptions {
  /** Enter to send, without listening. Default false. */
  sendOnly?: boolean | undefined
  /**
   * What of the past comes before what is live; see Room.caughtUp. A position may be a message.
   * Of a room that is joined already: a TypeError. Default: nothing.
   */
  since?: Since | undefined
  /**
   * What this client sends here is to be replayed to newcomers as long as it is connected, where
   * the room keeps session histories. Default false.
   */
  replayed?: boolean | undefined
  /** Members that come and go are told, as the room's event `presence`. Default false. */
  presence?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** A client of a gateway, made by `connect`. */
export class Client {
  readonly #session: Session
  readonly #commands: Commands
  readonly #hasIdentity: boolean
  readonly #keyPrefix = randomName()
  #keys = 0
  readonly #watched = new Set<string>()

  /** @internal Use `connect`, which awaits `opened`. */
  constructor(options: SessionOptions) {
    this.#hasIdentity = options.answerers.some(({ nominates }) => nominates)
    this.#session = new Session(options, {
      send: (content, options, destination) => this.#send(content, options, destination),
      leave: (room) => this.#leave(room),
    })
    this.#commands = new Commands(this.#session.queue)
    this.#session.events.on('reconnected', () => {
      // Where it may not be watched any more, nothing is told of it.
      for (const of of this.#watched) this.#commands.watch(of, false).catch(() => {})
    })
  }

  /** @internal Resolves once first connected; rejects with why that failed. */
  get opened(): Promise<void> {
    return this.#session.opened
  }

  /** This socket's own address, `socket:…`; another one after a reconnection, empty while away. */
  get socket(): string {
    return this.#session.socket
  }

  /** The room that the URL named. */
  get entered(): Room | undefined {
    return this.#session.entered
  }

  /**
   * Enters a room, `room:{account}/{room}`, to hear it and all its channels; with `/{channel}` that
   * one alone, where `*` stands for one level and a last `**` for all below. The `room:` may be
   * left out. `lobby:{account}` is an account's lobby, which echoes. A room that was joined already
   * is given again. While away, it waits for the reconnection.
   */
  async join(address: string, options: JoinOptions = {}): Promise<Room> {
    const { sendOnly = false, since, replayed = false, presence = false, signal } = options
    if (sendOnly && since !== undefined) throw new TypeError('who only sends has no past to hear')
    const full = fullAddress(address)
    const known = this.#session.rooms.find(full)
    const stay = { listening: !sendOnly, replayed, presence }
    if (known?.listening && since !== undefined) {
      throw new TypeError(`${full} is joined already; its history() has what was before`)
    }
    if (known && isWithin(stay, known.stay)) return known
    return await this.#session.joins.join(full, stay, { since, signal })
  }

  /**
   * Sends to one address or several; to none, the default target of the place that the socket
   * entered by. See Room.send.
   */
  send(
    to: string | readonly string[],
    content: string | Uint8Array,
    options: SendOptions & { level: 'none' },
  ): Promise<undefined>
  send(
    to: string | readonly string[],
    content: string | Uint8Array,
    options?: SendOptions,
  ): Promise<Receipt>
  send(
    to: string | readonly string[],
    content: string | Uint8Array,
    options: SendOptions = {},
  ): Promise<Receipt | undefined> {
    const addresses = (typeof to === 'string' ? [to] : to).map(fullAddress)
    return this.#send(content, options, () => ({ to: addresses }))
  }

  /** All messages, those to this socket or client itself too; otherwise as Room.messages. */
  messages(options?: MessagesOptions): AsyncIterableIterator<Message> {
    this.#session.own.hear()
    return this.#session.feed.read(options)
  }

  /**
   * How much of which rooms this client has not read, without being in them, ordered by address: of
   * rooms that keep cursors.
   */
  unread(): AsyncGenerator<RoomUnread, void> {
    return this.#commands.unread()
  }

  /** Occupancy and traffic of a room, then of its channels by name; or of one channel alone. */
  stats(address: string): AsyncGenerator<Occupancy, void> {
    return this.#commands.stats(fullAddress(address))
  }

  /** Clients and tokens' connections that are in a `room:…` or `lobby:…` whose account it owns. */
  clients(of: string): AsyncGenerator<Member, void> {
    return this.#commands.clients(of)
  }

  /**
   * Live sockets, ordered by address: of a `client:…` or `token:…` that this socket is, of a
   * `room:…` or `lobby:…` whose account it owns; without `of`, of all that this socket is.
   */
  sockets(of = ''): AsyncGenerator<SocketInfo, void> {
    return this.#commands.sockets(of)
  }

  /**
   * Rooms that this socket is in, ordered by address; of `lobby:{account}` all of the account that
   * it owns.
   */
  rooms(of = ''): AsyncGenerator<Allowance, void> {
    return this.#commands.rooms(of)
  }

  /** Ends another socket of a client or token that this one is, or of an account that it owns. */
  dropSocket(socket: string): Promise<void> {
    return this.#commands.dropSocket(socket)
  }

  /** Lets in, or turns away, a socket that knocks; `lock` is told by the event KNOCKED. */
  admit(lock: string, admitted: boolean): Promise<void> {
    return this.#commands.admit(lock, admitted)
  }

  /**
   * Asks for events: of `lobby:{account}`, of a `client:…` that this socket is, or of the rooms
   * that it is in. Asked again after each reconnection.
   */
  async watch(of = ''): Promise<void> {
    await this.#commands.watch(of, false)
    this.#watched.add(of)
  }

  /** Ends what `watch` began. */
  async unwatch(of = ''): Promise<void> {
    this.#watched.delete(of)
    await this.#commands.watch(of, true)
  }

  /** Returns a function that takes the listener off again. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (event: ClientEvents[Name]) => void,
  ): () => void {
    return this.#session.events.on(name, listener)
  }

  /**
   * Sends what was handed over in this turn and closes. What still waits for an answer rejects with
   * CLOSED, loops over messages end. Resolves when nothing is left that keeps a process alive.
   */
  close(): Promise<void> {
    return this.#session.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #send(
    content: string | Uint8Array,
    options: SendOptions,
    destination: Destination,
  ): Promise<Receipt | undefined> {
    const session = this.#session
    const once = options.level === 'none'
    const forMs = once ? 0 : retryMs(options.retry, options.level)
    // The gateway knows keys by client or token; without, a new socket's key is not the old one's.
    const made = (this.#hasIdentity && !once) || forMs > 0 ? this.#newKey() : undefined
    const question = sendQuestion(content, options, {
      destination,
      key: options.idempotencyKey ?? made,
      repeatable: this.#hasIdentity,
      limits: () => session.limits,
    })
    const { signal } = options
    // Without a receipt only the socket tells how much is on its way.
    const ask = () => session.queue.ask(question, signal, once ? session.bufferedBytes : 0)
    if (forMs === 0) return await ask()
    const { socket } = session
    const again = ({ code }: PorthouseError) =>
      code !== 'UNCERTAIN' || this.#hasIdentity || session.socket === socket
    return await retrying(ask, { clock: session.clock, forMs, signal, closed: session.over, again })
  }

  #newKey(): string {
    return `${this.#keyPrefix}-${(this.#keys++).toString(36)}`
  }

  async #leave(room: Membership): Promise<void> {
    const { rooms, queue } = this.#session
    rooms.leave(room.address)
    // Away, there is nothing to leave: it is not joined again.
    if (!queue.isOpen) return
    const action = { case: 'leave' as const, value: { address: room.address } }
    const question = {
      bytes: room.address.length + 64,
      repeatable: false,
      encode: asFrame({ case: 'room', value: { action } }),
      read: ({ case: kind, value }: Frame['body']) =>
        (kind === 'room' && value.action.case === 'left') || undefined,
    }
    // A connection that ends, or a client that closes, leaves as well.
    await queue.ask(question).catch((error: PorthouseError) => {
      if (error.code !== 'CLOSED' && error.code !== 'UNAVAILABLE') throw error
    })
  }
}

/** Whether a stay that is there does what another asks for. */
function isWithin(asked: Stay, there: Stay): boolean {
  const { listening, replayed, presence } = there
  if (asked.listening && !listening) return false
  return !(asked.replayed && !replayed) && !(asked.presence && !presence)
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, '0')).join('')
}
