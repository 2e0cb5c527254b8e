/**
 * A connection by MQTT 3.1.1. What MQTT has words for is frames to the script: a SUBSCRIBE to a
 * room is its Join and SUBACK the answer, a PUBLISH to one an Envelope and PUBACK the Receipt, each
 * by its packet id. All else crosses on reserved topics as it is (PH-17.2, PH-17.8, PH-17.11).
 */
import type { Socket } from 'node:net'
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { type Frame, FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { Outcome } from '@porthouse/proto/v1/lock_step'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
  type Parser,
} from 'mqtt-packet'
import { Connection, type ConnectionHost } from './connection.ts'
import { addressOf, kindOfTopic, mayPublish, reserved, topicOf } from './mqtt-topics.ts'
import type { PlainGateway } from './plain-gateway.ts'

const GRANTED = 1
const REFUSED = 0x80
const PACKET_IDS = 65_535

type Body = NonNullable<MessageInitShape<typeof FrameSchema>['body']>

/** Whose answer is a packet of MQTT's own. */
type Asked = 'subscribe' | 'unsubscribe' | 'publish'

export class MqttConnection extends Connection {
  readonly #socket: Socket
  readonly #asked = new Map<number, Asked>()
  readonly #listens = new Set<string>()
  /** Rooms by the route that the script gave. */
  readonly #routes = new Map<number, string>()
  #isInLimbo: boolean
  #packetId = 0

  constructor(
    { socket, reader, connect }: { socket: Socket; reader: Parser; connect: IConnectPacket },
    plain: PlainGateway,
    host: ConnectionHost,
  ) {
    super(plain, host)
    this.#socket = socket
    this.#isInLimbo = !connect.username
    reader.on('packet', (packet: Packet) => this.#received(packet))
    reader.on('error', (error: Error) => host.broke('MQTT', error.message))
    socket.once('close', () => this.ended(1006))
    this.#put({ cmd: 'connack', returnCode: 0, sessionPresent: false })
  }

  get isOpen(): boolean {
    return this.#socket.writable
  }

  protected write(frames: readonly Frame[]): void {
    for (const frame of frames) if (this.isOpen) this.#write(frame)
  }

  /** On the topic of locks, where every client listens. */
  sendBytes(bytes: Uint8Array): void {
    this.#publish(reserved('lock'), bytes)
  }

  sendText(): void {
    throw new TypeError('MQTT has no text messages')
  }

  sendWire(bytes: Uint8Array): void {
    this.host.trace(`→ wire ${Buffer.from(bytes).toString('hex').slice(0, 200)}`)
    this.#socket.write(bytes)
  }

  ping(): void {
    throw new TypeError('a gateway does not ping over MQTT')
  }

  /** MQTT 3.1.1 cannot say why (PH-17.22). */
  close(): void {
    this.ends(1006)
    this.#socket.end()
  }

  cut(): void {
    this.ends(1006)
    this.#socket.destroy()
  }

  stall(): void {
    this.#socket.removeAllListeners('data')
    this.#socket.on('data', () => {})
  }

  // --- To the client

  #write(frame: Frame): void {
    const { id, body } = frame
    if (body.case === 'lockStep' && body.value.step.case === 'verdict') {
      if (body.value.step.value.outcome === Outcome.PASSED) this.#isInLimbo = false
    }
    if (this.#answers(frame)) return
    if (body.case === 'envelope' && this.#publishInRoom(body.value)) return
    const topic = topicOf(frame)
    const packet = create(PacketSchema, { frames: [frame] })
    if (this.#listens.has(topic)) this.#publish(topic, toBinary(PacketSchema, packet))
    else this.host.trace(`  ${id} on ${topic} is not listened to`)
  }

  /** By a packet of MQTT's own, and a Receipt on its topic before. */
  #answers(frame: Frame): boolean {
    const { id, body } = frame
    const asked = this.#asked.get(id)
    const action = body.case === 'room' ? body.value.action : undefined
    if (asked === 'subscribe' && action?.case === 'joined') {
      this.#routes.set(action.value.route, action.value.address)
      this.#isInLimbo = false
      return this.#settle(id, { cmd: 'suback', messageId: id, granted: [GRANTED] })
    }
    if (asked === 'subscribe' && body.case === 'drop') {
      return this.#settle(id, { cmd: 'suback', messageId: id, granted: [REFUSED] })
    }
    if (asked === 'unsubscribe' && action?.case === 'left') {
      return this.#settle(id, { cmd: 'unsuback', messageId: id, granted: [] })
    }
    if (asked !== 'publish' || body.case !== 'receipt') return false
    const hears = this.#listens.has(reserved('receipt'))
    // Before MQTT 5 an acknowledgement cannot say no (PH-17.9).
    if (!hears && body.value.status === ReceiptStatus.REJECTED) {
      this.close()
      return true
    }
    if (hears) {
      const packet = create(PacketSchema, { frames: [frame] })
      this.#publish(reserved('receipt'), toBinary(PacketSchema, packet))
    }
    return this.#settle(id, { cmd: 'puback', messageId: id })
  }

  #settle(id: number, answer: Packet): true {
    this.#asked.delete(id)
    this.#put(answer)
    return true
  }

  #publishInRoom({ stamp, routing, content }: Envelope): boolean {
    const address = this.#routes.get(stamp?.route ?? 0) ?? routing?.to[0]
    if (!address?.startsWith('room:')) return false
    const topic = [address.slice('room:'.length), stamp?.channel].filter(Boolean).join('/')
    this.#publish(topic, Buffer.from(content.value ?? ''))
    return true
  }

  #publish(topic: string, bytes: Uint8Array): void {
    this.#packetId = (this.#packetId % PACKET_IDS) + 1
    const payload = Buffer.from(bytes)
    const messageId = this.#packetId
    this.#put({ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false })
  }

  #put(packet: Packet): void {
    this.host.trace(`→ ${shown(packet)}`)
    if (this.#socket.writable) this.#socket.write(generate(packet, { protocolVersion: 4 }))
  }

  // --- From the client

  #received(packet: Packet): void {
    this.host.trace(`← ${shown(packet)}`)
    switch (packet.cmd) {
      case 'publish':
        return this.#published(packet)
      case 'subscribe':
        return this.#subscribed(packet)
      case 'unsubscribe':
        return this.#unsubscribed(packet)
      case 'pingreq':
        return this.#put({ cmd: 'pingresp' })
      case 'disconnect':
        this.#socket.end()
        return
      case 'puback':
        return
      default:
        this.host.broke('MQTT', `a client does not send ${packet.cmd} here`)
    }
  }

  #published({ topic, payload, qos, messageId = 0 }: IPublishPacket): void {
    const bytes = new Uint8Array(Buffer.from(payload))
    if (topic.startsWith('$')) return this.#publishedFrames(topic, bytes, messageId)
    const address = addressOf(topic)
    if (!address || /[+#]/.test(topic)) return this.host.broke('PH-17.2', `no room is at ${topic}`)
    this.#needsMore(topic)
    if (qos > 0) this.#asked.set(messageId, 'publish')
    const receipt = qos > 0 ? ReceiptLevel.ROUTED : ReceiptLevel.UNSPECIFIED
    this.#frame(messageId, {
      case: 'envelope',
      value: { content: { case: 'payload', value: bytes }, routing: { to: [address], receipt } },
    })
  }

  #publishedFrames(topic: string, bytes: Uint8Array, messageId: number): void {
    const kind = kindOfTopic(topic)
    if (messageId > 0) this.#put({ cmd: 'puback', messageId })
    if (!kind) return this.host.broke('PH-17.12', `it publishes on ${topic}`)
    if (kind !== 'lock') this.#needsMore(topic)
    const frames = this.decoded(bytes)
    if (!frames) return
    if (!frames.every((frame) => mayPublish(kind, frame))) {
      this.host.broke('PH-17.11', `a frame of another kind on ${topic}`)
    }
    this.checked(frames, bytes.length)
    this.host.packet(this, frames)
  }

  #subscribed({ messageId = 0, subscriptions }: ISubscribePacket): void {
    const topic = subscriptions[0]!.topic
    if (subscriptions.length > 1) this.host.broke('the script', 'SUBSCRIBE of several topics')
    if (topic.startsWith('$')) return this.#listensTo(topic, messageId)
    const address = addressOf(topic)
    if (!address) return this.host.broke('PH-17.3', `no room is at ${topic}`)
    if (!this.#listens.has(reserved('lock'))) this.#needsMore(topic)
    this.#asked.set(messageId, 'subscribe')
    this.#frame(messageId, {
      case: 'room',
      value: { action: { case: 'join', value: { address } } },
    })
  }

  #listensTo(topic: string, messageId: number): void {
    const kind = kindOfTopic(topic)
    if (!kind) this.host.broke('PH-17.12', `it listens to ${topic}`)
    const isGranted = kind !== undefined && (kind === 'lock' || !this.#isInLimbo)
    if (isGranted) this.#listens.add(topic)
    this.#put({ cmd: 'suback', messageId, granted: [isGranted ? GRANTED : REFUSED] })
  }

  #unsubscribed({ messageId = 0, unsubscriptions }: IUnsubscribePacket): void {
    const address = addressOf(unsubscriptions[0]!)
    if (!address) return this.#put({ cmd: 'unsuback', messageId, granted: [] })
    this.#asked.set(messageId, 'unsubscribe')
    this.#frame(messageId, {
      case: 'room',
      value: { action: { case: 'leave', value: { address } } },
    })
  }

  /** In limbo there are but the topics of locks (PH-17.14). */
  #needsMore(topic: string): void {
    if (this.#isInLimbo) this.host.broke('PH-17.14', `${topic}, in limbo`)
  }

  /** What a packet of MQTT's own stands for. Its id is none of the ids of frames (PH-2.4). */
  #frame(id: number, body: Body): void {
    this.checked([create(FrameSchema, { body })], 0)
    this.host.packet(this, [create(FrameSchema, { id, body })])
  }
}

function shown(packet: Packet): string {
  const text = JSON.stringify(packet, (key, value) => {
    if (key === 'payload')
      return Buffer.from(value ?? '')
        .toString('hex')
        .slice(0, 200)
    return ['length', 'dup', 'retain', 'properties'].includes(key) ? undefined : value
  })
  return `${packet.cmd} ${text}`
}
