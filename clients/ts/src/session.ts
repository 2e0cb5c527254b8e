import type { Limits, Welcome } from '@porthouse/proto/v1/frame'
import { Arrivals } from './arrivals.ts'
import type { Clock } from './clock.ts'
import type { CatchingUp } from './course.ts'
import { PorthouseError } from './error.ts'
import { type ClientEvents, Events } from './events.ts'
import { Feed } from './feed.ts'
import { Handshake, type HandshakeOptions } from './handshake.ts'
import { Incoming } from './incoming.ts'
import type { Joins } from './joins.ts'
import { Link, type LinkOptions } from './link.ts'
import { Locks, type LocksOptions } from './locks.ts'
import type { Lost } from './message.ts'
import { OwnChannels } from './own-channels.ts'
import { Queue } from './queue.ts'
import { Resumption } from './resumption.ts'
import type { Membership, RoomHost } from './room.ts'
import { Rooms } from './rooms.ts'

export interface SessionOptions extends LinkOptions, HandshakeOptions, LocksOptions {
  /** How long the gateway may take over an answer, beside what locks wait for theirs. */
  readonly answerMs: number
}

/**
 * The conversation with the gateway, over as many connections as it takes: how each begins, is
 * established and ends. What comes in on it is for Incoming, which room it leads to for Arrivals.
 */
export class Session {
  readonly events = new Events<ClientEvents>()
  /** All messages. */
  readonly feed = new Feed()
  readonly own: OwnChannels
  readonly rooms: Rooms
  readonly queue: Queue
  readonly #options: SessionOptions
  readonly #arrivals: Arrivals
  readonly #link: Link
  readonly #resumption: Resumption
  readonly #opened = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  #handshake!: Handshake
  #limits: Limits | undefined
  #socket = ''
  /** Of the connection there is; aborted when it is gone. */
  #here = new AbortController()
  readonly #over = new AbortController()
  #known = false
  #closing = false

  constructor(options: SessionOptions, host: Omit<RoomHost, 'heard' | 'ask'>) {
    this.#options = options
    this.queue = new Queue(options.queueBytes, options)
    this.#resumption = new Resumption(options.clock)
    const { queue, feed } = this
    this.own = new OwnChannels({
      queue,
      deliver: (message, bytes) => feed.push(message, bytes),
      gap: (gap) => this.#gap(gap),
      fail: (error) => this.#fail(error),
      isJoined: (client) => this.rooms.find(client) !== undefined,
      expectPast: (who) => this.#expectPast(who),
    })
    const ask: RoomHost['ask'] = (question, signal) => queue.ask(question, signal)
    this.rooms = new Rooms({ ...host, ask }, feed, this.own)
    this.#arrivals = this.#newArrivals()
    const incoming = this.#newIncoming()
    this.#link = new Link(options, {
      greet: () => this.#greet(),
      frame: (frame) => incoming.take(frame),
      flushed: () => this.queue.flushed(),
      lost: (error, delayMs) => this.#lost(error, delayMs),
      ended: (error) => this.#ended(error),
    })
    this.#link.open()
  }

  /** Resolves once first connected; rejects with why that failed. */
  get opened(): Promise<void> {
    return this.#opened.promise
  }

  get socket(): string {
    return this.#socket
  }

  get entered(): Membership | undefined {
    return this.#arrivals.entered
  }

  get joins(): Joins {
    return this.#arrivals.joins
  }

  /** Those of the connection there is, or was last. */
  get limits(): Limits | undefined {
    return this.#limits
  }

  /** Bytes that the socket has not passed on yet. */
  get bufferedBytes(): number {
    return this.#link.connection?.bufferedBytes ?? 0
  }

  get clock(): Clock {
    return this.#options.clock
  }

  /** Aborted when it is closed for good. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#link.close()
    }
    return this.#closed.promise
  }

  #newArrivals(): Arrivals {
    const session = this
    const { queue, rooms, events } = this
    return new Arrivals({
      queue,
      rooms,
      events,
      entering: this.#options.entering,
      get handshake() {
        return session.#handshake
      },
      push: (frame) => this.#push(frame),
      gap: (gap) => this.#gap(gap),
      fail: (error) => this.#fail(error),
      guarded: (act) => this.#guarded(act),
      progress: () => this.#progress(),
      expectPast: (who) => this.#expectPast(who),
    })
  }

  #newIncoming(): Incoming {
    const session = this
    const { queue, rooms, own, events } = this
    return new Incoming({
      queue,
      rooms,
      own,
      events,
      arrivals: this.#arrivals,
      get handshake() {
        return session.#handshake
      },
      get bufferedBytes() {
        return session.bufferedBytes
      },
      push: (frame) => this.#push(frame),
      welcome: (welcome) => this.#welcome(welcome),
      resume: (resume) => this.#resumption.keep(resume),
      dropped: (error) => this.#dropped(error),
    })
  }

  /** The locks of the connection that is made now; what they ask for later is void by then. */
  #newLocks(): Locks {
    const session = this
    return new Locks(this.#options, {
      get socket() {
        return session.#socket
      },
      newId: () => this.queue.newId(),
      push: (frame) => this.#push(frame),
      stuck: (question, place, error) => this.#arrivals.stuck(question, place, error),
      fail: (error) => this.#fail(error),
      progress: () => this.#guarded(() => this.#progress()),
      waits: (ms) => {
        this.#link.connection?.waits(ms)
        this.queue.waits(ms)
      },
    })
  }

  #greet(): Uint8Array[] {
    this.#here = new AbortController()
    const rooms = this.#arrivals.begin(this.#here.signal)
    const newId = () => this.queue.newId()
    const { token: resume } = this.#resumption
    this.#handshake = new Handshake(this.#options, this.#newLocks(), { resume, rooms, newId })
    return this.#handshake.greeting
  }

  #welcome(welcome: Welcome): void {
    this.#limits = welcome.limits
    this.#socket = welcome.socket
    this.#handshake.welcomed = true
    if (!welcome.resumed) this.#resumption.forget()
    this.#link.connection?.welcome(welcome)
    this.#handshake.locks.welcomed(welcome.resumed)
    this.#progress()
  }

  /** Each answer to the greeting may be the last one missing. */
  #progress(): void {
    for (const frame of this.#handshake.takeLater()) this.#push(frame)
    if (!this.#handshake.done || this.queue.isOpen) return
    this.#link.established()
    this.#handshake.locks.established()
    this.queue.open((frame) => this.#push(frame))
    this.joins.established()
    this.own.established(this.#here.signal)
    if (this.#known) {
      const { rejoined } = this.#arrivals
      this.events.emit('reconnected', { socket: this.#socket, rooms: rejoined })
    } else {
      this.#known = true
      this.rooms.release()
      this.#opened.resolve()
    }
  }

  #push(frame: Uint8Array): void {
    this.#link.connection?.push(frame)
  }

  #gap(gap: Lost): void {
    this.feed.lost(gap)
    this.events.emit('gap', gap)
  }

  #fail(error: PorthouseError): void {
    this.#link.connection?.fail(error)
  }

  /** Who catches up gets further in time, or the connection is of no use. */
  #expectPast(who: CatchingUp): void {
    const { clock, answerMs } = this.#options
    const { signal } = this.#here
    const { position } = who
    const cancel = clock.after(answerMs, () => {
      signal.removeEventListener('abort', cancel)
      if (!who.catchingUp) return
      if (who.position !== position) return this.#expectPast(who)
      const detail = `What was before does not come, for ${answerMs} ms`
      this.#fail(new PorthouseError('UNAVAILABLE', { detail }))
    })
    signal.addEventListener('abort', cancel)
  }

  /** What is done beside the handling of a frame may fail as that may. */
  #guarded(act: () => void): void {
    try {
      act()
    } catch (cause) {
      const known = cause instanceof PorthouseError
      this.#fail(known ? cause : new PorthouseError('INTERNAL', { cause }))
    }
  }

  #dropped(error: PorthouseError): void {
    this.#away()
    this.#link.connection?.dropped(error)
    this.events.emit('drop', { error })
  }

  #lost(error: PorthouseError, delayMs: number): void {
    this.#away()
    this.events.emit('reconnecting', { attempt: this.#options.backoff.attempt, delayMs, error })
  }

  #away(): void {
    this.#socket = ''
    this.#here.abort()
    this.#handshake.locks.end()
    this.queue.close()
    this.rooms.away()
    this.joins.away()
    this.own.away()
  }

  #ended(error: PorthouseError): void {
    const why = this.#closing ? undefined : error
    this.#closing = true
    this.#socket = ''
    this.#here.abort()
    this.#over.abort()
    this.#handshake?.locks.end()
    this.queue.end(error)
    this.rooms.end(why)
    this.#opened.reject(error)
    this.#closed.resolve()
    this.events.end('closed', why ? { error: why } : {})
  }
}
