/**
 * An MQTT client in a hall, without the stage's packets: subscriptions are made as the stage makes
 * them, and what is written to it is read as any client reads it.
 */
import type { Code } from '@porthouse/proto/v1/code'
import { generate, type IPublishPacket, type Packet, type Parser, parser } from 'mqtt-packet'
import type { Agreed } from '../../../gateway/ingress/mqtt/connect/agreed.ts'
import type { MqttConnection } from '../../../gateway/ingress/mqtt/connection.ts'
import { Conversation } from '../../../gateway/ingress/mqtt/conversation.ts'
import { acknowledged } from '../../../gateway/ingress/mqtt/delivery/acknowledged.ts'
import { mqttLane } from '../../../gateway/ingress/mqtt/delivery/lane.ts'
import { type MqttOutbox, mqttKind } from '../../../gateway/ingress/mqtt/delivery/outbox.ts'
import { Shares } from '../../../gateway/ingress/mqtt/delivery/share.ts'
import {
  type Subscription,
  Subscriptions,
} from '../../../gateway/ingress/mqtt/delivery/subscriptions.ts'
import { join, stopListening } from '../../../gateway/ingress/mqtt/listen.ts'
import { parseTopicFilter } from '../../../gateway/ingress/mqtt/mapping/filter.ts'
import type { Version } from '../../../gateway/ingress/mqtt/wire/kind.ts'
import { encode } from '../../../gateway/ingress/mqtt/wire/write.ts'
import type { Session } from '../../../gateway/session/session.ts'
import type { Wire } from '../../../gateway/session/wire.ts'
import type { Hall } from '../../support/hall.ts'

/** Of a stream of Node's, in bytes. */
const HIGH_WATER_MARK = 65_536

const AGREED = {
  sessionExpiry: 0,
  receiveMaximum: 65_535,
  topicAliases: 0,
  wantsStamps: false,
}

export interface DeviceOptions {
  readonly version?: Version
  readonly agreed?: Partial<Agreed>
  readonly packetBytes?: number
  readonly options?: { readonly inflight?: number; readonly topicAliases?: number }
  readonly shares?: Shares
}

type Options = Partial<Omit<Subscription, 'topic' | 'place' | 'filters' | 'group'>>

export class Device implements Wire {
  readonly version: Version
  readonly handshake = { remote: '192.0.2.1', headers: {} }
  readonly agreed: Agreed
  readonly packetBytes: number
  readonly session: Session
  readonly subscriptions = new Subscriptions()
  readonly conversation: Conversation
  readonly parts: MqttConnection['parts']
  /** What was said to Aedes. */
  readonly said: Packet[] = []
  readonly port = { send: (packet: Packet) => void this.said.push(packet) }
  state = 'connected'
  /** Buffers as they were written. */
  readonly written: Buffer[] = []
  ended: Code | undefined
  buffered = 0
  readonly closed = new Promise<void>(() => {})
  readonly #parser: Parser
  readonly #packets: Packet[] = []
  #stuck = false
  #needsDrain = false

  constructor(hall: Hall, given: DeviceOptions = {}) {
    const { version = 5, agreed = {}, options, shares } = given
    this.packetBytes = given.packetBytes ?? Number.POSITIVE_INFINITY
    this.version = version
    this.agreed = { ...AGREED, ...agreed } as Agreed
    this.parts = {
      core: hall.core,
      log: hall.core.log,
      options: { inflight: 32, topicAliases: 32, ...options },
      shares: shares ?? new Shares(),
      kept: { pastOf: () => undefined },
    } as unknown as MqttConnection['parts']
    this.#parser = parser({ protocolVersion: version })
    this.#parser.on('packet', (packet: Packet) => this.#packets.push(packet))
    this.#parser.on('error', (error: Error) => {
      throw error
    })
    this.conversation = new Conversation(this.connection)
    this.session = hall.sessions.open({
      wire: this,
      lane: mqttLane(version),
      handshake: this.handshake,
      kind: mqttKind(this.connection),
    })
    // As one who has proved an identity.
    this.session.unlock()
  }

  /** As the stage sees it. */
  get connection(): MqttConnection {
    return this as unknown as MqttConnection
  }

  get outbox(): MqttOutbox {
    return this.session.outbox as MqttOutbox
  }

  async subscribe(hall: Hall, topic: string, options: Options = {}): Promise<this> {
    const filter = parseTopicFilter(topic)
    if (filter.kind === 'reserved') {
      this.conversation.listen(filter.topic, options.qos ?? 0)
      return this
    }
    const subscription: Subscription = {
      topic,
      place: `${filter.account}/${filter.room}`,
      filters: filter.filters,
      group: filter.group,
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      identifier: undefined,
      ...options,
    }
    const values = filter.group === undefined && subscription.retainHandling === 0 ? 'all' : 'none'
    let isDone = false
    const joined = join(this.connection, filter, subscription, values).finally(() => {
      isDone = true
    })
    joined.catch(() => undefined)
    while (!isDone) await hall.settle()
    await joined
    await hall.settle()
    return this
  }

  unsubscribe(topic: string): void {
    const subscription = this.subscriptions.get(topic) as Subscription
    this.subscriptions.delete(topic)
    if (subscription.group !== undefined) this.parts.shares.remove(this.connection, subscription)
    stopListening(this.connection, subscription.place)
  }

  /** What came since the last call. */
  take(): Packet[] {
    return this.#packets.splice(0)
  }

  messages(): IPublishPacket[] {
    return this.take().filter((packet) => packet.cmd === 'publish')
  }

  /** A line a PUBLISH: QoS, topic, payload; `dup` and `retain` where they are set. */
  heard(): string[] {
    return this.messages().map(brief)
  }

  acknowledge(cmd: 'puback' | 'pubrec' | 'pubcomp', messageId: number, reasonCode = 0): void {
    acknowledged(this.connection, { cmd, messageId, reasonCode })
  }

  send(packet: Packet): void {
    this.outbox.shared(encode(packet, this.version))
  }

  /** Its connection is lost. */
  vanish(): void {
    this.state = 'closed'
    this.parts.shares.leave(this.connection)
    this.session.end()
  }

  /** Takes nothing from now on. */
  stick(): void {
    this.#stuck = true
  }

  /** Takes all that was written, and what comes of that. */
  unstick(): void {
    this.#stuck = false
    this.buffered = 0
    if (this.#needsDrain) this.outbox.drained()
    this.#needsDrain = false
  }

  write(bytes: Buffer): void {
    this.written.push(bytes)
    this.#parser.parse(Buffer.from(bytes))
    if (!this.#stuck) return
    this.buffered += bytes.length
    this.#needsDrain ||= this.buffered >= HIGH_WATER_MARK
  }

  close(code: Code): void {
    this.ended = code
    this.state = 'closed'
  }

  readonly paused = false
  pause(): void {}
  resume(): void {}
  ping(): boolean {
    return false
  }
  terminate(): void {}
}

export function brief({ qos, topic, payload, dup, retain }: IPublishPacket): string {
  return `${qos} ${topic} ${payload}${dup ? ' dup' : ''}${retain ? ' retain' : ''}`
}

/** The size of a packet as mqtt-packet writes it, in bytes. */
export function sizeOfPacket(packet: Packet, version: Version = 5): number {
  return generate(packet, { protocolVersion: version }).length
}
