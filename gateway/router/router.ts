/**
 * The way of an envelope, as its steps: resolve → permit → recall → gather → send. Nothing here
 * waits, and nothing knows of transports or storage (R31).
 */
import { hash } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import type { Stamp } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { MessageId, Uuid7Source } from '../protocol/uuid7.ts'
import type { RoomMessage } from './batch.ts'
import {
  type Destination,
  type DirectDestination,
  type RefusedDestination,
  type RoomDestination,
  refused,
} from './destination.ts'
import { gather } from './gather.ts'
import type { Graph } from './graph.ts'
import type { IdempotencyWindow, Remembered } from './idempotency.ts'
import { Outcome } from './outcome.ts'
import type { Sender } from './place.ts'
import { permit } from './policy.ts'
import { type Barred, resolve } from './resolve.ts'
import type { Actor, Socket } from './socket.ts'

const NO_BYTES = new Uint8Array()
const NONE_BARRED: Barred = new Map()

export class Router {
  readonly graph: Graph
  readonly #ids: Uuid7Source
  readonly #window: IdempotencyWindow

  constructor(graph: Graph, ids: Uuid7Source, window: IdempotencyWindow) {
    this.graph = graph
    this.#ids = ids
    this.#window = window
  }

  /**
   * Takes an envelope from a socket and says what became of it. `barred`: rooms among its
   * destinations that the socket could not enter, by name as written, and why.
   */
  publish(origin: Socket, envelope: ScannedEnvelope, barred = NONE_BARRED): Outcome {
    const outcome = new Outcome(this.#ids.next(), envelope.receipt)
    const seen = envelope.to.length > 1 ? new Set<string>() : undefined
    for (const asked of resolve(this.graph, origin, envelope, barred)) {
      const destination = permit(asked, envelope, this.#ids.ms)
      if (destination.kind === 'refused') {
        outcome.refuse(destination)
        continue
      }
      if (seen) {
        const address = addressOf(destination)
        if (seen.has(address)) continue
        seen.add(address)
      }
      if (envelope.key !== '') this.#sendOnce(origin, envelope, destination, outcome)
      else outcome.sent(this.#send(origin, envelope, destination, outcome.ownId))
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
    const { principal } = actorOf(destination)
    const scope = `${principal}\n${envelope.key}\n${addressOf(destination)}`
    const bodyHash = hashOfBody(envelope)
    const now = this.#ids.ms
    const recall = this.#window.recall(scope, bodyHash, now)
    if (recall.outcome === 'same') return outcome.duplicate(recall.first)
    if (recall.outcome === 'reused') {
      return outcome.refuse(
        refused(destination.name, Code.KEY_REUSED, 'the key was used with another body'),
      )
    }
    const facts = this.#send(origin, envelope, destination, outcome.ownId)
    this.#window.remember(scope, bodyHash, facts, now)
    outcome.sent(facts)
  }

  #send(
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
    { membership, sender, channel }: RoomDestination,
    id: MessageId,
  ): Remembered {
    const { place } = membership
    const message: RoomMessage = {
      id,
      origin: place.config.echo ? undefined : origin,
      from: sender?.from ?? NO_BYTES,
      route: place.route,
      channel: channel === '' ? NO_BYTES : Buffer.from(channel),
      target: NO_BYTES,
      sequence: ++place.sequence,
      timeMs: this.#ids.ms,
    }
    let sockets = 0
    for (const audience of place.audiencesOf(channel)) {
      const unheard = message.origin && membership.audience === audience ? 1 : 0
      sockets += audience.size - unheard
      audience.append(envelope, message, membership)
    }
    return { id, sockets, sequence: message.sequence, epoch: place.epoch }
  }

  #sendDirect(
    origin: Socket,
    envelope: ScannedEnvelope,
    destination: DirectDestination,
    id: MessageId,
  ): Remembered {
    const stamp: Stamp = {
      id,
      from: destination.actor.from,
      route: 0,
      channel: NO_BYTES,
      target: Buffer.from(destination.name),
      sequence: 0,
      timeMs: this.#ids.ms,
    }
    const sockets = gather(this.graph, origin, destination)
    for (const socket of sockets) socket.direct(envelope, stamp)
    return { id, sockets: sockets.length, sequence: 0, epoch: 0 }
  }
}

type Sendable = Exclude<Destination, RefusedDestination>

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
  return hash('sha256', Buffer.concat(body), 'base64')
}
