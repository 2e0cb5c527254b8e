import { Code } from '@porthouse/proto/v1/code'
import type { Command } from '@porthouse/proto/v1/command'
import type { Drop, Frame, Limits, Welcome } from '@porthouse/proto/v1/frame'
import type { LockStep } from '@porthouse/proto/v1/lock_step'
import { type Receipt as ReceiptFrame, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type {
  Changed,
  Cursor,
  Joined,
  Left,
  Presence,
  Room as RoomFrame,
} from '@porthouse/proto/v1/room'
import { Accepted } from './accepted.ts'
import { splitRoom } from './address.ts'
import type { Clock } from './clock.ts'
import { codeError, dropError, PorthouseError } from './error.ts'
import { type ClientEvents, Events } from './events.ts'
import { Feed } from './feed.ts'
import { readEvent } from './gateway-event.ts'
import { Handshake, type HandshakeOptions, type Rejoined, rejoined } from './handshake.ts'
import { Joins } from './joins.ts'
import { Link, type LinkOptions } from './link.ts'
import { Locks, type LocksOptions } from './locks.ts'
import { readPresence } from './member.ts'
import type { Lost } from './message.ts'
import { OwnChannels } from './own-channels.ts'
import { encodeFrame } from './packet.ts'
import { Queue } from './queue.ts'
import { readReceipt } from './receipt.ts'
import { Resumption } from './resumption.ts'
import type { Entering, Membership, RoomHost, Stay } from './room.ts'
import { Rooms } from './rooms.ts'

export interface SessionOptions extends LinkOptions, HandshakeOptions, LocksOptions {
  /** Bound of what waits to be sent or answered. */
  readonly queueBytes: number
}

// Above this backlog, whoever floods the client with questions gets no more answers.
const REPLY_BACKLOG_BYTES = 2 ** 20

/**
 * The conversation with the gateway, over as many connections as it takes: what each frame does.
 */
export class Session {
  readonly events = new Events<ClientEvents>()
  /** All messages. */
  readonly feed = new Feed()
  readonly own: OwnChannels
  readonly rooms: Rooms
  readonly joins: Joins
  readonly queue: Queue
  readonly #options: SessionOptions
  readonly #link: Link
  readonly #resumption: Resumption
  readonly #opened = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  #handshake!: Handshake
  #limits: Limits | undefined
  #socket = ''
  #entered: Membership | undefined
  #rejoined: Rejoined[] = []
  /** Gaps told so far. */
  #missed = 0
  readonly #accepted = new Accepted()
  /** Of the connection there is; aborted when it is gone. */
  #here = new AbortController()
  readonly #over = new AbortController()
  #known = false
  #closing = false

  constructor(options: SessionOptions, host: Omit<RoomHost, 'heard' | 'ask'>) {
    this.#options = options
    this.queue = new Queue(options.queueBytes)
    this.#resumption = new Resumption(options.clock)
    const { queue, feed } = this
    this.own = new OwnChannels({
      queue,
      deliver: (message, bytes) => feed.push(message, bytes),
      gap: (gap) => this.#gap(gap),
      fail: (error) => this.#fail(error),
      isJoined: (client) => this.rooms.find(client) !== undefined,
    })
    const ask: RoomHost['ask'] = (question, signal) => queue.ask(question, signal)
    this.rooms = new Rooms({ ...host, ask }, feed, this.own)
    this.joins = new Joins({
      queue,
      find: (address) => this.rooms.find(address),
      enter: (joined, stay, entering) => this.#enter(joined, stay, entering),
      refused: (room, error) => this.#guarded(() => this.#notRejoined(room, error)),
    })
    this.#link = new Link(options, {
      greet: () => this.#greet(),
      frame: (frame) => this.#frame(frame),
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
    return this.#entered
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

  #enter(joined: Joined, stay: Stay, entering: Entering = {}): Membership {
    const { room, gap } = this.rooms.enter(joined, stay, entering)
    if (gap) this.#gap(gap)
    // While the first connection is still made, whoever awaits it cannot make a reader yet.
    if (this.#known) room.feed.release()
    return room
  }

  #gap(gap: Lost): void {
    this.#missed++
    this.feed.lost(gap)
    this.events.emit('gap', gap)
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#link.close()
    }
    return this.#closed.promise
  }

  /** Leaves without waiting for the answer, where a join went wrong. */
  tellLeave(address: string): void {
    const action = { case: 'leave' as const, value: { address } }
    this.#push(encodeFrame(this.queue.newId(), { case: 'room', value: { action } }))
  }

  #push(frame: Uint8Array): void {
    this.#link.connection?.push(frame)
  }

  #greet(): Uint8Array[] {
    this.#here = new AbortController()
    const known = [...this.rooms].filter((room) => room !== this.#entered)
    const rooms = this.joins.begin(known, this.#here.signal)
    const newId = () => this.queue.newId()
    const { token: resume } = this.#resumption
    this.#rejoined = []
    this.#handshake = new Handshake(this.#options, this.#newLocks(), { resume, rooms, newId })
    return this.#handshake.greeting
  }

  /** The locks of the connection that is made now; what they ask for later is void by then. */
  #newLocks(): Locks {
    const session = this
    const locks: Locks = new Locks(this.#options, {
      get socket() {
        return session.#socket
      },
      newId: () => this.queue.newId(),
      push: (frame) => this.#push(frame),
      stuck: (question, place, error) => this.#stuck(question, place, error),
      fail: (error) => this.#fail(error),
      progress: () => this.#guarded(() => this.#progress()),
      waits: (ms) => this.#link.connection?.waits(ms),
    })
    return locks
  }

  #fail(error: PorthouseError): void {
    this.#link.connection?.fail(error)
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
      this.events.emit('reconnected', { socket: this.#socket, rooms: this.#rejoined })
    } else {
      this.#known = true
      this.feed.release()
      for (const room of this.rooms) room.feed.release()
      this.#opened.resolve()
    }
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
    this.events.emit('closed', why ? { error: why } : {})
  }

  #frame({ id, body }: Frame): void {
    switch (body.case) {
      case 'welcome':
        return this.#welcome(body.value)
      case 'lockStep':
        return this.#lockStep(id, body.value)
      case 'envelope':
        return id ? this.queue.part(id, body.value) : this.rooms.deliver(body.value)
      case 'receipt':
        return this.#receipt(id, body.value, body)
      case 'room':
        return this.#room(id, body.value, body)
      case 'drop':
        return this.#drop(id, body.value, body)
      case 'command':
        return this.#command(id, body.value, body)
      case 'event':
        return this.events.emit('event', readEvent(body.value))
      case 'resume':
        return this.#resumption.keep(body.value)
      case 'hello':
        return notForClient(body.case)
      default:
        return this.#unknown(id)
    }
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

  #lockStep(id: number, { lock, step }: LockStep): void {
    const { locks } = this.#handshake
    switch (step.case) {
      case 'challenge': {
        const { place } = step.value
        // The join that led to it was aborted, so there is nothing to enter any more.
        if (place && this.#isAborted(id)) return this.tellLeave(place)
        return locks.challenge(id, lock, step.value)
      }
      case 'verdict':
        this.own.proved(step.value.values.client)
        return locks.verdict(id, lock, step.value)
      case 'answer':
        return notForClient(step.case)
      default:
        return this.#unknown(id)
    }
  }

  #isAborted(id: number): boolean {
    const { locks, rejoining, done } = this.#handshake
    return done && id !== 0 && !this.queue.has(id) && !rejoining.has(id) && !locks.has(id)
  }

  /** A place asks for more than there are answers to: it cannot be entered. */
  #stuck(question: number, place: string, error: PorthouseError): void {
    const { entered, rejoining } = this.#handshake
    // The main lobby only offers to be shown a proof.
    if (!place) return
    if (!entered && question === 0) return this.#fail(error)
    this.tellLeave(place)
    const again = rejoining.has(question) ? [question] : this.#handshake.joinsOf(place)
    this.#guarded(() => {
      for (const id of again) this.#notRejoined(this.#handshake.take(id), error)
    })
    if (again.length > 0 || this.queue.refuse(question, error)) return
    for (const id of this.queue.entering(place)) this.queue.refuse(id, error)
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

  #room(id: number, { action }: RoomFrame, body: Frame['body']): void {
    switch (action.case) {
      case 'joined':
        return this.#joined(id, action.value, body)
      case 'left':
        return this.#left(id, action.value, body)
      case 'lost':
        return this.events.emit('lost', this.rooms.lost(action.value))
      case 'caughtUp':
        return this.rooms.caughtUp(action.value)
      case 'fetched':
      case 'members':
        return this.#answered(id, body)
      case 'cursor':
        return id ? this.#answered(id, body) : this.#cursor(action.value)
      case 'presence':
        return this.#presence(action.value)
      case 'changed':
        return this.#changed(action.value)
      case 'join':
      case 'leave':
      case 'fetch':
      case 'listMembers':
        return notForClient(action.case)
      default:
        return this.#unknown(id)
    }
  }

  #cursor({ address, position }: Cursor): void {
    const { epoch = 0n, sequence = 0n } = position ?? {}
    for (const room of this.rooms.in(address)) room.hasRead({ epoch, sequence })
  }

  #presence(presence: Presence): void {
    const change = readPresence(presence)
    for (const room of this.rooms.by(presence.route)) {
      if (room.stay.presence) room.events.emit('presence', change)
    }
  }

  #changed(changed: Changed): void {
    for (const room of this.rooms.in(splitRoom(changed.address).room)) room.changed(changed)
  }

  #joined(id: number, joined: Joined, body: Frame['body']): void {
    if (this.queue.has(id)) return this.#answered(id, body)
    const again = id !== 0 && this.#handshake.rejoining.has(id)
    // The join was aborted, or the room that the URL names was left.
    const left = id === 0 ? this.#entered?.address === joined.address : !again
    if (left && !this.rooms.find(joined.address)) this.tellLeave(joined.address)
    else {
      this.#welcomed(id, joined)
    }
    if (again) this.#handshake.take(id)
    if (id === 0) this.#handshake.enter()
    this.#progress()
  }

  #welcomed(id: number, joined: Joined): void {
    const before = this.rooms.find(joined.address)
    // The room of the URL comes back by itself, and has to ask for what it missed.
    const later =
      id === 0 && !this.queue.isOpen && before !== undefined && isElsewhere(before, joined)
    const missed = this.#missed
    // Joined again, a room listens as before.
    const stay = before?.stay ?? { listening: id === 0 && joined.listening }
    const room = this.#enter(joined, stay, { later })
    // Others that come unasked were added while the socket lived (R51).
    if (id === 0 && this.#options.entering) this.#entered ??= room
    if (id === 0 && before && !this.queue.isOpen) this.joins.byUrl(room, joined, later)
    else this.joins.returned(room)
    const recovered = !later && missed === this.#missed
    if (!this.queue.isOpen) this.#rejoined.push(rejoined(joined, recovered))
  }

  #left(id: number, { address, code }: Left, body: Frame['body']): void {
    if (id !== 0) return this.#answered(id, body)
    const error = codeError(code)
    if (this.rooms.leave(address, error)) this.events.emit('drop', { error, address })
  }

  #drop(id: number, drop: Drop, body: Frame['body']): void {
    const error = dropError(drop)
    if (id === 0) {
      this.#away()
      this.#link.connection?.dropped(error)
      return this.events.emit('drop', { error })
    }
    if (id === this.#handshake.helloId) throw error
    if (this.#handshake.locks.refused(id, error)) return
    if (!this.#handshake.rejoining.has(id)) return this.#answered(id, body)
    this.#notRejoined(this.#handshake.take(id), error)
  }

  #notRejoined(room: Membership | undefined, error: PorthouseError): void {
    // What passes is waited for: the whole connection is tried again later.
    if (error.temporary) throw error
    if (room) {
      this.rooms.leave(room.address, error)
      this.events.emit('drop', { error, address: room.address })
    }
    this.#progress()
  }

  #receipt(id: number, frame: ReceiptFrame, body: Frame['body']): void {
    if (id === 0) return this.#refused(frame)
    if (this.queue.has(id)) {
      this.#accepted.note(id, frame)
      return this.#answered(id, body)
    }
    // Accepted, and then refused by the store.
    const accepted = frame.status === ReceiptStatus.REJECTED ? this.#accepted.take(id) : undefined
    if (accepted) this.#refused(frame, accepted)
  }

  #command(id: number, { action }: Command, body: Frame['body']): void {
    switch (action.case) {
      case 'sockets':
      case 'rooms':
      case 'clients':
      case 'unread':
      case 'stats':
      case 'done':
        return this.#answered(id, body)
      case undefined:
        return this.#unknown(id)
      default:
        return notForClient(action.case)
    }
  }

  #answered(id: number, body: Frame['body']): void {
    if (this.queue.answer(id, body) || !this.queue.has(id)) return
    const detail = `An answer of another kind than the question (${body.case})`
    throw new PorthouseError('FRAME_NOT_ALLOWED', { detail })
  }

  #refused(frame: ReceiptFrame, accepted?: string): void {
    const read = readReceipt(frame)
    const receipt = read && { ...read, ...(accepted && { id: accepted }) }
    const { detail } = frame
    this.events.emit('rejected', codeError(frame.code, { detail, ...(receipt && { receipt }) }))
  }

  #unknown(id: number): void {
    if (id === 0 || this.bufferedBytes > REPLY_BACKLOG_BYTES) return
    this.#push(encodeFrame(id, { case: 'drop', value: { code: Code.UNIMPLEMENTED } }))
  }
}

/** Whether messages may have come since the room was last heard. */
function isElsewhere({ listening, position }: Membership, { epoch, sequence }: Joined): boolean {
  return listening && (position?.epoch !== epoch || position.sequence !== sequence)
}

function notForClient(kind: string): never {
  throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: `A client was sent ${kind}` })
}
