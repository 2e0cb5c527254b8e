/**
 * What a client publishes: taken and acknowledged in the order in which it came, each PUBACK or
 * PUBREC once the router has taken the message or the store has it (R37). What many rooms store
 * side by side is under way together; only the answers wait for each other.
 */
import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { FrameSchema } from '@porthouse/proto/v1/frame'
import type { IPublishPacket, IPubrelPacket, QoS } from 'mqtt-packet'
import { formatAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import { Outcome } from '../../router/outcome.ts'
import { type End, publish, publishNow } from '../../session/publishing.ts'
import { countReceipt, receiptOf, rejectedBy } from '../../session/receipt.ts'
import type { Session } from '../../session/session.ts'
import type { MqttConnection } from './connection.ts'
import { envelopeOf, type Routing } from './mapping/publish.ts'
import { receiptLevelOf } from './mapping/quality.ts'
import { pubackReason, reasonOfOutcome } from './mapping/reasons.ts'
import { parseReserved } from './mapping/reserved.ts'
import { roomOfTopic } from './mapping/topic.ts'
import { MqttError, Reason } from './wire/mqtt-error.ts'

/** Topics whose rooms are remembered; beyond it the memory starts anew. */
const TOPICS_CACHED = 64

const RECEIVE_MAXIMUM_EXCEEDED = 0x93

const NONE: string[] = []
/** The route of no room. */
const NOWHERE = { route: 0, channel: '' }

/** Of QoS 1 and 2, and what is to be said of it: undefined while that is not known. */
interface Pending {
  readonly qos: QoS
  readonly messageId: number
  end: End | undefined
}

export class Incoming {
  readonly #connection: MqttConnection
  /** In order of arrival; a QoS 0 that failed waits for nobody. */
  readonly #pending: Pending[] = []
  /** QoS 2 that PUBREC has taken and PUBREL has not released. */
  #taken: Set<number> | undefined
  #aliases: Map<number, string> | undefined
  #routes: Map<string, { readonly route: number; readonly channel: string }> | undefined
  #isHeld = false

  constructor(connection: MqttConnection) {
    this.#connection = connection
  }

  /** Packet ids of QoS 2 that are not released. */
  get taken(): ReadonlySet<number> {
    return this.#taken ?? new Set()
  }

  /** Goes on with what an earlier connection of the session has taken. */
  restore(taken: Iterable<number>): void {
    this.#taken = new Set(taken)
  }

  take(packet: IPublishPacket): void {
    const { qos, messageId = 0 } = packet
    const topic = this.#topicOf(packet)
    if (qos === 2 && this.#isTaken(messageId)) return this.#again(messageId)
    if (qos > 0) this.#checkBound()
    const end = this.#handle(packet, topic)
    if (!end) return
    if (qos === 0) return this.#lost(end)
    // Mostly nothing is under way before it.
    if (this.#pending.length === 0) this.#acknowledge(qos, messageId, end)
    else this.#settle(this.#expect(qos, messageId), end)
  }

  /** Undefined: its end is to come, and what comes then is seen to. */
  #handle(packet: IPublishPacket, topic: string): End | undefined {
    const { conversation } = this.#connection
    try {
      const reserved = parseReserved(topic)
      if (!reserved) return this.#publish(packet, topic)
      conversation.take(reserved, bytesOf(packet))
      return TAKEN
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  /** PUBREL: the packet id is free again. */
  release({ messageId = 0 }: IPubrelPacket): void {
    const isKnown = this.#taken?.delete(messageId) ?? false
    const reasonCode = isKnown ? 0 : Reason.PACKET_IDENTIFIER_NOT_FOUND
    this.#connection.send({ cmd: 'pubcomp', messageId, reasonCode })
  }

  /** By the alias that stands for it, if there is one [MQTT-3.3.2-7 to 12]. */
  #topicOf({ topic, properties }: IPublishPacket): string {
    const alias = properties?.topicAlias
    if (alias === undefined) return topic
    if (alias > this.#connection.parts.options.topicAliases) throw aliasError('over the maximum')
    if (topic !== '') {
      this.#aliases ??= new Map()
      this.#aliases.set(alias, topic)
      return topic
    }
    const known = this.#aliases?.get(alias)
    if (known === undefined) throw aliasError('of no topic')
    return known
  }

  #isTaken(messageId: number): boolean {
    const isUnderWay = this.#pending.some((each) => each.qos === 2 && each.messageId === messageId)
    return isUnderWay || (this.#taken?.has(messageId) ?? false)
  }

  /** A QoS 2 that came before is not sent again; while it is under way its PUBREC is to come. */
  #again(messageId: number): void {
    if (this.#taken?.has(messageId)) this.#connection.send({ cmd: 'pubrec', messageId })
  }

  #checkBound(): void {
    const { version, parts } = this.#connection
    const { receiveMaximum } = parts.options
    const taken = this.#taken?.size ?? 0
    // 3.1.1 has no such bound: where it waits for us it is read no further.
    const count = version === 5 ? taken + this.#pending.length : taken
    if (count < receiveMaximum) return
    const detail = `over ${receiveMaximum} not acknowledged`
    throw new MqttError(RECEIVE_MAXIMUM_EXCEEDED, Code.RATE_LIMITED, detail)
  }

  #expect(qos: QoS, messageId: number): Pending {
    const { version, parts } = this.#connection
    const pending = { qos, messageId, end: undefined }
    this.#pending.push(pending)
    if (version < 5 && !this.#isHeld && this.#pending.length >= parts.options.receiveMaximum) {
      this.#isHeld = true
      this.#connection.hold()
    }
    return pending
  }

  #publish(packet: IPublishPacket, topic: string): End | undefined {
    const { session, parts, conversation } = this.#connection
    if (!session) return TAKEN
    const envelope = envelopeOf(packet, this.#routing(session, packet, topic), parts.limits)
    const now = publishNow(session, envelope)
    if (now instanceof Refusal || now?.settled) return now
    const { qos, messageId = 0 } = packet
    const pending = qos > 0 ? this.#expect(qos, messageId) : undefined
    const ended = (end: End) => (pending ? this.#settle(pending, end) : this.#lost(end))
    const came = (end: End) => {
      if (end instanceof Refusal || end.settled) ended(end)
      else end.whenSettled(() => ended(end))
    }
    if (now) came(now)
    else publish(session, envelope, () => envelope, came, conversation.meetsLocks)
    return undefined
  }

  /** A room that it is in goes by its route, which spares reading the topic again. */
  #routing(session: Session, { qos, retain }: IPublishPacket, topic: string): Routing {
    const receipt = receiptLevelOf(qos)
    const { route, channel } = this.#routes?.get(topic) ?? NOWHERE
    if (session.memberships.has(route)) {
      return { route, channel, to: NONE, key: '', receipt, retain }
    }
    const address = roomOfTopic(topic)
    const place = session.core.router.graph.place(`${address.account}/${address.room}`)
    if (!place || !session.memberships.has(place.route)) {
      return { route: 0, channel: '', to: [formatAddress(address)], key: '', receipt, retain }
    }
    this.#routes ??= new Map()
    if (this.#routes.size >= TOPICS_CACHED) this.#routes.clear()
    const found = { route: place.route, channel: address.channel ?? '' }
    this.#routes.set(topic, found)
    return { ...found, to: NONE, key: '', receipt, retain }
  }

  /** Of QoS 0, which nothing acknowledges. */
  #lost(end: End): void {
    if (!isRefused(end) || this.#connection.state === 'closed') return
    this.#count(end)
    this.#tell(0, end)
  }

  #settle(pending: Pending, end: End): void {
    pending.end = end
    let count = 0
    for (const { qos, messageId, end: came } of this.#pending) {
      if (came === undefined || this.#connection.state === 'closed') break
      count++
      this.#acknowledge(qos, messageId, came)
    }
    if (count === 0) return
    this.#pending.splice(0, count)
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#connection.go()
  }

  #acknowledge(qos: QoS, messageId: number, end: End): void {
    const { version, conversation } = this.#connection
    this.#count(end)
    if (end !== TAKEN) this.#tell(messageId, end)
    const refused = isRefused(end)
    if (refused && version < 5 && !conversation.hears('receipt')) {
      const { code, detail } = refusalOf(end)
      return this.#connection.session?.drop(code, detail)
    }
    const reasonCode = reasonOf(end)
    if (qos === 2 && !(refused && version === 5)) {
      this.#taken ??= new Set()
      this.#taken.add(messageId)
    }
    this.#connection.acknowledge(qos === 1 ? 'puback' : 'pubrec', messageId, reasonCode)
  }

  #count(end: End): void {
    const { session } = this.#connection
    if (session && end !== TAKEN) countReceipt(session, end)
  }

  /** The receipt, under the packet's id, to whoever listens for it. */
  #tell(id: number, end: End): void {
    const { conversation } = this.#connection
    if (!conversation.hears('receipt')) return
    const value = end instanceof Outcome ? receiptOf(end) : rejectedBy(end)
    conversation.hear(create(FrameSchema, { id, body: { case: 'receipt', value } }))
  }
}

/** What the gateway has taken for itself; it has no receipt. */
const TAKEN = new Refusal(Code.UNSPECIFIED, '')

function isRefused(end: End): boolean {
  return end === TAKEN ? false : end instanceof Refusal || end.refusals.length > 0
}

function refusalOf(end: End): { readonly code: Code; readonly detail: string } {
  if (end instanceof Refusal) return end
  return end.refusals[0] ?? { code: Code.INTERNAL, detail: '' }
}

function reasonOf(end: End): number {
  if (end === TAKEN) return 0
  return end instanceof Refusal ? pubackReason(end.code) : reasonOfOutcome(end)
}

function aliasError(what: string): MqttError {
  const detail = `a topic alias ${what}`
  return new MqttError(Reason.TOPIC_ALIAS_INVALID, Code.FRAME_NOT_ALLOWED, detail)
}

/** The payload, which the reader gives as bytes. */
function bytesOf({ payload }: IPublishPacket): Buffer {
  return payload as Buffer
}
