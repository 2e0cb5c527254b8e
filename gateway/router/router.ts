/**
 * The way of an envelope, as its steps: resolve → permit → fit → recall → gather → send. Nothing
 * here waits, and nothing knows of transports or storage (R31): where a message has to wait for its
 * room's program or history, the outcome says that it will tell later.
 */
import { hash } from 'node:crypto'
import { Step } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import type { Stamp } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { keepId, type MessageId, type Uuid7Source } from '../protocol/uuid7.ts'
import type { MessageKey } from '../store/history.ts'
import { hashOfBody } from './body-hash.ts'
import { deliver, fanOut, reach } from './deliver.ts'
import {
  type DirectDestination,
  type GroupDestination,
  type RefusedDestination,
  type RoomDestination,
  refused,
  type Sendable,
} from './destination.ts'
import { fit, roomOf } from './fit.ts'
import { gather } from './gather.ts'
import type { Graph, Places } from './graph.ts'
import type { IdempotencyWindow, Remembered, Waiter } from './idempotency.ts'
import { ownBody, ownText, type RoomMessage } from './intake.ts'
import type { Sender } from './membership.ts'
import { Outcome } from './outcome.ts'
import type { OwnChannels } from './own-channels.ts'
import { permit } from './policy.ts'
import { resolve } from './resolve.ts'
import type { Actor, Socket } from './socket.ts'
import { LOOK, TAKE } from './terms.ts'
import { type Ahead, type Leg, NOTHING_AHEAD, sentBy, Trail, type Trails } from './trail.ts'
import { unheardBy } from './unheard.ts'

const ID_BYTES = 16
const NO_BYTES = new Uint8Array()
const CLIENT = 'client:'

export class Router {
  readonly graph: Graph
  readonly #ids: Uuid7Source
  readonly #window: IdempotencyWindow
  readonly #own: OwnChannels
  /** Milliseconds that only rise: a clock that is set must not change how much may be sent. */
  readonly #uptime: () => number
  /** Undefined: nobody asks what became of messages, and why. */
  readonly #trails: Trails | undefined

  constructor(parts: {
    graph: Graph
    ids: Uuid7Source
    window: IdempotencyWindow
    own: OwnChannels
    uptime: () => number
    trails?: Trails | undefined
  }) {
    this.graph = parts.graph
    this.#ids = parts.ids
    this.#window = parts.window
    this.#own = parts.own
    this.#uptime = parts.uptime
    this.#trails = parts.trails
  }

  /** Takes an envelope from a socket and says what became of it. */
  publish(origin: Socket, envelope: ScannedEnvelope, ahead = NOTHING_AHEAD): Outcome {
    const id = this.#ids.next()
    const trail = this.#trails?.begin(id, origin, envelope)
    const outcome = new Outcome(id, envelope.receipt, trail)
    this.#route(origin, envelope, ahead, outcome, false)
    outcome.routed()
    return outcome
  }

  /**
   * What would become of an envelope that a socket were to send now, by the same steps: nothing is
   * sent, stored or counted, and nothing taken of a rate (R49). `graph`: where rooms are to be
   * found that are not loaded. What a room's program or its store would say stays open.
   */
  rehearse(
    origin: Socket,
    envelope: ScannedEnvelope,
    ahead: Ahead,
    micros: () => number,
    graph: Places = this.graph,
  ): { readonly outcome: Outcome; readonly trail: Trail } {
    const nobody = { micros, waits: () => {}, ended: () => {} }
    const id = { bytes: Buffer.alloc(ID_BYTES), at: 0 }
    const trail = new Trail(sentBy(origin, envelope, id, micros()), nobody)
    const outcome = new Outcome(id, envelope.receipt, trail)
    this.#route(origin, envelope, ahead, outcome, true, graph)
    outcome.routed()
    return { outcome, trail }
  }

  /** `isRehearsal`: goes no further than to say what would be. */
  #route(
    origin: Socket,
    envelope: ScannedEnvelope,
    ahead: Ahead,
    outcome: Outcome,
    isRehearsal: boolean,
    graph: Places = this.graph,
  ): void {
    const seen = envelope.to.length > 1 ? new Set<string>() : undefined
    const now = this.#uptime()
    const spend = isRehearsal ? LOOK : TAKE
    for (const asked of resolve(graph, origin, envelope, ahead.barred)) {
      const leg = outcome.trail?.leg(asked, ahead)
      const destination = permit(asked, envelope, now, spend)
      if (destination.kind === 'refused') {
        outcome.refuse(destination, leg)
        continue
      }
      if (seen) {
        const address = addressOf(destination)
        if (seen.has(address)) {
          leg?.repeated()
          continue
        }
        seen.add(address)
      }
      const fitted = fit(destination, envelope, leg)
      if ('kind' in fitted) outcome.refuse(fitted, leg)
      else if (leg && isRehearsal) this.#foretell(origin, fitted, destination, outcome, leg)
      else if (envelope.key !== '') this.#sendOnce(origin, fitted, destination, outcome, leg)
      else this.#send(origin, fitted, destination, outcome, leg)
    }
  }

  /** What was sent before under the same key, if anything was. */
  #recall(envelope: ScannedEnvelope, destination: Sendable) {
    const { principal } = actorOf(destination)
    const scope = hash('sha256', `${principal}\n${envelope.key}\n${addressOf(destination)}`, 'hex')
    const bodyHash = hashOfBody(envelope)
    const now = this.#uptime()
    return { scope, bodyHash, now, recall: this.#window.recall(scope, bodyHash, now) }
  }

  /** Under an idempotency key: sends what was not sent before. */
  #sendOnce(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: Sendable,
    outcome: Outcome,
    leg: Leg | undefined,
  ): void {
    const { name } = destination
    if (leg) leg.step = Step.RECALL
    const { scope, bodyHash, now, recall } = this.#recall(envelope, destination)
    if (recall.outcome === 'reused') return outcome.refuse(reused(name), leg)
    if (recall.outcome === 'same') {
      const { first } = recall.keyed
      if (first) return outcome.duplicate(first, leg)
      leg?.waits(Step.RECALL)
      return recall.keyed.wait(outcome.expect(name, true, leg))
    }
    const keyed = this.#window.begin(scope, bodyHash, now)
    if (destination.kind === 'room' && destination.membership.place.intake) {
      const key = { scope: Buffer.from(scope, 'hex'), body: Buffer.from(bodyHash, 'hex') }
      const waiter = outcome.expect(name, false, leg)
      return this.#sendThrough(origin, envelope, destination, outcome.ownId, key, leg, {
        accept: () => {
          waiter.accept()
          keyed.accept()
        },
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
    const facts = this.#sendNow(origin, envelope, destination, outcome.ownId, leg)
    this.#window.ended(keyed, facts)
    outcome.sent(facts, leg)
  }

  #send(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: Sendable,
    outcome: Outcome,
    leg: Leg | undefined,
  ): void {
    if (destination.kind === 'room' && destination.membership.place.intake) {
      const waiter = outcome.expect(destination.name, false, leg)
      this.#sendThrough(origin, envelope, destination, outcome.ownId, undefined, leg, waiter)
    } else {
      outcome.sent(this.#sendNow(origin, envelope, destination, outcome.ownId, leg), leg)
    }
  }

  /** In place of sending it: who would get it, and what would have a word before. */
  #foretell(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: Sendable,
    outcome: Outcome,
    leg: Leg,
  ): void {
    const { name } = destination
    if (envelope.key !== '') {
      leg.step = Step.RECALL
      const { recall } = this.#recall(envelope, destination)
      if (recall.outcome === 'reused') return outcome.refuse(reused(name), leg)
      const first = recall.outcome === 'same' ? recall.keyed.first : undefined
      if (first) return outcome.duplicate(first, leg)
    }
    const isRoom = destination.kind === 'room'
    const place = isRoom ? destination.membership.place : undefined
    const sockets = isRoom
      ? reach(destination.membership.place, destination.channel, destination.membership, leg)
      : this.#gather(origin, destination, leg, true).length
    const stored = place?.stores ?? false
    if (place?.intake?.step !== undefined) leg.foresees(place.intake.step)
    if (stored && place?.intake?.step !== Step.STORE) leg.foresees(Step.STORE)
    const kept = isRoom ? place?.keeper !== undefined : this.#keeps(origin, destination, sockets)
    outcome.sent({ id: outcome.ownId, sockets, sequence: 0, epoch: 0, stored, kept }, leg)
  }

  #sendNow(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: Sendable,
    id: MessageId,
    leg: Leg | undefined,
  ): Remembered {
    return destination.kind === 'room'
      ? this.#sendToRoom(origin, envelope, destination, id, leg)
      : this.#sendDirect(origin, envelope, destination, id, leg)
  }

  #sendToRoom(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: RoomDestination,
    id: MessageId,
    leg: Leg | undefined,
  ): Remembered {
    const { membership: sender, channel } = destination
    const { place } = sender
    const { keeper, epoch } = place
    const message = this.#messageTo(origin, envelope, destination, id, keeper !== undefined)
    message.sequence = place.sequence + 1
    if (keeper) return deliver(place, { message, channel, body: ownBody(envelope) }, sender, leg)
    const sockets = fanOut(place, channel, envelope, message, sender, leg)
    return { id, sockets, sequence: message.sequence, epoch, stored: false, kept: false }
  }

  /** To a room whose messages have to wait: with memory of its own, and a word at the end. */
  #sendThrough(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: RoomDestination,
    id: MessageId,
    key: MessageKey | undefined,
    leg: Leg | undefined,
    waiter: Waiter,
  ): void {
    const { membership: sender, channel } = destination
    const { place } = sender
    const message = this.#messageTo(origin, envelope, destination, id, true)
    const body = ownBody(envelope)
    place.intake?.take({ place, message, channel, body, sender, key, leg, waiter })
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
      origin: origin.mark,
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
    leg: Leg | undefined,
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
    const sockets = this.#gather(origin, destination, leg, false)
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

  #gather(
    origin: Socket,
    destination: Direct,
    leg: Leg | undefined,
    isRehearsal: boolean,
  ): Socket[] {
    const sockets = gather(this.graph, origin, destination, isRehearsal)
    if (sockets.length === 0 && leg) unheardBy(leg, destination)
    return sockets
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

function reused(name: string): RefusedDestination {
  return refused(name, Code.KEY_REUSED, 'the key was used with another body')
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
