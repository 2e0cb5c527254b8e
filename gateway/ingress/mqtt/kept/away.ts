/**
 * Those who listen to one room and are away: what they want when they come back is kept in their
 * queues, where the room has no history that could bring it. A message may so reach somebody whom
 * no socket is, and is not void (R29).
 */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../../protocol/codes.ts'
import type { ScannedEnvelope } from '../../../protocol/scan-envelope.ts'
import type { AwayKeeper } from '../../../rooms/away.ts'
import type { Intake, OwnMessage } from '../../../router/intake.ts'
import type { Membership } from '../../../router/membership.ts'
import type { Place } from '../../../router/place.ts'
import type { Socket } from '../../../router/socket.ts'
import type { MqttSubscriber, NewQueued } from '../../../store/mqtt-sessions.ts'
import { outgoingQos } from '../mapping/quality.ts'
import { topicOf } from '../mapping/topic.ts'
import {
  type AwaySubscription,
  awaySubscription,
  type Match,
  matchOf,
} from './away-subscription.ts'
import { bytesOfKept } from './kept-message.ts'
import type { QueueWriter } from './queue-writer.ts'

/** Channels whose hearers are remembered; beyond it the memory starts anew. */
const CHANNELS_CACHED = 1_000

/** Whether a session that is coming back hears a channel by itself by now. */
export type HearsLive = (place: Place, channel: string) => boolean

/** A session's key, and its topic. */
export interface SubscriptionName {
  readonly key: string
  readonly topic: string
}

interface Hearer {
  readonly subscriptions: readonly AwaySubscription[]
  /** Undefined while nothing of it is there. */
  readonly hearsLive: HearsLive | undefined
}

export interface AwayParts {
  readonly roomId: string
  readonly place: Place
  readonly writer: QueueWriter
  /** What awaits what the writer writes. */
  readonly intake: Intake
  /** Key of the session that a socket is of; undefined where it is of none. */
  readonly keyOf: (socket: Socket) => string | undefined
  readonly changed: () => void
  /** From here on the room's history has what these subscriptions are to get. */
  readonly placed: (place: Place, subscriptions: readonly SubscriptionName[]) => void
  readonly closed: (away: Away) => void
}

export class Away implements AwayKeeper {
  readonly place: Place
  readonly roomId: string
  readonly #parts: AwayParts
  readonly #hearers = new Map<string, Hearer>()
  /** Of which memory knows better than what is being read. */
  #told: Set<string> | undefined = new Set()
  readonly #matches = new Map<string, readonly Match[]>()
  #isActive = false

  constructor(parts: AwayParts) {
    this.#parts = parts
    this.place = parts.place
    this.roomId = parts.roomId
  }

  get active(): boolean {
    return this.#isActive
  }

  get intake(): Intake {
    return this.#parts.intake
  }

  /** Who is away by the store; of whom `set` told more since, that counts. */
  load(subscribers: readonly MqttSubscriber[]): void {
    const byKey = Map.groupBy(subscribers, ({ key }) => key)
    for (const [key, stored] of byKey) {
      if (this.#told?.has(key)) continue
      const before = this.#hearers.get(key)?.subscriptions ?? []
      const subscriptions = stored.flatMap((each) => awaySubscription(each) ?? [])
      this.#put(key, [...before, ...subscriptions], undefined)
    }
  }

  /** All that the store had was loaded. */
  loaded(): void {
    this.#told = undefined
    this.#settle()
  }

  /** A session is away, or on its way back; without subscriptions, it has nothing kept here. */
  set(key: string, subscriptions: readonly AwaySubscription[], hearsLive?: HearsLive): void {
    this.#told?.add(key)
    this.#put(key, subscriptions, hearsLive)
    this.#settle()
  }

  #put(
    key: string,
    subscriptions: readonly AwaySubscription[],
    hearsLive: HearsLive | undefined,
  ): void {
    if (subscriptions.length > 0) this.#hearers.set(key, { subscriptions, hearsLive })
    else if (!this.#hearers.delete(key)) return
    this.#matches.clear()
  }

  /** Where the room stores its messages, these come from there. */
  #settle(): void {
    if (this.#told) return
    const isActive = this.#hearers.size > 0 && !this.place.stores
    if (isActive === this.#isActive) return
    this.#isActive = isActive
    this.#parts.changed()
  }

  configured(): void {
    const { stores } = this.place
    this.#isActive = this.#hearers.size > 0 && !stores
    if (stores) this.#place()
  }

  #place(): void {
    const names: SubscriptionName[] = []
    for (const [key, { subscriptions, hearsLive }] of this.#hearers) {
      const unplaced = subscriptions.filter(({ isPlaced }) => !isPlaced)
      if (unplaced.length === 0) continue
      names.push(...unplaced.map(({ topic }) => ({ key, topic })))
      const placed = subscriptions.map((each) => ({ ...each, isPlaced: true }))
      this.#hearers.set(key, { subscriptions: placed, hearsLive })
    }
    if (names.length > 0) this.#parts.placed(this.place, names)
  }

  close(): void {
    this.#parts.closed(this)
  }

  /** Whether anybody is away. */
  get empty(): boolean {
    return this.#hearers.size === 0
  }

  /** These sessions are no more. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) if (this.#hearers.has(key)) this.set(key, [])
  }

  /** Its hearers are read again, and these who are away by the store are still there. */
  reread(): (there: ReadonlySet<string>) => void {
    const known = [...this.#hearers].filter(([, { hearsLive }]) => !hearsLive)
    return (there) => {
      // One that was told of meanwhile is another one.
      const gone = known.filter(([key, hearer]) => this.#hearers.get(key) === hearer)
      this.forget(gone.flatMap(([key]) => (there.has(key) ? [] : key)))
    }
  }

  refuses(_sender: Membership, channel: string, envelope: ScannedEnvelope): Refusal | undefined {
    const { writer } = this.#parts
    if (!writer.full) return undefined
    const isWanted = this.#hearing(channel).some(
      (match) => outgoingQos(envelope.quality, match.qos) > 0,
    )
    return isWanted
      ? new Refusal(Code.QUEUE_FULL, 'too much waits for those who are away')
      : undefined
  }

  keep({ message, channel, body }: OwnMessage, { socket }: Membership): boolean {
    const { roomId, writer, keyOf } = this.#parts
    const { place } = this
    const sender = keyOf(socket)
    const topic = topicOf(place.name, channel)
    let plain: Buffer | undefined
    const bytesFor = (identifiers: readonly number[]) => {
      if (identifiers.length > 0) return bytesOfKept(message, place.epoch, body, identifiers)
      plain ??= bytesOfKept(message, place.epoch, body, [])
      return plain
    }
    const { timeMs, retain } = message
    const expiry = body.expiresAfter > 0 && {
      expiresAt: new Date(timeMs + 1000 * body.expiresAfter),
    }
    const queued: NewQueued[] = []
    for (const match of this.#hearing(channel)) {
      const { key, noLocal, retainAsPublished, identifiers } = match
      const qos = outgoingQos(body.quality, match.qos)
      if (qos === 0 || (noLocal && key === sender)) continue
      if (this.#hearers.get(key)?.hearsLive?.(place, channel)) continue
      const bytes = bytesFor(identifiers)
      const isRetained = retain && retainAsPublished
      queued.push({ key, topic, qos, retain: isRetained, body: bytes, roomId, ...expiry })
    }
    writer.add(queued)
    return queued.length > 0
  }

  #hearing(channel: string): readonly Match[] {
    const known = this.#matches.get(channel)
    if (known) return known
    if (this.#matches.size >= CHANNELS_CACHED) this.#matches.clear()
    const found = [...this.#hearers].flatMap(
      ([key, { subscriptions }]) => matchOf(key, subscriptions, channel) ?? [],
    )
    this.#matches.set(channel, found)
    return found
  }
}
