import type { Frame } from '@porthouse/proto/v1/frame'
import { fullAddress } from './address.ts'
import type { PorthouseError } from './error.ts'
import type { ClientEvents } from './events.ts'
import type { MessagesOptions } from './feed.ts'
import type { Message } from './message.ts'
import { asFrame } from './queue.ts'
import type { Receipt } from './receipt.ts'
import type { Membership, Room } from './room.ts'
import { type Destination, type SendOptions, sendQuestion } from './send.ts'
import { Session, type SessionOptions, unauthenticated } from './session.ts'

export interface JoinOptions {
  /** Enter to send, without listening. Default false. */
  sendOnly?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** A client of a gateway, made by `connect`. */
export class Client {
  readonly #session: Session
  readonly #hasToken: boolean
  readonly #keyPrefix = randomName()
  #keys = 0

  /** @internal Use `connect`, which awaits `opened`. */
  constructor(options: SessionOptions) {
    this.#hasToken = options.token !== undefined
    this.#session = new Session(options, {
      send: (content, options, destination) => this.#send(content, options, destination),
      leave: (room) => this.#leave(room),
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
   * left out. A room that was joined already is given again. While away, it waits for the
   * reconnection.
   */
  async join(address: string, { sendOnly = false, signal }: JoinOptions = {}): Promise<Room> {
    const { rooms, queue } = this.#session
    const full = fullAddress(address)
    const known = rooms.find(full)
    if (known && (known.listening || sendOnly)) return known
    const action = { case: 'join' as const, value: { address: full, sendOnly } }
    const question = {
      bytes: full.length + 64,
      repeatable: true,
      encode: asFrame({ case: 'room', value: { action } }),
      read: (answer: Frame['body']) => {
        if (answer.case === 'room' && answer.value.action.case === 'joined') {
          return this.#session.enter(answer.value.action.value, !sendOnly)
        }
        if (answer.case !== 'lockStep') return undefined
        this.#session.tellLeave(full)
        throw unauthenticated(full)
      },
    }
    return await queue.ask<Room>(question, signal)
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
    return this.#session.feed.read(options)
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
    // The gateway knows keys by token; without one, a new socket's key is not the old one's.
    const made = this.#hasToken && !once ? this.#newKey() : undefined
    const question = sendQuestion(content, options, {
      destination,
      key: options.idempotencyKey ?? made,
      repeatable: this.#hasToken,
      limits: () => session.limits,
    })
    // Without a receipt only the socket tells how much is on its way.
    return await session.queue.ask(question, options.signal, once ? session.bufferedBytes : 0)
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

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, '0')).join('')
}
