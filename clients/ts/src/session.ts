import { Code } from '@porthouse/proto/v1/code'
import type { Drop, Frame, Limits, Welcome } from '@porthouse/proto/v1/frame'
import { type LockStep, Outcome, type Verdict } from '@porthouse/proto/v1/lock_step'
import type { Receipt as ReceiptFrame } from '@porthouse/proto/v1/receipt'
import type { Joined, Left, Room as RoomFrame } from '@porthouse/proto/v1/room'
import { codeError, dropError, PorthouseError } from './error.ts'
import { type ClientEvents, Events } from './events.ts'
import { Feed } from './feed.ts'
import { Handshake, type HandshakeOptions, type Rejoined, rejoined } from './handshake.ts'
import { Link, type LinkOptions } from './link.ts'
import { encodeFrame } from './packet.ts'
import { Queue } from './queue.ts'
import { readReceipt } from './receipt.ts'
import type { Membership, RoomHost } from './room.ts'
import { Rooms } from './rooms.ts'

export interface SessionOptions extends LinkOptions, HandshakeOptions {
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
  readonly rooms: Rooms
  readonly queue: Queue
  readonly #options: SessionOptions
  readonly #link: Link
  readonly #opened = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  #handshake!: Handshake
  #limits: Limits | undefined
  #socket = ''
  #entered: Membership | undefined
  #rejoined: Rejoined[] = []
  #known = false
  #closing = false

  constructor(options: SessionOptions, host: RoomHost) {
    this.#options = options
    this.queue = new Queue(options.queueBytes)
    this.rooms = new Rooms(host, this.feed)
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

  enter(joined: Joined, listening: boolean): Membership {
    const room = this.rooms.enter(joined, listening)
    // While the first connection is still made, whoever awaits it cannot make a reader yet.
    if (this.#known) room.feed.release()
    return room
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
    const rooms = [...this.rooms].filter((room) => room !== this.#entered)
    this.#rejoined = []
    this.#handshake = new Handshake(this.#options, rooms, () => this.queue.newId())
    return this.#handshake.greeting
  }

  /** Each answer to the greeting may be the last one missing. */
  #progress(): void {
    for (const frame of this.#handshake.takeLater()) this.#push(frame)
    if (!this.#handshake.done || this.queue.isOpen) return
    this.#link.established()
    this.queue.open((frame) => this.#push(frame))
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
    this.queue.close()
    this.rooms.away()
  }

  #ended(error: PorthouseError): void {
    const why = this.#closing ? undefined : error
    this.#closing = true
    this.#socket = ''
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
        return this.#lockStep(id, body.value, body)
      case 'envelope':
        return this.rooms.deliver(body.value)
      case 'receipt':
        return id ? this.#answered(id, body) : this.#refused(body.value)
      case 'room':
        return this.#room(id, body.value, body)
      case 'drop':
        return this.#drop(id, body.value, body)
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
    this.#link.connection?.welcome(welcome)
    this.#progress()
  }

  #lockStep(id: number, { step }: LockStep, body: Frame['body']): void {
    switch (step.case) {
      case 'challenge':
        return this.#locked(id, step.value.place, body)
      case 'verdict':
        return this.#verdict(step.value)
      case 'answer':
        return notForClient(step.case)
      default:
        return this.#unknown(id)
    }
  }

  #verdict({ outcome, code }: Verdict): void {
    // The greeting holds the only answer that is ever given.
    if (this.#handshake.proved) return
    if (outcome !== Outcome.PASSED) throw codeError(code || Code.UNAUTHENTICATED)
    this.#handshake.proved = true
    this.#progress()
  }

  /** A place asks for more than the token: it cannot be entered. */
  #locked(id: number, place: string, body: Frame['body']): void {
    const { proved, entered, done } = this.#handshake
    // The answer is on its way; and the main lobby only offers to be shown a proof.
    if (!proved || !place) return
    if (!entered && id === 0) throw unauthenticated(place)
    if (done) {
      const aborted = id !== 0 && !this.queue.has(id)
      if (aborted) this.tellLeave(place)
      else this.queue.answer(id, body)
      return
    }
    this.tellLeave(place)
    this.#notRejoined(this.#handshake.take(id), unauthenticated(place))
  }

  #room(id: number, { action }: RoomFrame, body: Frame['body']): void {
    switch (action.case) {
      case 'joined':
        return this.#joined(id, action.value, body)
      case 'left':
        return this.#left(id, action.value, body)
      case 'lost':
        return this.events.emit('lost', this.rooms.lost(action.value))
      case 'join':
      case 'leave':
        return notForClient(action.case)
      default:
        return this.#unknown(id)
    }
  }

  #joined(id: number, joined: Joined, body: Frame['body']): void {
    if (this.queue.has(id)) return this.#answered(id, body)
    const again = id !== 0 && this.#handshake.rejoining.has(id)
    // The join was aborted, or the room that the URL names was left.
    const left = id === 0 ? this.#entered?.address === joined.address : !again
    if (left && !this.rooms.find(joined.address)) this.tellLeave(joined.address)
    else {
      // Joined again, a room listens as before.
      const room = this.enter(joined, id === 0 && joined.listening)
      if (id === 0) this.#entered ??= room
      if (!this.queue.isOpen) this.#rejoined.push(rejoined(joined))
    }
    if (again) this.#handshake.take(id)
    if (id === 0) this.#handshake.entered = true
    this.#progress()
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
    if (this.#handshake.essential.has(id)) throw error
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

  #answered(id: number, body: Frame['body']): void {
    if (this.queue.answer(id, body) || !this.queue.has(id)) return
    const detail = `An answer of another kind than the question (${body.case})`
    throw new PorthouseError('FRAME_NOT_ALLOWED', { detail })
  }

  #refused(frame: ReceiptFrame): void {
    const receipt = readReceipt(frame)
    const { detail } = frame
    this.events.emit('rejected', codeError(frame.code, { detail, ...(receipt && { receipt }) }))
  }

  #unknown(id: number): void {
    if (id === 0 || this.bufferedBytes > REPLY_BACKLOG_BYTES) return
    this.#push(encodeFrame(id, { case: 'drop', value: { code: Code.UNIMPLEMENTED } }))
  }
}

export function unauthenticated(place: string): PorthouseError {
  const detail = `${place || 'The gateway'} asks for a proof that was not given`
  return new PorthouseError('UNAUTHENTICATED', { detail })
}

function notForClient(kind: string): never {
  throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: `A client was sent ${kind}` })
}
