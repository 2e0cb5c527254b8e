import type { Changed as ChangedFrame, Joined } from '@porthouse/proto/v1/room'
import { hears, isFilter, splitRoom } from './address.ts'
import { Course } from './course.ts'
import { PorthouseError } from './error.ts'
import { Events } from './events.ts'
import { Feed, type MessagesOptions } from './feed.ts'
import {
  type FetchOptions,
  fetchQuestion,
  type HistoryOptions,
  history,
  type Page,
} from './history.ts'
import { type Member, members, type Presence } from './member.ts'
import type { Lost, Message } from './message.ts'
import { type Position, positionOf, type Since } from './position.ts'
import type { Question } from './queue.ts'
import { Reading } from './reading.ts'
import type { Receipt } from './receipt.ts'
import type { Destination, RoomSendOptions, SendOptions } from './send.ts'

export interface RoomEvents {
  /** What was asked for of the past has come; what follows is live, after this position. */
  caughtUp: Required<Position>
  /** It could not go on where it was. */
  gap: Lost
  /** The client has read up to here, on this socket or on another one of it. */
  cursor: Required<Position>
  /** Members came and went; where `presence` was asked for. */
  presence: Presence
  /** The room's config is another now: its revision, and the kinds of the blocks that changed. */
  changed: { revision: number; blocks: readonly string[] }
}

/** A room that the client is in, or a channel of one. It stays good across reconnections. */
export interface Room {
  /** What was joined, as slugs: `room:{account}/{room}[/{channel}]`. */
  readonly address: string
  /** Whether its messages are heard; false where it was joined to send only. */
  readonly listening: boolean
  readonly maySend: boolean
  /** Of the room's config. */
  readonly revision: number
  /** Of the last message heard, or of what came before the first; undefined: it hears nothing. */
  readonly position: Required<Position> | undefined
  /**
   * Resolves when what was asked for of the past, by the join or the last reconnection, has come;
   * at once where nothing was. Rejects where the room is left before.
   */
  readonly caughtUp: Promise<void>
  /** How far the client has read, as far as that was told: by `read`, or a join since `unread`. */
  readonly cursor: bigint | undefined
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
   * The room's messages from now on, those of the past that the join asked for among them; made in
   * the same turn in which the join resolved, none is missed. Ends when the room is left or the
   * client closed; throws where either was not your doing.
   */
  messages(options?: MessagesOptions): AsyncIterableIterator<Message>
  /** A page of the room's history; rejects with NO_HISTORY where it keeps none. */
  fetch(options?: FetchOptions): Promise<Page>
  /** The room's history in one direction, a page at a time as the loop needs it. */
  history(options?: HistoryOptions): AsyncGenerator<Message, void>
  /**
   * Tells that the client has read all up to there, by default up to the last message heard.
   * Resolves when the gateway knows; what is told in quick succession is told as one.
   */
  read(upTo?: Position | bigint | number): Promise<void>
  /** Who is in the room, ordered by address, a page at a time as the loop needs it. */
  members(): AsyncGenerator<Member, void>
  /** Returns a function that takes the listener off again. */
  on<Name extends keyof RoomEvents>(
    name: Name,
    listener: (event: RoomEvents[Name]) => void,
  ): () => void
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
  ask<T>(question: Question<T>, signal?: AbortSignal): Promise<T>
  leave(room: Membership): Promise<void>
  /** A message that the room has given to its own readers. */
  heard(room: Membership, message: Message, bytes: number): void
}

/** What a stay in a room asks for; another one in the same room may ask for more. */
export interface Stay {
  readonly listening: boolean
  readonly replayed?: boolean | undefined
  readonly presence?: boolean | undefined
}

export interface Entering {
  readonly since?: Since | undefined
  readonly later?: boolean
}

/** A Room as its client sees it. */
export class Membership implements Room {
  readonly address: string
  /** The address without its channel. */
  readonly room: string
  readonly feed = new Feed()
  readonly events = new Events<RoomEvents>()
  readonly #host: RoomHost
  readonly #channel: string
  readonly #course: Course
  readonly #reading: Reading
  #joined: Joined
  #stay: Stay = { listening: false }
  #present = false
  #caughtUp: PromiseWithResolvers<void> | undefined
  #end: PorthouseError | undefined

  constructor(joined: Joined, host: RoomHost) {
    this.address = joined.address
    const { room, channel } = splitRoom(joined.address)
    this.room = room
    this.#channel = channel
    this.#joined = joined
    this.#host = host
    this.#course = new Course((message, bytes) => {
      this.feed.push(message, bytes)
      host.heard(this, message, bytes)
    })
    this.#reading = new Reading(room, (question) => host.ask(question))
  }

  get listening(): boolean {
    return this.#stay.listening
  }

  /** What it asks for when it is joined again. */
  get stay(): Stay {
    return this.#stay
  }

  get maySend(): boolean {
    return this.#joined.maySend
  }

  get revision(): number {
    return this.#joined.revision
  }

  get epoch(): bigint {
    return this.#joined.epoch
  }

  get route(): number {
    return this.#joined.route
  }

  get position(): Required<Position> | undefined {
    return this.#course.position
  }

  get cursor(): bigint | undefined {
    return this.#reading.cursor
  }

  get catchingUp(): boolean {
    return this.#course.catchingUp
  }

  get caughtUp(): Promise<void> {
    return this.#caughtUp?.promise ?? Promise.resolve()
  }

  hears(channel: string): boolean {
    return this.listening && hears(this.#channel, channel)
  }

  /** Whether it has heard a message. */
  has(message: Message): boolean {
    return this.hears(message.channel) && this.#course.has(message)
  }

  /**
   * Joined, for the first time or again, in this connection or a new one; `since` is what the
   * application asked for. Says what its listener missed; with `later`, the answer to what is yet
   * to be asked does.
   */
  enter(joined: Joined, stay: Stay, { since, later }: Entering = {}): Lost | undefined {
    const before = this.#stay
    const isNew = !this.#present || !before.listening
    this.#present = true
    this.#joined = joined
    this.#stay = {
      listening: before.listening || stay.listening,
      replayed: before.replayed || stay.replayed,
      presence: before.presence || stay.presence,
    }
    if (!this.listening) return undefined
    // What comes unasked while it listens tells of its rights, or that positions begin anew.
    if (!isNew && !joined.backlog) {
      this.#course.renew(joined)
      return undefined
    }
    if (later) {
      this.#course.wait()
      return undefined
    }
    if (since === 'unread' && joined.backlog) this.#reading.is(joined.backlog.afterSequence)
    const missed = this.#course.begin(joined, since)
    this.#caughtUp?.resolve()
    this.#caughtUp = this.catchingUp ? Promise.withResolvers() : undefined
    // Not everybody waits for it.
    this.#caughtUp?.promise.catch(() => {})
    if (!missed) return undefined
    const gap = { address: this.address, count: 0, ...missed }
    this.feed.lost(gap)
    this.events.emit('gap', gap)
    return gap
  }

  take(message: Message, bytes: number): void {
    this.#course.take(message, bytes)
  }

  /** What was asked for of the past has come. */
  arrive(sequence: bigint): void {
    if (!this.catchingUp) return
    this.#course.caughtUp(sequence)
    this.#caughtUp?.resolve()
    this.events.emit('caughtUp', { epoch: this.epoch, sequence })
  }

  /** The client has read up to there, elsewhere. */
  hasRead(position: Required<Position>): void {
    this.#reading.is(position.sequence)
    this.events.emit('cursor', position)
  }

  changed({ revision, blocks }: ChangedFrame): void {
    this.#joined = { ...this.#joined, revision }
    this.events.emit('changed', { revision, blocks: [...blocks] })
  }

  /** The connection that knew its route is gone. */
  away(): void {
    this.#present = false
    this.#course.away()
    // What is sent to a client comes before it is asked for.
    if (this.address.startsWith('client:') && this.position) this.#course.wait()
  }

  end(error?: PorthouseError): void {
    this.#end ??= error ?? new PorthouseError('CLOSED', { detail: 'The room was left' })
    this.feed.end(error)
    this.#caughtUp?.reject(this.#end)
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

  async fetch(options: FetchOptions = {}): Promise<Page> {
    return await this.#ask(fetchQuestion(this.address, options), options.signal)
  }

  history(options: HistoryOptions = {}): AsyncGenerator<Message, void> {
    return history((range) => this.fetch(range), options)
  }

  async read(upTo: Position | bigint | number | undefined = this.position): Promise<void> {
    if (this.#end) throw this.#end
    if (upTo === undefined) return
    const { epoch, sequence } = positionOf(upTo)
    await this.#reading.move({ epoch: epoch || this.epoch, sequence })
  }

  members(): AsyncGenerator<Member, void> {
    return members(this.room, (question) => this.#ask(question))
  }

  on<Name extends keyof RoomEvents>(
    name: Name,
    listener: (event: RoomEvents[Name]) => void,
  ): () => void {
    return this.events.on(name, listener)
  }

  leave(): Promise<void> {
    return this.#end ? Promise.resolve() : this.#host.leave(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  #ask<T>(question: Question<T>, signal?: AbortSignal): Promise<T> {
    return this.#end ? Promise.reject(this.#end) : this.#host.ask(question, signal)
  }
}
