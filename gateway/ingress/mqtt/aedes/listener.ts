/** Who listens through Aedes' emitter, as a socket of the router. */
import { UNCOUNTED } from '../../../observe/counts.ts'
import type { EnvelopeBody, Stamp } from '../../../protocol/packet-writer.ts'
import type { Batch } from '../../../router/batch.ts'
import { ownBody } from '../../../router/intake.ts'
import type { FrameWriter, Lane } from '../../../router/lane.ts'
import { type Membership, newMembership } from '../../../router/membership.ts'
import type { Place } from '../../../router/place.ts'
import { type Actor, type Socket, type Target, UNMARKED } from '../../../router/socket.ts'

/** A message as Aedes has it. */
export interface Published {
  readonly topic: string
  readonly payload?: unknown
  readonly qos?: number
}

export type Notify = (this: unknown, packet: Published, done: () => void) => void

/** A message on its way to those who listen through the emitter. */
export class Emission {
  readonly packet: Published
  readonly #done: () => void
  /** Those who have it and have not handled it; one more until all have it. */
  #waiting = 1

  constructor(packet: Published, done: () => void) {
    this.packet = packet
    this.#done = done
  }

  /** Somebody has it; he is to call what this returns, once. */
  heard(): () => void {
    this.#waiting++
    let isHandled = false
    return () => {
      if (isHandled) return
      isHandled = true
      this.wasDelivered()
    }
  }

  /** All have it who hear it; or one of them has handled it. */
  wasDelivered(): void {
    if (--this.#waiting === 0) this.#done()
  }
}

/** Of what the emitter itself has sent. */
type Emitted = Stamp & { readonly emission?: Emission }

interface Heard {
  readonly body: EnvelopeBody
  readonly stamp: Emitted
}

/** A lane whose frames are messages as they are: what is not sent anywhere needs no bytes. */
const lane: Lane = {
  name: 'aedes',
  medium: 'none',
  writer: () => new HeardMessages(),
}

class HeardMessages implements FrameWriter {
  readonly all: Heard[] = []
  bytes = 0

  get frames(): number {
    return this.all.length
  }

  envelope(body: EnvelopeBody, stamp: Stamp): void {
    this.bytes += body.end - body.start
    // Nothing of the turn's is left where it has to wait for longer.
    this.all.push({ body: ownBody(body), stamp })
  }

  receipt(): void {}

  frame(): void {}

  whole(): Buffer {
    return Buffer.alloc(0)
  }

  part(): Buffer {
    return Buffer.alloc(0)
  }
}

const ACTOR: Actor = { address: '', from: new Uint8Array(), principal: '', terms: undefined }

const ALL_TOPICS = { hearItself: () => true }

/** It is in rooms without a name, so that nobody counts or sees it. */
export class Listener implements Socket {
  readonly id = ''
  readonly mark = UNMARKED
  readonly lane = lane
  readonly tally = UNCOUNTED
  readonly actors = [ACTOR]
  readonly accounts: ReadonlySet<string> = new Set()
  readonly client = undefined
  readonly names: ReadonlyMap<string, string> = new Map()
  readonly memberships = new Map<number, Membership>()
  readonly target: Target | undefined = undefined
  readonly topics = ALL_TOPICS
  readonly notify: Notify
  readonly #emitter: unknown
  readonly #topicOf: (place: string, channel: string) => string

  constructor(
    emitter: unknown,
    topics: { topicOf(place: string, channel: string): string },
    notify: Notify,
  ) {
    this.#emitter = emitter
    this.#topicOf = topics.topicOf
    this.notify = notify
  }

  /** Its membership of a room, where it may do what Aedes may. */
  enter(place: Place): Membership {
    const known = this.memberships.get(place.route)
    if (known?.place === place) return known
    const { from, principal: holder } = ACTOR
    const sender = { actor: ACTOR, from, channels: [], right: 'open', holder } as const
    const member = newMembership(this, place)
    member.free = sender
    member.senders = [sender]
    member.hears = ['']
    this.memberships.set(place.route, member)
    return member
  }

  listen(place: Place, filters: readonly string[]): void {
    const member = this.enter(place)
    for (const filter of filters) place.listen(member, filter)
  }

  leave(): void {
    for (const member of this.memberships.values()) member.place.leave(member)
    this.memberships.clear()
  }

  deliver(batch: Batch, from: number, to: number): void {
    const { all } = batch.writer as HeardMessages
    for (const { body, stamp } of all.slice(from, to)) {
      const { emission } = stamp
      const packet = emission?.packet ?? this.#packetOf(batch.place.name, body, stamp)
      this.notify.call(this.#emitter, packet, emission?.heard() ?? (() => {}))
    }
  }

  /** Nothing is for it alone. */
  direct(): void {}

  /** Of a message that somebody else has sent. */
  #packetOf(place: string, body: EnvelopeBody, stamp: Stamp): Published {
    const channel = Buffer.from(stamp.channel).toString()
    const { bytes, contentStart, contentEnd } = body
    const payload = Buffer.from(bytes.subarray(contentStart, contentEnd))
    return { topic: this.#topicOf(place, channel), payload, qos: 0 }
  }
}
