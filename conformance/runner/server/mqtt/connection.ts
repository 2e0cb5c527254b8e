/** An MQTT connection of the reference client that plays frames (PH-17.11). */
import { fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf'
import type { Raw } from '@porthouse/proto/conformance/v1/server_suite'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import type { IConnackPacket, IPublishPacket, ISubscription, Packet } from 'mqtt-packet'
import type { Connection, Dial } from '../../connection.ts'
import { Fences } from '../../fences.ts'
import { Inbox } from '../../inbox.ts'
import { isObject, show } from '../../template.ts'
import { jsonOfPacket, packetOfJson, packetOn } from './packet-json.ts'
import { envelopeOf, publishOf, withEitherContent } from './publish.ts'
import { MqttRules } from './rules.ts'
import { tellsOn } from './tells.ts'
import {
  filterOf,
  KINDS,
  type Kind,
  kindOfTopic,
  reservedTopic,
  roomOfTopic,
  topicOf,
} from './topics.ts'
import type { MqttWire } from './wire.ts'

/** Packet ids of what frames have become; those that a case writes itself are below. */
const FIRST_PACKET_ID = 0x8000

/** Where the frames of a client are published. */
const KIND_OF: Record<string, Kind> = {
  lockStep: 'lock',
  room: 'room',
  envelope: 'message',
  receipt: 'receipt',
  event: 'event',
}

/** A Join that is a SUBSCRIBE, until its Joined. */
interface Entry {
  readonly frame: JsonObject
  readonly filter: string
}

export class MqttConnection implements Connection {
  readonly inbox = new Inbox()
  readonly #wire: MqttWire
  readonly #dial: Dial
  readonly #rules: MqttRules
  readonly #isBare: boolean
  #packetId = FIRST_PACKET_ID
  readonly #fences = new Fences()
  #drop: string | undefined
  #reason: number | undefined
  /** Ids of frames by the packet ids of their PUBLISH. */
  readonly #frameIds = new Map<number, number>()
  readonly #entries = new Map<number, Entry>()
  /** Joins that are not answered, by frame id, with the room's topic. */
  readonly #joining = new Map<number, string>()
  readonly #subscribed = new Set<number>()
  readonly #filters = new Set<string>()
  /** Rooms' topics by their routes. */
  readonly #topics = new Map<number, string>()
  /** What was heard of rooms before their Joined, which comes first on every medium. */
  #early: (() => void)[] = []
  #listens = new Set<Kind>()
  readonly #awaited = new Map<string, (packet: Packet | JsonObject) => void>()

  constructor(wire: MqttWire, dial: Dial) {
    this.#wire = wire
    this.#dial = dial
    this.#isBare = dial.open.bare
    this.#rules = new MqttRules(wire.version)
    wire.listen({
      packet: (packet) => this.#take(packet),
      broken: (why) => this.#rules.broke('PH-17.22', `no MQTT: ${why}`),
      ended: () => this.#ended(),
    })
  }

  get violations(): readonly string[] {
    return this.#rules.violations
  }

  /** CONNACK; undefined where the connection ended without one, or the time is over. */
  connect(packet: Packet): Promise<IConnackPacket | undefined> {
    const came = this.#await<IConnackPacket>('connack')
    this.#write(packet)
    return came
  }

  /** Hears what the gateway says to this socket alone; false where nothing is unlocked yet. */
  async listenTo(kinds: readonly Kind[]): Promise<boolean> {
    const messageId = this.#nextId()
    const came = this.#await<{ granted: number[] }>(`suback ${messageId}`)
    const subscriptions = kinds.map((kind) => ({ topic: reservedTopic(kind), qos: 1 as const }))
    this.#write({ cmd: 'subscribe', messageId, subscriptions })
    for (const kind of kinds) this.#listens.add(kind)
    const isGranted = (await came)?.granted.every((qos) => qos < 0x80) ?? false
    if (isGranted) for (const { topic, qos } of subscriptions) this.#rules.granted(topic, qos)
    else for (const kind of kinds) this.#listens.delete(kind)
    return isGranted
  }

  /** The answer to a frame of our own, which the case does not see. */
  async ask(frame: JsonObject): Promise<JsonObject | undefined> {
    const came = this.#await<JsonObject>(`frame ${frame.id}`)
    this.#tell(frame)
    return await came
  }

  async send(frames: readonly JsonObject[]): Promise<void> {
    for (const frame of frames) this.#send(frame)
  }

  async raw({ content }: Raw): Promise<void> {
    if (content.case !== 'hex') throw new TypeError(`MQTT has no ${content.case}`)
    this.#rules.lenient()
    this.#dial.trace(`→ ${content.value}`)
    this.#wire.bytes(Buffer.from(content.value, 'hex'))
  }

  fence(withinMs: number): Promise<boolean> {
    if (this.inbox.ending) return Promise.resolve(true)
    this.#write({ cmd: 'pingreq' })
    return this.#fences.sent(withinMs)
  }

  tells(expected: JsonObject): JsonObject {
    const { version } = this.#wire
    const wasSubscribe = this.#subscribed.has(Number(expected.id))
    return packetOn(version, expected) ?? tellsOn(version, expected, wasSubscribe)
  }

  reading({ paused }: { paused: boolean }): void {
    this.#wire.pause(paused)
  }

  leave({ cut }: { cut: boolean }): Promise<void> {
    if (!cut) this.#write({ cmd: 'disconnect', reasonCode: 0 })
    return this.#wire.end(cut)
  }

  #send(frame: JsonObject): void {
    const packet = packetOfJson(frame)
    if (packet) return this.#sendPacket(packet)
    const { envelope, room, command } = frame as Record<string, JsonObject | undefined>
    const id = Number(frame.id ?? 0)
    if (envelope) return this.#publish(id, envelope, frame)
    if (isObject(room?.join ?? null)) return this.#join(frame, room!.join as JsonObject)
    if (isObject(room?.leave ?? null)) this.#leave(String((room!.leave as JsonObject).address))
    if (command?.watch && !this.#listens.has('event')) void this.listenTo(['event'])
    this.#tell(frame)
  }

  /** As the case writes it, whose answers it sees as well. */
  #sendPacket(packet: Packet): void {
    const { version } = this.#wire
    if (packet.cmd === 'connect') {
      packet.protocolVersion = version
      packet.clientId ??= this.#dial.who
    }
    if (packet.cmd === 'publish') this.#rules.published(packet)
    this.#write(packet)
  }

  #publish(id: number, envelope: JsonObject, frame: JsonObject): void {
    const said = publishOf(envelope, this.#wire.version, this.#topics)
    // A refusal of QoS 0 has no id.
    if (!said || (id !== 0 && said.qos === 0)) return this.#tell(frame)
    const packet: IPublishPacket = { cmd: 'publish', dup: false, ...said }
    if (said.qos > 0) {
      packet.messageId = this.#nextId()
      this.#frameIds.set(packet.messageId, id)
    }
    this.#rules.published(packet)
    this.#write(packet)
  }

  /** Listening is a SUBSCRIBE; the Join that follows tells the rest, and asks for the rest. */
  #join(frame: JsonObject, { address, sendOnly }: JsonObject): void {
    const filter = sendOnly ? undefined : filterOf(String(address))
    if (filter === undefined) return this.#tell(frame)
    const messageId = this.#nextId()
    this.#entries.set(messageId, { frame, filter })
    const id = Number(frame.id ?? 0)
    this.#subscribed.add(id)
    this.#joining.set(id, roomOfTopic(filter))
    // A script is for media on which nobody hears himself (PH-17.6); 3.1.1 cannot say so.
    const noLocal = this.#wire.version === 5 ? { nl: true } : {}
    const subscriptions: ISubscription[] = [{ topic: filter, qos: 1, ...noLocal }]
    this.#write({ cmd: 'subscribe', messageId, subscriptions })
  }

  #leave(address: string): void {
    const filter = filterOf(address)
    const unsubscriptions = [...this.#filters].filter(
      (one) => one === filter || (filter?.endsWith('/#') && roomOfTopic(one) === topicOf(address)),
    )
    if (unsubscriptions.length === 0) return
    for (const one of unsubscriptions) this.#filters.delete(one)
    this.#write({ cmd: 'unsubscribe', messageId: this.#nextId(), unsubscriptions })
  }

  /** On the reserved topic of its kind. */
  #tell(frame: JsonObject): void {
    const body = Object.keys(frame).find((name) => name !== 'id') ?? ''
    const packet = fromJson(PacketSchema, { frames: [frame] })
    const publish: IPublishPacket = {
      cmd: 'publish',
      ...{ topic: reservedTopic(KIND_OF[body] ?? 'command'), qos: 1, dup: false, retain: false },
      payload: Buffer.from(toBinary(PacketSchema, packet)),
      messageId: this.#nextId(),
    }
    this.#dial.trace(`→ ${show(frame)}`)
    this.#rules.published(publish)
    this.#wire.write(publish)
  }

  #take(packet: Packet): void {
    if (packet.cmd === 'disconnect') {
      this.#dial.trace(`← ${show(jsonOfPacket(packet))}`)
      this.#reason = packet.reasonCode ?? 0
      return
    }
    if (packet.cmd === 'pingresp' && this.#fences.back()) return
    if (packet.cmd === 'puback' || packet.cmd === 'pubrec') {
      this.#rules.acknowledged(packet.messageId ?? 0, packet.reasonCode ?? 0)
    }
    if (packet.cmd === 'publish') this.#rules.heard(packet)
    const isOfCase =
      packet.cmd !== 'publish' && (packet.messageId ?? FIRST_PACKET_ID) < FIRST_PACKET_ID
    const isAwaited = packet.cmd === 'connack' && this.#awaited.has('connack')
    if ((this.#isBare && !isAwaited) || isOfCase) return this.#push(jsonOfPacket(packet))
    if (packet.cmd === 'publish') return this.#heard(packet)
    if (packet.cmd === 'pubrel') this.#wire.write({ cmd: 'pubcomp', messageId: packet.messageId! })
    if (packet.cmd === 'suback') this.#granted(packet as unknown as Suback)
    this.#answer(packet.cmd === 'suback' ? `suback ${packet.messageId}` : packet.cmd, packet)
  }

  #heard(packet: IPublishPacket): void {
    const { topic, qos, messageId = 0, payload } = packet
    if (qos > 0) this.#wire.write({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId })
    if (kindOfTopic(topic)) return this.#told(payload as Buffer)
    this.#pushHeard(packet)
  }

  #pushHeard(packet: IPublishPacket): void {
    const room = roomOfTopic(packet.topic)
    if (this.#isEarly(room)) {
      this.#early.push(() => this.#pushHeard(packet))
      return
    }
    const [route = 0] = [...this.#topics].find(([, topic]) => topic === room) ?? []
    this.#push(envelopeOf(packet, this.#wire.version, route))
  }

  /** A Packet on a reserved topic. */
  #told(payload: Buffer): void {
    const { frames } = fromBinary(PacketSchema, new Uint8Array(payload))
    const json = toJson(PacketSchema, { $typeName: 'porthouse.v1.Packet', frames }) as JsonObject
    for (const frame of (json.frames ?? []) as JsonObject[]) this.#toldFrame(frame)
  }

  #toldFrame(whole: JsonObject): void {
    const frame = this.#wire.version === 4 ? withEitherContent(whole) : whole
    const id = Number(frame.id ?? 0)
    const { drop, receipt, room, lockStep } = frame as Record<string, JsonObject | undefined>
    if (this.#awaited.has(`frame ${id}`)) {
      this.#dial.trace(`← ${show(frame)}`)
      return this.#answer(`frame ${id}`, frame)
    }
    if (drop && id === 0) {
      this.#dial.trace(`← ${show(frame)}`)
      this.#drop = String(drop.code ?? '').replace(/^CODE_/, '')
      return
    }
    if (receipt && this.#frameIds.has(id)) {
      this.#rules.receipt(id, receipt)
      const own = this.#frameIds.get(id)!
      return this.#push({ ...(own !== 0 && { id: own }), receipt })
    }
    if (receipt) this.#rules.receipt(id, receipt)
    if (isObject(room?.joined ?? null)) this.#joined(room!.joined as JsonObject)
    if (isObject(room?.caughtUp ?? null)) return this.#caughtUp(frame, room!.caughtUp as JsonObject)
    this.#push(frame)
    this.#joinEnded(id)
    const verdict = lockStep?.verdict as JsonObject | undefined
    const isOpen = verdict?.outcome === 'OUTCOME_PASSED' && this.#entries.size === 0
    if (isOpen && !this.#listens.has('room')) void this.listenToAll()
  }

  /** One that follows a room's last values may come before the Joined. */
  #caughtUp(frame: JsonObject, { address }: JsonObject): void {
    const room = roomOfTopic(topicOf(String(address)) ?? '')
    if (this.#isEarly(room)) this.#early.push(() => this.#caughtUp(frame, { address: address! }))
    else this.#push(frame)
  }

  /** What was heard before its answer comes after it. */
  #joinEnded(id: number): void {
    if (!this.#joining.delete(id)) return
    for (const push of this.#early.splice(0)) push()
  }

  #isEarly(room: string): boolean {
    return [...this.#joining.values()].includes(room)
  }

  #joined({ route, address }: JsonObject): void {
    const topic = topicOf(String(address))
    if (topic !== undefined) this.#topics.set(Number(route), roomOfTopic(topic))
  }

  async listenToAll(): Promise<boolean> {
    return await this.listenTo(KINDS.filter((kind) => kind !== 'event' && kind !== 'lock'))
  }

  #granted({ messageId, granted }: Suback): void {
    const entry = this.#entries.get(messageId)
    if (!entry) return
    this.#entries.delete(messageId)
    const { frame, filter } = entry
    const [qos = 0x80] = granted
    if (qos >= 0x80) {
      const reason = this.#wire.version === 5 ? { mqttReason: qos } : {}
      this.#push({ id: frame.id ?? 0, drop: reason })
      return this.#joinEnded(Number(frame.id ?? 0))
    }
    this.#rules.granted(filter, qos)
    this.#filters.add(filter)
    if (!this.#listens.has('room')) void this.listenToAll()
    this.#tell(frame)
  }

  #push(frame: JsonObject): void {
    this.#dial.trace(`← ${show(frame)}`)
    this.inbox.push({ frame, packet: 0 })
  }

  #write(packet: Packet): void {
    this.#dial.trace(`→ ${show(jsonOfPacket(packet))}`)
    this.#wire.write(packet)
  }

  #nextId(): number {
    const id = this.#packetId
    this.#packetId = id === 0xffff ? FIRST_PACKET_ID : id + 1
    return id
  }

  /** Undefined where the connection ends before, or the time is over. */
  #await<T>(name: string): Promise<T | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), this.#dial.withinMs)
      this.#awaited.set(name, (answer) => {
        clearTimeout(timer)
        resolve(answer as T | undefined)
      })
    })
  }

  #answer(name: string, answer: Packet | JsonObject): void {
    const wake = this.#awaited.get(name)
    this.#awaited.delete(name)
    wake?.(answer)
  }

  #ended(): void {
    this.#dial.trace('← the end')
    this.#fences.end()
    for (const wake of this.#awaited.values()) wake(undefined as never)
    this.#rules.ended(this.#drop, this.#reason)
    this.inbox.end({ code: this.#drop, mqttReason: this.#reason })
  }
}

interface Suback {
  readonly messageId: number
  readonly granted: readonly number[]
}
