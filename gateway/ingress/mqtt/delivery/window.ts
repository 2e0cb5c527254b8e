/**
 * QoS 1 and 2 to one client (MQTT 5 sections 4.3, 4.4 and 4.9): at most so many messages are
 * unacknowledged, and what waits behind them is bounded in bytes by each room's policy, as for any
 * socket that is slow (R46, L2).
 */
import type { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { CountBy } from '../../../observe/counts.ts'
import { keepId } from '../../../protocol/uuid7.ts'
import { type LossHost, SlowQueue } from '../../../session/outbox/slow-queue.ts'
import { NO_CONTENT, ownContent } from './content.ts'
import { hasExpired, type Parcel, parcelOf } from './parcel.ts'

/** Packet identifiers are 1 to this. */
const ID_MAX = 65_535

export interface WindowHost extends LossHost {
  /** Messages that may be unacknowledged. */
  readonly most: number
  /** In all that is unacknowledged, in all that waits: bytes each. */
  readonly bytesMax: number
  /** To count what gives way in. */
  readonly losses: CountBy<Policy>
  /** The connection takes more now. */
  readonly mayTake: boolean
  /** Aedes has more to give of what was kept, which goes before all that comes now. */
  readonly holdsLive: boolean
  /** The session outlives the connection: what is unacknowledged has to be had again. */
  readonly keeps: boolean
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: number
  transmit(parcel: Parcel, messageId: number): void
  pubrel(messageId: number): void
  /** Tells what has given way. */
  tell(lost: Frame): void
  /** What Aedes keeps was received (`pubrec`), or is done with. */
  settled(aedesId: number, step: 'puback' | 'pubrec' | 'pubcomp'): void
}

interface Flight {
  readonly parcel: Parcel
  /** PUBREC has come: PUBREL is sent, and PUBCOMP is to come. */
  released: boolean
}

/** Something that has not reached its end. */
export interface Pending {
  readonly parcel: Parcel
  /** Undefined: it was not sent yet. */
  readonly messageId: number | undefined
  readonly released: boolean
}

export type Acknowledgement = 'puback' | 'pubrec' | 'pubcomp'

export class Window {
  readonly #host: WindowHost
  /** By packet identifier, in the order of sending. */
  readonly #inflight = new Map<number, Flight>()
  #inflightBytes = 0
  /** Of these Aedes was told that PUBREC has come, and is to answer by a PUBREL. */
  readonly #answers = new Set<number>()
  /** What was kept while the client was away, before all else; bounded by what is kept. */
  readonly #kept: Parcel[] = []
  #waiting: SlowQueue<Parcel> | undefined
  #lastId = 0

  constructor(host: WindowHost) {
    this.#host = host
  }

  /** Something is waiting to be sent. */
  get waits(): boolean {
    return this.#waiting !== undefined || this.#kept.length > 0
  }

  /** Messages that wait to be sent, and their bytes. */
  get waiting(): { readonly frames: number; readonly bytes: number } {
    const kept = this.#kept.reduce((sum, { length }) => sum + length, 0)
    const { size = 0, bytes = 0 } = this.#waiting ?? {}
    return { frames: this.#kept.length + size, bytes: kept + bytes }
  }

  /** Messages that are not acknowledged. */
  get inflight(): number {
    return this.#inflight.size
  }

  /** What comes now is sent at once. */
  get isOpen(): boolean {
    return !this.waits && !this.#host.holdsLive && this.#hasRoom
  }

  get #hasRoom(): boolean {
    const { most, bytesMax, mayTake } = this.#host
    return mayTake && this.#inflight.size < most && this.#inflightBytes < bytesMax
  }

  /** Sends it, now or in its turn. False where more waits than may, and the client has to go. */
  take(parcel: Parcel): boolean {
    if (this.isOpen) {
      this.#send(parcel, this.#freeId())
      return true
    }
    own(parcel)
    const { bytesMax, losses } = this.#host
    this.#waiting ??= new SlowQueue(bytesMax, losses, this.#host)
    const { source, isReplay } = parcel
    if (!source || isReplay) return this.#waiting.add(parcel)
    const { place, channel, message } = source
    return this.#waiting.addMessage(parcel, {
      id: message.id,
      place,
      channel,
      sequence: message.sequence,
    })
  }

  /** Takes one that Aedes kept, by Aedes' own packet identifier. */
  resume(parcel: Parcel): void {
    this.#kept.push(parcel)
    this.pump()
  }

  /** Takes up where PUBREL is owed. */
  resumeReleased(messageId: number): void {
    // Where its PUBREC was of this connection PUBREL is sent already, and PUBCOMP may have come.
    if (this.#answers.delete(messageId) || this.#inflight.has(messageId)) return
    const parcel = parcelOf(NO_CONTENT, { qos: 2, timeMs: 0, aedesId: messageId })
    this.#inflight.set(messageId, { parcel, released: true })
    this.#host.pubrel(messageId)
  }

  /** Sends of what waits as much as may be sent. */
  pump(): void {
    while (this.waits && this.#hasRoom) {
      const [kept] = this.#kept
      if (kept) {
        const id = kept.aedesId as number
        // It has its identifier from before [MQTT-4.4.0-1]; whoever has it now lets go of it soon.
        if (this.#inflight.has(id)) return
        this.#kept.shift()
        this.#sendUnlessExpired(kept, id)
      } else if (this.#host.holdsLive) return
      else this.#pumpWaiting()
    }
  }

  #pumpWaiting(): void {
    const waiting = this.#waiting
    if (!waiting) return
    // What is told may itself take the place that is left.
    if (waiting.hasLosses) {
      const losses = waiting.takeLosses()
      if (waiting.empty) this.#waiting = undefined
      for (const lost of losses) this.#host.tell(lost)
      return
    }
    const parcel = waiting.shift()
    if (waiting.empty) this.#waiting = undefined
    if (parcel) this.#sendUnlessExpired(parcel, this.#freeId())
  }

  #sendUnlessExpired(parcel: Parcel, id: number): void {
    if (!hasExpired(parcel, this.#host.now)) this.#send(parcel, id)
    else if (parcel.aedesId !== undefined) this.#host.settled(parcel.aedesId, 'puback')
  }

  #send(parcel: Parcel, id: number): void {
    this.#inflight.set(id, { parcel, released: false })
    this.#inflightBytes += parcel.length
    this.#host.transmit(parcel, id)
    const isNeeded = parcel.aedesId === undefined && (this.#host.keeps || parcel.share)
    if (isNeeded) return own(parcel)
    parcel.content = NO_CONTENT
    parcel.source = undefined
  }

  /** The next one that is not in use [MQTT-2.2.1-4]; fewer are than there are. */
  #freeId(): number {
    do this.#lastId = this.#lastId === ID_MAX ? 1 : this.#lastId + 1
    while (this.#inflight.has(this.#lastId))
    return this.#lastId
  }

  /**
   * The client has acknowledged a message; `refused`: by a reason of 0x80 or above, which ends it
   * [MQTT-4.4.0-2]. False where there is none that this could be of.
   */
  acknowledge(step: Acknowledgement, id: number, refused: boolean): boolean {
    const flight = this.#inflight.get(id)
    if (!flight) return false
    const { parcel, released } = flight
    if (step === 'pubrec' && parcel.qos === 2 && !refused) {
      if (!released) this.#received(flight)
      this.#host.pubrel(id)
      return true
    }
    const ends = parcel.qos === 1 ? step === 'puback' : step === (released ? 'pubcomp' : 'pubrec')
    if (!ends) return false
    this.#inflight.delete(id)
    if (!released) this.#inflightBytes -= parcel.length
    if (parcel.aedesId !== undefined) {
      this.#host.settled(parcel.aedesId, released ? 'pubcomp' : 'puback')
    }
    this.pump()
    return true
  }

  #received(flight: Flight): void {
    const { parcel } = flight
    flight.released = true
    this.#inflightBytes -= parcel.length
    parcel.content = NO_CONTENT
    if (parcel.aedesId === undefined) return
    this.#answers.add(parcel.aedesId)
    this.#host.settled(parcel.aedesId, 'pubrec')
  }

  /** All that has not reached its end, in order. */
  *pending(): IterableIterator<Pending> {
    for (const [messageId, { parcel, released }] of this.#inflight) {
      yield { parcel, messageId, released }
    }
    const rest = [...this.#kept, ...(this.#waiting ?? [])]
    for (const parcel of rest) yield { parcel, messageId: undefined, released: false }
  }
}

/** Gives it memory of its own, and lets go of who sent it. */
function own(parcel: Parcel): void {
  if (parcel.isOwn) return
  const { source, content } = parcel
  parcel.isOwn = true
  parcel.content = ownContent(content)
  if (!source) return
  const { id, from, timeMs, sequence } = source.message
  const { place, channel } = source
  parcel.source = { place, channel, message: { id: keepId(id), from, timeMs, sequence } }
}
