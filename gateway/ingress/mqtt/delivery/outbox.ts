/**
 * What is delivered to one MQTT client. Where all that it hears of a room goes to it as to anybody
 * else it takes the bytes that all share; else each message is written for it alone, by what it has
 * subscribed to. What is no message goes to its conversation.
 */
import { create } from '@bufbuild/protobuf'
import { Replay } from '@porthouse/proto/v1/envelope'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import type { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { QoS } from 'mqtt-packet'
import {
  type EnvelopeBody,
  PacketWriter,
  type ReceiptFacts,
  type Stamp,
} from '../../../protocol/packet-writer.ts'
import { copyId } from '../../../protocol/uuid7.ts'
import type { Page } from '../../../rooms/history/page.ts'
import type { Batch } from '../../../router/batch.ts'
import type { RoomMessage } from '../../../router/intake.ts'
import type { Place } from '../../../router/place.ts'
import type { Earlier } from '../../../session/history/catch-up.ts'
import type { Notice } from '../../../session/outbox/notice.ts'
import { type Backlog, Outbox, type OutboxHost } from '../../../session/outbox/outbox.ts'
import type { QueuedMessage } from '../../../session/outbox/slow-queue.ts'
import type { SessionKind } from '../../../session/session.ts'
import type { MqttConnection } from '../connection.ts'
import { outgoingQos } from '../mapping/quality.ts'
import { stampProperties } from '../mapping/stamp.ts'
import { Aliases } from './aliases.ts'
import { type Content, plainContent, topicIn } from './content.ts'
import { hearingOf } from './hearing.ts'
import { type KeptPacket, keptParcel } from './kept-parcel.ts'
import type { MqttLane } from './lane.ts'
import { type Parcel, parcelOf, type Source, termsOf } from './parcel.ts'
import { publishBytes, sizeOf, type Terms } from './publish-bytes.ts'
import type { Share } from './share.ts'
import type { Subscription } from './subscriptions.ts'
import { type Unacknowledged, unacknowledged } from './unacknowledged.ts'
import { type Acknowledgement, type Pending, Window, type WindowHost } from './window.ts'
import type { MqttWriter } from './writer.ts'

export function mqttKind(connection: MqttConnection): SessionKind {
  const { subscriptions: topics } = connection
  return { topics, outbox: (host) => new MqttOutbox(host, connection) }
}

/** What a PUBLISH that sets an alias has more than one that has none, in bytes. */
const ALIAS_BYTES = 3
const LIVE = Replay.UNSPECIFIED
const NOTHING = Buffer.alloc(0)
const NO_IDENTIFIERS: readonly number[] = []

/** What of a stamp is not told. */
const BARE = { route: 0, channel: NOTHING, target: NOTHING }

/** How one message is delivered. */
interface Delivery {
  readonly place: Place
  readonly message: Source['message']
  readonly qos: QoS
  readonly retain: boolean
  readonly identifiers: readonly number[]
  readonly replay: Replay
  readonly share?: Share | undefined
}

export class MqttOutbox extends Outbox implements WindowHost {
  readonly #connection: MqttConnection
  /** Of QoS 1 and 2. */
  #window: Window | undefined
  #aliases: Aliases | undefined
  #isClosed = false
  #holdsLive = false
  /** Last time that the client has acknowledged something, or that something began to wait. */
  #movedAt = 0

  constructor(host: OutboxHost, connection: MqttConnection) {
    super(host)
    this.#connection = connection
  }

  override deliver(batch: Batch, from: number, to: number): void {
    const writer = batch.writer as MqttWriter
    if (this.#isPlain(batch, writer)) return super.deliver(batch, from, to)
    for (let i = from; i < to; i++) {
      this.#deliver(writer.content(i), batch.place, batch.messages[i] as RoomMessage, LIVE)
    }
  }

  /** It takes what all take. */
  #isPlain({ place, filters }: Batch, { largest, isByQos0 }: MqttWriter): boolean {
    const { agreed, packetBytes, state, subscriptions } = this.#connection
    const qos = subscriptions.plainQos(place.name, filters)
    return (
      qos !== undefined &&
      (qos === 0 || isByQos0) &&
      agreed !== undefined &&
      state === 'connected' &&
      largest <= packetBytes &&
      agreed.topicAliases === 0 &&
      !agreed.wantsStamps
    )
  }

  override page(page: Page): void {
    const written = this.#lane.paged(page)
    for (const [i, { message }] of page.messages.entries()) {
      this.#deliver(written.content(i), page.place, message, Replay.HISTORY)
    }
  }

  override replay(messages: readonly Earlier[]): void {
    const [first] = messages
    const place = first && this.#placeOf(first.kept.message)
    if (!place) return
    const written = this.#lane.writer(place.name)
    for (const { kept } of messages) written.envelope(kept.body, kept.message)
    for (const [i, { kept, replay }] of messages.entries()) {
      this.#deliver(written.content(i), place, kept.message, replay)
    }
  }

  #placeOf({ route }: Stamp): Place | undefined {
    return this.#connection.session?.memberships.get(route)?.place
  }

  /** By its own subscriptions. */
  #deliver(content: Content, place: Place, message: RoomMessage, replay: Replay): void {
    const { subscriptions, session } = this.#connection
    const isOwn = message.origin === session?.mark
    const { channel } = content
    const matching = subscriptions.matching(place.name, channel)
    const member = session?.memberships.get(place.route)
    const hearing = hearingOf(matching, isOwn) ?? subscriptions.given(member, channel)
    if (!hearing) return
    const { granted, retainAsPublished, identifiers } = hearing
    const retain = replay === Replay.RETAINED || (retainAsPublished && message.retain)
    const qos = outgoingQos(content.quality, granted)
    this.#post(content, { place, message, qos, retain, identifiers, replay })
  }

  /** By a share, which has picked it. */
  share(
    share: Share,
    { qos: granted, identifier, retainAsPublished }: Subscription,
    content: Content,
    message: RoomMessage,
  ): void {
    const { place } = share
    const qos = outgoingQos(content.quality, granted)
    const retain = retainAsPublished && message.retain
    const identifiers = identifier === undefined ? NO_IDENTIFIERS : [identifier]
    this.#post(content, { place, message, qos, retain, identifiers, replay: LIVE, share })
  }

  /** Takes over what another one of its share has not had to the end. */
  takeOver({ content, source, retain, share }: Parcel, subscription: Subscription): void {
    if (!source) return
    const { place, message } = source
    const { qos: granted, identifier } = subscription
    const qos = outgoingQos(content.quality, granted)
    const identifiers = identifier === undefined ? NO_IDENTIFIERS : [identifier]
    this.#post(content, { place, message, qos, retain, identifiers, replay: LIVE, share })
  }

  /** What comes now to it goes out at once. */
  get isOpen(): boolean {
    return this.mayTake && (this.#window?.isOpen ?? true)
  }

  #post(content: Content, delivery: Delivery): void {
    const { place, message, qos, retain, identifiers, replay, share } = delivery
    const { channel } = content
    const wantsStamp = this.#lane.is5 && this.#connection.agreed?.wantsStamps
    const stamp = wantsStamp
      ? stampProperties({ ...BARE, ...message, epoch: place.epoch, replay })
      : NOTHING
    const source = { place, channel, message }
    const { timeMs } = message
    const isReplay = replay !== LIVE
    this.#send(
      parcelOf(content, { qos, retain, identifiers, stamp, timeMs, source, isReplay, share }),
    )
  }

  /** Takes a payload for a topic of the gateway's own; it may not be lost. */
  publish(topic: string, payload: Buffer, qos: QoS): void {
    this.#send(parcelOf(plainContent(topic, payload), { qos, timeMs: this.now }))
  }

  #send(parcel: Parcel): void {
    if (this.#isClosed || this.#isTooLarge(parcel)) return
    if (parcel.qos === 0) this.#sendOnce(parcel)
    else if (!this.#opened.take(parcel)) this.host.overflow()
  }

  /** It is as if it had been sent [MQTT-3.1.2-25]. */
  #isTooLarge(parcel: Parcel): boolean {
    const { agreed, packetBytes } = this.#connection
    if (!agreed || packetBytes === Number.POSITIVE_INFINITY) return false
    const size = sizeOf(parcel.content, this.#termsOf(parcel, 0))
    return size + (agreed.topicAliases > 0 ? ALIAS_BYTES : 0) > packetBytes
  }

  /** QoS 0: whoever is not there yet has missed it. */
  #sendOnce(parcel: Parcel): void {
    const { source, content } = parcel
    if (this.#connection.state !== 'connected') return
    // What may give way must not be what sets an alias.
    const bytes = publishBytes(content, this.#aliased(parcel, 0, !this.slow))
    if (!source || parcel.isReplay) return this.shared(bytes)
    const { place, channel, message } = source
    this.message(bytes, { id: message.id, place, channel, sequence: message.sequence })
  }

  #termsOf(parcel: Parcel, messageId: number): Terms {
    return termsOf(parcel, messageId, this.#lane.is5, this.now)
  }

  #aliased(parcel: Parcel, messageId: number, isCertain: boolean): Terms {
    const terms = this.#termsOf(parcel, messageId)
    const { agreed, parts } = this.#connection
    const most = Math.min(agreed?.topicAliases ?? 0, parts.options.topicAliases)
    if (most === 0 || !isCertain) return terms
    this.#aliases ??= new Aliases(most)
    const alias = this.#aliases.take(topicIn(parcel.content))
    return alias ? { ...terms, ...alias } : terms
  }

  get #lane(): MqttLane {
    return this.host.lane as MqttLane
  }

  get #opened(): Window {
    if (!this.#window?.waits) this.#movedAt = this.host.core.uptime()
    this.#window ??= new Window(this)
    return this.#window
  }

  // What the window asks.

  get most(): number {
    const { agreed, parts } = this.#connection
    return Math.min(parts.options.inflight, agreed?.receiveMaximum ?? 1)
  }

  get bytesMax(): number {
    return this.host.core.options.outbox.bytes
  }

  get losses() {
    return this.host.core.counts.lost
  }

  noteLost(message: QueuedMessage, decidedBy: string): void {
    this.host.noteLost(message, decidedBy)
  }

  get mayTake(): boolean {
    return !this.#isClosed && this.#connection.state === 'connected' && super.ready
  }

  get holdsLive(): boolean {
    return this.#holdsLive
  }

  /** What was kept goes before all that comes, until that has been `resumed`. */
  resumes(): void {
    this.#holdsLive = true
  }

  resumed(): void {
    this.#holdsLive = false
    this.#pump()
  }

  get keeps(): boolean {
    return (this.#connection.agreed?.sessionExpiry ?? 0) > 0
  }

  get now(): number {
    return this.#connection.parts.core.clock()
  }

  transmit(parcel: Parcel, messageId: number): void {
    this.shared(publishBytes(parcel.content, this.#aliased(parcel, messageId, true)))
  }

  pubrel(messageId: number, reasonCode = 0): void {
    this.#connection.send({ cmd: 'pubrel', messageId, reasonCode })
  }

  tell(lost: Frame): void {
    this.frame(lost)
  }

  settled(aedesId: number, step: Acknowledgement): void {
    this.#connection.port?.send({ cmd: step, messageId: aedesId })
  }

  /** The client has acknowledged something. False where there is nothing that it could be of. */
  acknowledge(step: Acknowledgement, messageId: number, refused: boolean): boolean {
    const isKnown = this.#window?.acknowledge(step, messageId, refused) ?? false
    if (isKnown) this.#movedAt = this.host.core.uptime()
    this.tellReady()
    return isKnown
  }

  /** Takes what Aedes has kept: a message of QoS 1 or 2, or a PUBREL that is owed. */
  kept(packet: KeptPacket): void {
    const { messageId = 0 } = packet
    if (packet.cmd === 'pubrel') return this.#opened.resumeReleased(messageId)
    const parcel = keptParcel(packet, this.#connection)
    if (!parcel || this.#isTooLarge(parcel)) return this.settled(messageId, 'puback')
    this.#opened.resume(parcel)
  }

  /** For whoever keeps the session; once it is over, or as it is now. */
  unacknowledged(): Unacknowledged[] {
    this.flushRooms()
    return unacknowledged(this.pending)
  }

  /** What has not reached its end, in order. */
  get pending(): Iterable<Pending> {
    return this.#window?.pending() ?? []
  }

  /** Position up to which the client has all that is live, and has acknowledged what it must. */
  positionIn(place: Place): number {
    this.flushRooms()
    let position = place.sequence
    for (const { parcel } of this.pending) {
      const { source, share } = parcel
      if (source?.place === place && !share)
        position = Math.min(position, source.message.sequence - 1)
    }
    return position
  }

  /** Position up to which the client was sent all that is live: before the first that waits. */
  sentIn(place: Place): number {
    this.flushRooms()
    for (const { parcel, messageId } of this.pending) {
      const { source, isHandedOn } = parcel
      if (source?.place !== place || isHandedOn || messageId !== undefined) continue
      return source.message.sequence - 1
    }
    return place.sequence
  }

  /** What was sent so far is for it, whatever becomes of it. */
  flushRooms(): void {
    const { session } = this.#connection
    for (const { audience } of session?.memberships.values() ?? []) audience?.flush()
  }

  // What is no message of a room.

  override frame(frame: Frame): void {
    this.#connection.conversation.hear(frame)
  }

  override receipt(id: number, facts: ReceiptFacts): void {
    const { status, sockets, sequence, epoch } = facts
    const value = {
      status: status as ReceiptStatus,
      id: copyId(facts.id),
      sockets,
      sequence: BigInt(sequence),
      epoch: BigInt(epoch),
    }
    this.frame(create(FrameSchema, { id, body: { case: 'receipt', value } }))
  }

  /** A message for this client by its names, or one that it has asked for by Fetch. */
  override envelope(body: EnvelopeBody, stamp: Stamp, frameId?: number): void {
    const { conversation } = this.#connection
    if (!conversation.hears('message')) return
    const writer = new PacketWriter(0)
    writer.envelope(body, stamp, frameId)
    conversation.tell('message', writer.whole())
  }

  override told({ frames }: Notice): void {
    for (const frame of frames) this.frame(frame)
  }

  /** MQTT has a ping of its own. */
  override heartbeat(): void {}

  // When it can take more.

  override get ready(): boolean {
    return this.mayTake && !this.#window?.waits
  }

  override flush(): void {
    super.flush()
    this.#pump()
  }

  override drained(): void {
    super.drained()
    this.#pump()
  }

  override get backlog(): Backlog | undefined {
    const slow = super.backlog
    if (!this.#window?.waits) return slow
    const { frames, bytes } = this.#window.waiting
    if (slow) return { ...slow, frames: slow.frames + frames, bytes: slow.bytes + bytes }
    return { phase: 'unacknowledged', frames, bytes, since: this.#movedAt }
  }

  /** Messages that the client has not acknowledged. */
  get inflight(): number {
    return this.#window?.inflight ?? 0
  }

  #pump(): void {
    if (!this.#window?.waits) return
    this.#window.pump()
    this.tellReady()
  }

  override stalled(now: number): boolean {
    const waits = this.#window?.waits && now - this.#movedAt > this.host.core.options.outbox.ageMs
    return waits || super.stalled(now)
  }

  override close(last: Frame | undefined, discard: boolean): void {
    super.close(last, discard)
    this.#isClosed = true
  }
}
