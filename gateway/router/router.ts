/**
 * The way of an envelope, as its steps: resolve → permit → fit → recall → gather → send. Nothing
 * here waits, and nothing knows of transports or storage (R31): where a message has to wait for its
 * room's program or history, the outcome says that it will tell later.
 */
import { hash } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { Stamp } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { keepId, type MessageId, type Uuid7Source } from '../protocol/uuid7.ts'
import type { MessageKey } from '../store/history.ts'
import { deliver, fanOut } from './deliver.ts'
import {
  type Destination,
  type DirectDestination,
  type GroupDestination,
  type RefusedDestination,
  type RoomDestination,
  refused,
} from './destination.ts'
import { gather } from './gather.ts'
import type { Graph } from './graph.ts'
import type { IdempotencyWindow, Remembered, Waiter } from './idempotency.ts'
import { ownBody, ownText, type RoomMessage } from './intake.ts'
import type { Membership, Sender } from './membership.ts'
import { Outcome } from './outcome.ts'
import type { OwnChannels } from './own-channels.ts'
import { permit } from './policy.ts'
import { type Barred, resolve } from './resolve.ts'
import type { Actor, Socket } from './socket.ts'

const NO_BYTES = new Uint8Array()
const CLIENT = 'client:'
const NONE_BARRED: Barred = new Map()

export class Router {
  readonly graph: Graph
  readonly #ids: Uuid7Source
  readonly #window: IdempotencyWindow
  readonly #own: OwnChannels
  /** Milliseconds that only rise: a clock that is set must not change how much may be sent. */
  readonly #uptime: () => number

  constructor(parts: {
    graph: Graph
    ids: Uuid7Source
    window: IdempotencyWindow
    own: OwnChannels
    uptime: () => number
  }) {
    this.graph = parts.graph
    this.#ids = parts.ids
    this.#window = parts.window
    this.#own = parts.own
    this.#uptime = parts.uptime
  }

  /**
   * Takes an envelope from a socket and says what became of it. `barred`: rooms among its
   * destinations that the socket could not enter, by name as written, and why.
   */
  publish(origin: Socket, envelope: ScannedEnvelope, barred = NONE_BARRED): Outcome {
    const outcome = new Outcome(this.#ids.next(), envelope.receipt)
    const seen = envelope.to.length > 1 ? new Set<string>() : undefined
    const now = this.#uptime()
    for (const asked of resolve(this.graph, origin, envelope, barred)) {
      const destination = permit(asked, envelope, now)
      if (destination.kind === 'refused') {
        outcome.refuse(destination)
        continue
      }
      if (seen) {
        const address = addressOf(destination)
        if (seen.has(address)) continue
        seen.add(address)
      }
      const fitted = fit(destination, envelope)
      if ('kind' in fitted) outcome.refuse(fitted)
      else if (envelope.key !== '') this.#sendOnce(origin, fitted, destination, outcome)
      else this.#send(origin, fitted, destination, outcome)
    }
    return outcome
  }

  /** Under an idempotency key: sends what was not sent before. */
  #sendOnce(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: Sendable,
    outcome: Outcome,
  ): void {
    const { name } = destination
    const { principal } = actorOf(destination)
    const scope = hash('sha256', `${principal}\n${envelope.key}\n${addressOf(destination)}`, 'hex')
    const bodyHash = hashOfBody(envelope)
    const now = this.#uptime()
    const recall = this.#window.recall(scope, bodyHash, now)
    if (recall.outcome === 'reused') {
      return outcome.refuse(refused(name, Code.KEY_REUSED, 'the key was used with another body'))
    }
    if (recall.outcome === 'same') {
      const { first } = recall.keyed
      if (first) outcome.duplicate(first)
      else recall.keyed.wait(outcome.expect(name, true))
      return
    }
    const keyed = this.#window.begin(scope, bodyHash, now)
    if (destination.kind === 'room' && destination.membership.place.intake) {
      const key = { scope: Buffer.from(scope, 'hex'), body: Buffer.from(bodyHash, 'hex') }
      const waiter = outcome.expect(name, false)
      return this.#sendThrough(origin, envelope, destination, outcome.ownId, key, {
        settle: (end) => {
          waiter.settle(end)
          this.#window.ended(keyed, end)
        },
        doubt: (refusal) => {
          waiter.doubt(refusal)
          keyed.doubt(refusal)
        },
      })
    }
    const facts = this.#sendNow(origin, envelope, destination, outcome.ownId)
    this.#window.ended(keyed, facts)
    outcome.sent(facts)
  }

  #send(origin: Socket, envelope: ScannedEnvelope, destination: Sendable, outcome: Outcome): void {
    if (destination.kind === 'room' && destination.membership.place.intake) {
      const waiter = outcome.expect(destination.name, false)
      this.#sendThrough(origin, envelope, destination, outcome.ownId, undefined, waiter)
    } else {
      outcome.sent(this.#sendNow(origin, envelope, destination, outcome.ownId))
    }
  }

  #sendNow(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: Sendable,
    id: MessageId,
  ): Remembered {
    return destination.kind === 'room'
      ? this.#sendToRoom(origin, envelope, destination, id)
      : this.#sendDirect(origin, envelope, destination, id)
  }

  #sendToRoom(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: RoomDestination,
    id: MessageId,
  ): Remembered {
    const { membership: sender, channel } = destination
    const { place } = sender
    const { keeper, epoch } = place
    const message = this.#messageTo(origin, envelope, destination, id, keeper !== undefined)
    message.sequence = place.sequence + 1
    if (keeper) return deliver(place, { message, channel, body: ownBody(envelope), sender })
    const sockets = fanOut(place, channel, envelope, message, sender)
    return { id, sockets, sequence: message.sequence, epoch, stored: false, kept: false }
  }

  /** To a room whose messages have to wait: with memory of its own, and a word at the end. */
  #sendThrough(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: RoomDestination,
    id: MessageId,
    key: MessageKey | undefined,
    { settle, doubt }: Waiter,
  ): void {
    const { membership: sender, channel } = destination
    const { place } = sender
    const message = this.#messageTo(origin, envelope, destination, id, true)
    const body = ownBody(envelope)
    place.intake?.take({ place, message, channel, body, sender, key, settle, doubt })
  }

  #messageTo(
    origin: Socket,
    { retain }: ScannedEnvelope,
    { membership: { place }, sender, channel }: RoomDestination,
    id: MessageId,
    isKept: boolean,
  ): RoomMessage {
    const bytesOf = isKept ? ownText : Buffer.from
    return {
      id: isKept ? keepId(id) : id,
      origin,
      retain,
      from: sender?.from ?? NO_BYTES,
      route: place.route,
      channel: channel === '' ? NO_BYTES : bytesOf(channel),
      target: NO_BYTES,
      sequence: 0,
      timeMs: this.#ids.ms,
      epoch: 0,
      replay: 0,
    }
  }

  #sendDirect(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: Direct,
    id: MessageId,
  ): Remembered {
    const stamp: Stamp = {
      id,
      from: destination.actor.from,
      route: 0,
      channel: NO_BYTES,
      target: ownText(destination.name),
      sequence: 0,
      timeMs: this.#ids.ms,
      epoch: 0,
      replay: 0,
    }
    const sockets = gather(this.graph, origin, destination)
    const structure = roomOf(destination)?.place.config.structure
    const facts = { id, sockets: sockets.length, sequence: 0, epoch: 0, stored: false }
    if (!this.#keeps(origin, destination, sockets.length)) {
      for (const socket of sockets) socket.direct(envelope, stamp, structure)
      return { ...facts, kept: false }
    }
    const body = ownBody(envelope)
    const numbered = this.#own.post(destination.key, { ...stamp, id: keepId(id) }, body)
    for (const socket of sockets) socket.direct(body, numbered, structure)
    return { ...facts, kept: true }
  }

  /**
   * A client's own channel has what reaches it, and for a while what would have; from those of its
   * account alone while it is away, since nobody else can be told from a stranger then.
   */
  #keeps(origin: Socket, { kind, key }: Direct, reached: number): boolean {
    if (kind !== 'name' || !key.startsWith(CLIENT)) return false
    if (reached > 0) return true
    const isAway = this.graph.socketsOf(key).size === 0 && this.#own.find(key) !== undefined
    return isAway && origin.accounts.has(key.slice(CLIENT.length, key.indexOf('/')))
  }
}

type Direct = DirectDestination | GroupDestination
type Sendable = Exclude<Destination, RefusedDestination>

/** The envelope as the room wants it (R20), or why it is none. */
function fit(destination: Sendable, envelope: ScannedEnvelope) {
  const room = roomOf(destination)
  if (!room) return envelope
  const { name } = destination
  const { keeper, config } = room.place
  // One that takes a channel's last value away has no content to fit (PH-16.9).
  const clears = envelope.retain && envelope.contentEnd === envelope.contentStart
  try {
    const fitted = config.structure && !clears ? config.structure.admit(envelope) : envelope
    // What is sent to a group is not kept.
    const refusal =
      destination.kind === 'room' ? keeper?.refuses(room, destination.channel, fitted) : undefined
    return refusal ? refused(name, refusal.code, refusal.detail) : fitted
  } catch (error) {
    if (error instanceof Refusal) return refused(name, error.code, error.detail)
    throw error
  }
}

/** The sender's membership of the room that says what may be sent there. */
function roomOf(destination: Sendable): Membership | undefined {
  return 'membership' in destination ? destination.membership : undefined
}

function actorOf(destination: Sendable): Actor {
  // Who may not send was refused before.
  return destination.kind === 'room' ? (destination.sender as Sender).actor : destination.actor
}

function addressOf(destination: Sendable): string {
  if (destination.kind !== 'room') return destination.key
  const { membership, channel } = destination
  return channel === '' ? membership.place.address : `${membership.place.address}/${channel}`
}

/** Of all bytes but the routing. */
function hashOfBody({ bytes, start, cutStart, cutEnd, end }: ScannedEnvelope): string {
  const body = [bytes.subarray(start, cutStart), bytes.subarray(cutEnd, end)]
  return hash('sha256', Buffer.concat(body), 'hex')
}
