import { Code } from '@porthouse/proto/v1/code'
import type { Command } from '@porthouse/proto/v1/command'
import type { Drop, Frame, Resume, Welcome } from '@porthouse/proto/v1/frame'
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
import type { Arrivals } from './arrivals.ts'
import { codeError, dropError, PorthouseError } from './error.ts'
import type { ClientEvents, Events } from './events.ts'
import { readEvent } from './gateway-event.ts'
import type { Handshake } from './handshake.ts'
import { readPresence } from './member.ts'
import type { OwnChannels } from './own-channels.ts'
import { encodeFrame } from './packet.ts'
import type { Queue } from './queue.ts'
import { readReceipt } from './receipt.ts'
import type { Rooms } from './rooms.ts'

export interface IncomingHost {
  readonly queue: Queue
  readonly rooms: Rooms
  readonly own: OwnChannels
  readonly arrivals: Arrivals
  readonly events: Events<ClientEvents>
  /** Of the connection there is. */
  readonly handshake: Handshake
  /** Bytes that the socket has not passed on yet. */
  readonly bufferedBytes: number
  push(frame: Uint8Array): void
  welcome(welcome: Welcome): void
  resume(resume: Resume): void
  /** The gateway ends the connection. */
  dropped(error: PorthouseError): void
}

// Above this backlog, whoever floods the client with questions gets no more answers.
const REPLY_BACKLOG_BYTES = 2 ** 20

/** What comes in, frame by frame: an answer to a question, or a push to whom it concerns. */
export class Incoming {
  readonly #host: IncomingHost
  readonly #accepted = new Accepted()

  constructor(host: IncomingHost) {
    this.#host = host
  }

  /** Throws a PorthouseError that ends the connection. */
  take({ id, body }: Frame): void {
    switch (body.case) {
      case 'welcome':
        return this.#welcome(id, body.value)
      case 'lockStep':
        return this.#lockStep(id, body.value)
      case 'envelope':
        return id ? this.#host.queue.part(id, body.value) : this.#host.rooms.deliver(body.value)
      case 'receipt':
        return this.#receipt(id, body.value, body)
      case 'room':
        return this.#room(id, body.value, body)
      case 'drop':
        return this.#drop(id, body.value, body)
      case 'command':
        return this.#command(id, body.value, body)
      case 'event':
        return this.#host.events.emit('event', readEvent(body.value))
      case 'resume':
        return this.#host.resume(body.value)
      case 'hello':
        return notForClient(body.case)
      default:
        return this.#unknown(id)
    }
  }

  #welcome(id: number, welcome: Welcome): void {
    const { helloId, welcomed } = this.#host.handshake
    if (id === helloId && !welcomed) return this.#host.welcome(welcome)
    throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: 'A Welcome that answers no Hello' })
  }

  #lockStep(id: number, { lock, step }: LockStep): void {
    const { arrivals, own } = this.#host
    const { locks } = this.#host.handshake
    switch (step.case) {
      case 'challenge': {
        const { place } = step.value
        // The join that led to it was aborted, so there is nothing to enter any more.
        if (place && arrivals.isAborted(id)) return arrivals.tellLeave(place)
        return locks.challenge(id, lock, step.value)
      }
      case 'verdict':
        own.proved(step.value.values.client)
        return locks.verdict(id, lock, step.value)
      case 'answer':
        return notForClient(step.case)
      default:
        return this.#unknown(id)
    }
  }

  #room(id: number, { action }: RoomFrame, body: Frame['body']): void {
    const { rooms, events } = this.#host
    switch (action.case) {
      case 'joined':
        return this.#joined(id, action.value, body)
      case 'left':
        return this.#left(id, action.value, body)
      case 'lost':
        return events.emit('lost', rooms.lost(action.value))
      case 'caughtUp':
        return rooms.caughtUp(action.value)
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

  #joined(id: number, joined: Joined, body: Frame['body']): void {
    if (this.#host.queue.has(id)) return this.#answered(id, body)
    this.#host.arrivals.joined(id, joined)
  }

  #left(id: number, { address, code }: Left, body: Frame['body']): void {
    if (id !== 0) return this.#answered(id, body)
    const { rooms, events } = this.#host
    const error = codeError(code)
    if (rooms.leave(address, error)) events.emit('drop', { error, address })
  }

  #cursor({ address, position }: Cursor): void {
    const { epoch = 0n, sequence = 0n } = position ?? {}
    for (const room of this.#host.rooms.in(address)) room.hasRead({ epoch, sequence })
  }

  #presence(presence: Presence): void {
    const change = readPresence(presence)
    for (const room of this.#host.rooms.by(presence.route)) {
      if (room.stay.presence) room.events.emit('presence', change)
    }
  }

  #changed(changed: Changed): void {
    const { room: address } = splitRoom(changed.address)
    for (const room of this.#host.rooms.in(address)) room.changed(changed)
  }

  #drop(id: number, drop: Drop, body: Frame['body']): void {
    const { arrivals, handshake } = this.#host
    const error = dropError(drop)
    if (id === 0) return this.#host.dropped(error)
    if (id === handshake.helloId) throw error
    if (handshake.locks.refused(id, error)) return
    if (arrivals.isRejoining(id)) return arrivals.refused(id, error)
    this.#answered(id, body)
  }

  #receipt(id: number, frame: ReceiptFrame, body: Frame['body']): void {
    if (id === 0) return this.#refused(frame)
    if (this.#host.queue.has(id)) {
      this.#accepted.note(id, frame)
      return this.#answered(id, body)
    }
    // Accepted, and then refused by the store.
    const accepted = frame.status === ReceiptStatus.REJECTED ? this.#accepted.take(id) : undefined
    if (accepted) this.#refused(frame, accepted)
  }

  #refused(frame: ReceiptFrame, accepted?: string): void {
    const read = readReceipt(frame)
    const receipt = read && { ...read, ...(accepted && { id: accepted }) }
    const { code, detail } = frame
    const error = codeError(code, { detail, ...(receipt && { receipt }) })
    this.#host.events.emit('rejected', error)
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
    const { queue } = this.#host
    if (queue.answer(id, body) || !queue.has(id)) return
    const detail = `An answer of another kind than the question (${body.case})`
    throw new PorthouseError('FRAME_NOT_ALLOWED', { detail })
  }

  #unknown(id: number): void {
    if (id === 0 || this.#host.bufferedBytes > REPLY_BACKLOG_BYTES) return
    this.#host.push(encodeFrame(id, { case: 'drop', value: { code: Code.UNIMPLEMENTED } }))
  }
}

function notForClient(kind: string): never {
  throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: `A client was sent ${kind}` })
}
