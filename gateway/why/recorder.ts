/** Begins the trails that the router fills, keeps them for a while, and tells them on as traces. */
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { MessageId } from '../protocol/uuid7.ts'
import type { Socket } from '../router/socket.ts'
import { type Loss, sentBy, Trail, type Trails } from '../router/trail.ts'
import type { Turn } from '../router/turn.ts'
import { Ring, type RingBounds } from './ring.ts'
import { MessageSpans } from './spans.ts'

/** Losses of one message that are told one by one; of others their number. */
const LOSSES_MAX = 16

/** Who makes spans of trails. */
export interface Spans {
  /** Somebody collects them now. */
  readonly active: boolean
  /** Of a message that has just come: whose trace it is in. */
  began(trail: Trail, envelope: ScannedEnvelope): void
  ended(trail: Trail): void
}

export class Recorder implements Trails {
  readonly micros: () => number
  readonly #ring: Ring | undefined
  readonly #spans: Spans | undefined

  constructor(parts: { micros: () => number; ring?: Ring | undefined; spans?: Spans | undefined }) {
    this.micros = parts.micros
    this.#ring = parts.ring
    this.#spans = parts.spans
  }

  /** What became of a message; undefined where that is not known, or no more. */
  find(id: MessageId): Trail | undefined {
    return this.#ring?.find(id, this)
  }

  begin(id: MessageId, origin: Socket, envelope: ScannedEnvelope): Trail | undefined {
    const isTraced = this.#spans?.active ?? false
    if (!this.#ring && !isTraced) return undefined
    const trail = new Trail(sentBy(origin, envelope, id, this.micros()), this)
    if (isTraced) this.#spans?.began(trail, envelope)
    this.#ring?.begin(trail)
    return trail
  }

  waits(trail: Trail): void {
    this.#ring?.hold(trail)
  }

  ended(trail: Trail): void {
    this.#ring?.keep(trail)
    if (!this.#spans?.active) return
    if (trail.endedAt === trail.beganAt) trail.endedAt = this.micros()
    this.#spans.ended(trail)
  }

  lost({ id, socket, sequence, decidedBy }: Loss): void {
    const trail = this.find(id)
    if (!trail) return
    const at = this.micros()
    if (trail.losses.length >= LOSSES_MAX) trail.furtherLosses++
    else trail.losses = [...trail.losses, { socket, sequence, decidedBy, at }]
    this.#ring?.hold(trail)
  }
}

/** Undefined where nobody wants to know. */
export function openRecorder({ features, why }: Wanted, turn: Turn): Recorder | undefined {
  const micros = () => Math.trunc(turn.now * 1000)
  const ring = features.includes('why') ? new Ring(why, micros) : undefined
  const spans = features.includes('traces') ? new MessageSpans(performance.timeOrigin) : undefined
  return ring || spans ? new Recorder({ micros, ring, spans }) : undefined
}

interface Wanted {
  readonly features: readonly string[]
  readonly why: RingBounds
}
