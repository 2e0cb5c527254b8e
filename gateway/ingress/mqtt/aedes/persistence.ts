/**
 * Aedes' persistence over the store. Sessions themselves are opened and ended by the stage (kept/);
 * here is what Aedes keeps of them: subscriptions, and messages that wait. It publishes nothing of
 * its own, so what it asks of retained messages, of wills and of who listens is asked by its suite
 * alone, and answered all the same.
 */
import { Readable } from 'node:stream'
import type { RetainedValues } from '../../../store/history.ts'
import type {
  MqttQueueBounds,
  MqttSessions,
  MqttSubscriber,
  MqttSubscription,
  NewQueued,
  Queued,
} from '../../../store/mqtt-sessions.ts'
import { Gathered } from './gathered.ts'
import { isGranted } from './hooks.ts'
import { type AnyPacket, bytesOfPacket, packetOfBytes } from './packet-bytes.ts'
import type { Port } from './port.ts'
import { matchesTopic } from './topic-match.ts'

export interface PersistenceParts {
  readonly sessions: MqttSessions
  readonly retained: RetainedValues
  /** UUID of the room that a topic, or all that a filter may match, is in. */
  readonly roomOf: (topic: string) => string | undefined
  /** How Aedes calls a filter, and which filter it means. */
  readonly names: {
    readonly nameOf: (filter: string) => string
    readonly filterOf: (name: string) => string
  }
  /** Of each session's queue. */
  readonly bounds: MqttQueueBounds
}

/** Aedes' client; its own suite has them without a connection. */
export interface PersistedClient {
  readonly id: string
  readonly conn?: Port
}

/** As Aedes has it: `rh` retain handling, `rap` retain as published, `nl` no local. */
interface AedesSubscription {
  readonly topic: string
  readonly qos: number
  readonly rh?: number
  readonly rap?: boolean
  readonly nl?: boolean
  readonly subscriptionIdentifier?: number
}

export interface AedesMessage extends AnyPacket {
  readonly qos: number
  readonly retain?: boolean
  readonly brokerCounter?: number
}

/** `received`: by PUBREC; `ended`: by PUBACK or PUBCOMP. */
interface Acknowledgement {
  readonly kind: 'received' | 'ended'
  readonly messageId: number
}

interface Acknowledged {
  readonly kind: Acknowledgement['kind']
  readonly messageId: number | undefined
  /** What was taken from the queue. */
  readonly queued?: Queued
}

/** Messages, or subscriptions, that are read at once. */
const PAGE = 100
const PAGE_BYTES = 1_048_576
/** Whose wills of Aedes' own are; those of sessions are the stage's, beside their sessions. */
const WILLS = 'aedes:wills'
const WILLS_MAX = 10_000
/** Packet identifiers that there are: 1 to this. */
const IDS = 65_535

const NOTHING: readonly object[] = []

/** Stands for the broker of messages that Aedes has not numbered: their number is the queue's. */
const QUEUE = 'queue'

export class Persistence {
  readonly #parts: PersistenceParts
  readonly #sessions: MqttSessions
  #broker: { readonly id: string } = { id: '' }
  /** Some may be there. */
  #hasWills = false
  /** Of SUBSCRIBEs that are on their way, by what Aedes has of them. */
  readonly #batches = new WeakMap<object, Promise<void>>()
  readonly #stored = new WeakSet<object>()
  /** What clients have acknowledged. */
  readonly #acknowledgements: Gathered<Acknowledgement, Acknowledged>

  constructor(parts: PersistenceParts) {
    this.#parts = parts
    this.#sessions = parts.sessions
    this.#acknowledgements = new Gathered(
      (key, items) => this.#acknowledge(key, items),
      (one, { kind, messageId }) => one.kind === kind && one.messageId === messageId,
    )
  }

  get broker(): { readonly id: string } {
    return this.#broker
  }

  async setup(broker: { readonly id: string }): Promise<void> {
    this.#broker = broker
    this.#hasWills = (await this.#sessions.count(WILLS)) > 0
  }

  async destroy(): Promise<void> {}

  // Subscriptions.

  /**
   * Of a client that is there, those that were granted: Aedes gives all of its SUBSCRIBE, once for
   * each that was granted, and they are stored together.
   */
  async addSubscriptions(
    client: PersistedClient,
    subscriptions: readonly AedesSubscription[],
  ): Promise<void> {
    if (!client.conn) return this.#addSubscriptions(client, subscriptions)
    const known = this.#batches.get(subscriptions)
    if (known) return known
    const batch = this.#addGranted(client, subscriptions)
    this.#batches.set(subscriptions, batch)
    return batch
  }

  async #addGranted(
    client: PersistedClient,
    subscriptions: readonly AedesSubscription[],
  ): Promise<void> {
    await new Promise(setImmediate)
    this.#batches.delete(subscriptions)
    const fresh = subscriptions.filter((each) => isGranted(each) && !this.#stored.has(each))
    for (const each of fresh) this.#stored.add(each)
    if (fresh.length > 0) await this.#addSubscriptions(client, fresh)
  }

  #addSubscriptions(
    { id, conn }: PersistedClient,
    subscriptions: readonly AedesSubscription[],
  ): Promise<void> {
    const { names, roomOf } = this.#parts
    const stored = subscriptions.map((each) => {
      const topic = names.filterOf(each.topic)
      return storedOf(each, topic, {
        roomId: roomOf(topic),
        ...conn?.host.optionsOf(topic),
      })
    })
    return this.#sessions.subscriptions.add(id, stored)
  }

  removeSubscriptions({ id }: PersistedClient, topics: readonly string[]): Promise<void> {
    return this.#sessions.subscriptions.remove(id, topics.map(this.#parts.names.filterOf))
  }

  async subscriptionsByClient({ id }: PersistedClient): Promise<AedesSubscription[]> {
    const subscriptions = await this.#sessions.subscriptions.list(id)
    return subscriptions.map((each) => this.#aedesOf(each))
  }

  /** A session that starts anew has nothing of before [MQTT-3.1.2-6]. */
  async cleanSubscriptions(client: PersistedClient): Promise<void> {
    if (isKept(client)) await this.#sessions.delete([client.id])
  }

  /** The widest first. */
  async subscriptionsByTopic(topic: string): Promise<(AedesSubscription & { clientId: string })[]> {
    const found: MqttSubscriber[] = []
    for await (const each of this.#subscribers(topic)) {
      if (each.qos > 0 && matchesTopic(each.topic, topic)) found.push(each)
    }
    return found
      .toSorted((a, b) => (a.topic < b.topic ? 1 : a.topic > b.topic ? -1 : 0))
      .map((each) => ({ clientId: each.key, ...this.#aedesOf(each) }))
  }

  getClientList(topic: string): Readable {
    const subscribers = this.#subscribers(topic)
    return Readable.from(
      (async function* () {
        for await (const each of subscribers) if (each.topic === topic) yield each.key
      })(),
    )
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    const { subscriptions, sessions } = await this.#sessions.subscriptions.count()
    return { subsCount: subscriptions, clientsCount: sessions }
  }

  /** All that listen in the room of a topic. */
  async *#subscribers(topic: string): AsyncGenerator<MqttSubscriber> {
    const roomId = this.#parts.roomOf(topic)
    if (roomId === undefined) return
    let after: MqttSubscriber | undefined
    do {
      const page = { limit: PAGE, ...(after && { after }) }
      const subscribers = await this.#sessions.subscriptions.inRooms([roomId], page)
      yield* subscribers
      after = subscribers.length === PAGE ? subscribers.at(-1) : undefined
    } while (after)
  }

  #aedesOf({ topic, qos, identifier, ...each }: MqttSubscription): AedesSubscription {
    return {
      topic: this.#parts.names.nameOf(topic),
      qos,
      rh: each.retainHandling ?? 0,
      rap: each.retainAsPublished ?? false,
      nl: each.noLocal ?? false,
      ...(identifier !== undefined && { subscriptionIdentifier: identifier }),
    }
  }

  // Messages that wait for a session's client.

  outgoingEnqueue(subscription: { clientId: string }, message: AedesMessage): Promise<void> {
    return this.outgoingEnqueueCombi([subscription], message)
  }

  async outgoingEnqueueCombi(
    subscriptions: readonly { clientId: string }[],
    message: AedesMessage,
  ): Promise<void> {
    const { roomOf, bounds } = this.#parts
    const roomId = roomOf(message.topic)
    const queued = subscriptions.map(({ clientId }) => queuedOf(clientId, message, roomId))
    await this.#sessions.queue.add(queued, bounds)
  }

  /** Whatever a pipeline takes; a list is what an empty one costs least as. */
  outgoingStream(client: PersistedClient): Readable | readonly object[] {
    if (!isKept(client)) return NOTHING
    return Readable.from(client.conn ? this.#resumed(client.id) : this.#queued(client.id))
  }

  async *#queued(key: string): AsyncGenerator<object> {
    for await (const page of this.#pages(key)) yield* page.map((each) => packetOf(each))
  }

  /**
   * For a client that is there: with packet identifiers, which are stored for a page at once, and
   * what was sent before is marked so [MQTT-3.3.1-1]. What has no identifier follows what has one.
   */
  async *#resumed(key: string): AsyncGenerator<object> {
    const used = new Set<number>()
    let last = 0
    for await (const page of this.#pages(key)) {
      for (const { messageId } of page) if (messageId !== undefined) used.add(messageId)
      const fresh = page.filter(({ messageId }) => messageId === undefined)
      const ids = new Map<Queued, number>()
      for (const each of fresh.slice(0, IDS - used.size)) {
        do last = last === IDS ? 1 : last + 1
        while (used.has(last))
        used.add(last)
        ids.set(each, last)
      }
      const assigned = [...ids].map(([{ number }, messageId]) => ({ number, messageId }))
      await this.#sessions.queue.assign(key, assigned)
      for (const each of page) {
        const messageId = each.messageId ?? ids.get(each)
        // More than there are identifiers: the rest comes another time.
        if (messageId === undefined) return
        yield packetOf({ ...each, messageId }, each.messageId !== undefined)
      }
    }
  }

  async *#pages(key: string): AsyncGenerator<readonly Queued[]> {
    let after = 0
    for (;;) {
      const range = { after, limit: PAGE, bytes: PAGE_BYTES, at: new Date() }
      const page = await this.#sessions.queue.page(key, range)
      const last = page.at(-1)
      if (!last) return
      after = last.number
      yield page
    }
  }

  /** A message has got its packet identifier, or has been received by the client (`pubrel`). */
  async outgoingUpdate({ id, conn }: PersistedClient, packet: AedesMessage): Promise<void> {
    const { cmd, messageId = 0, brokerId, brokerCounter = 0 } = packet
    let isThere = true
    if (cmd === 'pubrel') {
      const released = { kind: 'received', messageId } as const
      isThere = (await this.#acknowledgements.of(id, released)) !== undefined
    }
    // Otherwise it has had it from the stream on.
    else if (!conn) {
      const origin = { broker: brokerId ?? '', counter: brokerCounter }
      isThere = (await this.#sessions.queue.assign(id, [{ messageId, origin }])) > 0
    }
    if (!isThere) throw new Error('no such packet')
  }

  async outgoingClearMessageId(
    { id }: PersistedClient,
    { messageId }: { readonly messageId?: number },
  ): Promise<object | undefined> {
    if (messageId === undefined) return undefined
    const ended = await this.#acknowledgements.of(id, { kind: 'ended', messageId })
    return ended?.queued && packetOf(ended.queued)
  }

  /** Those that were received first: what has ended may have been received a moment before. */
  async #acknowledge(key: string, items: readonly Acknowledgement[]): Promise<Acknowledged[]> {
    const { queue } = this.#sessions
    const idsOf = (wanted: Acknowledgement['kind']) =>
      items.flatMap(({ kind, messageId }) => (kind === wanted ? messageId : []))
    const [received, ended] = [idsOf('received'), idsOf('ended')]
    const released = received.length > 0 ? await queue.release(key, received) : []
    const taken = ended.length > 0 ? await queue.take(key, ended) : []
    return [
      ...released.map((messageId) => ({ kind: 'received' as const, messageId })),
      ...taken.map((queued) => ({ kind: 'ended' as const, messageId: queued.messageId, queued })),
    ]
  }

  // Messages of QoS 2 from a client.

  incomingStorePacket({ id }: PersistedClient, packet: AedesMessage): Promise<void> {
    const { messageId = 0 } = packet
    return this.#sessions.incoming.add([{ key: id, messageId, packet: bytesOfPacket(packet) }])
  }

  async incomingGetPacket(
    { id }: PersistedClient,
    { messageId }: { readonly messageId: number },
  ): Promise<AnyPacket> {
    const found = await this.#sessions.incoming.find(id, messageId)
    if (!found?.packet) throw new Error('no such packet')
    return packetOfBytes(found.packet)
  }

  async incomingDelPacket(
    { id }: PersistedClient,
    { messageId }: { readonly messageId: number },
  ): Promise<void> {
    const removed = await this.#sessions.incoming.remove(id, [messageId])
    if (removed === 0) throw new Error('no such packet')
  }

  async cleanIncoming(client: PersistedClient): Promise<void> {
    if (isKept(client)) await this.#sessions.incoming.remove(client.id)
  }

  // Retained messages, which the rooms keep.

  async storeRetained(packet: AedesMessage): Promise<void> {
    const roomId = this.#parts.roomOf(packet.topic)
    if (roomId === undefined) return
    const channel = packet.topic
    const message = {
      sequence: 0,
      id: new Uint8Array(16),
      timeMs: Date.now(),
      from: '',
      channel,
      body: bytesOfPacket(packet),
    }
    const isCleared = packet.payload.length === 0
    await this.#parts.retained.save([{ roomId, channel, ...(!isCleared && { message }) }])
  }

  createRetainedStream(pattern: string): Readable {
    return this.createRetainedStreamCombi([pattern])
  }

  createRetainedStreamCombi(patterns: readonly string[]): Readable {
    const rooms = new Set(patterns.map(this.#parts.roomOf))
    rooms.delete(undefined)
    if (rooms.size === 0) return Readable.from([])
    return Readable.from(this.#retained([...rooms] as string[], patterns))
  }

  async *#retained(rooms: readonly string[], patterns: readonly string[]) {
    for (const room of rooms) {
      for (const { channel, body } of await this.#parts.retained.load(room)) {
        if (patterns.some((each) => matchesTopic(each, channel))) yield packetOfBytes(body)
      }
    }
  }

  // Wills that Aedes would send.

  async putWill({ id }: PersistedClient, packet: AnyPacket): Promise<void> {
    Object.assign(packet, { brokerId: this.#broker.id, clientId: id })
    this.#hasWills = true
    const will = { body: bytesOfPacket(packet), delayS: 0 }
    const session = { key: willKey(id), principal: WILLS, clientId: id, expiryS: 0, will }
    await this.#sessions.open(session, new Date())
  }

  async getWill({ id }: PersistedClient): Promise<AnyPacket | undefined> {
    if (!this.#hasWills) return undefined
    const { will } = (await this.#sessions.find(willKey(id))) ?? {}
    return will && packetOfBytes(will.body)
  }

  async delWill(client: PersistedClient): Promise<AnyPacket | undefined> {
    const will = await this.getWill(client)
    if (will) await this.#sessions.delete([willKey(client.id)])
    return will
  }

  /** Of brokers that are not among these. */
  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return this.#hasWills ? Readable.from(this.#wills(brokers)) : Readable.from([])
  }

  async *#wills(brokers: Readonly<Record<string, unknown>>): AsyncGenerator<AnyPacket> {
    for (const { will } of await this.#sessions.list(WILLS, WILLS_MAX)) {
      const packet = will && packetOfBytes(will.body)
      if (packet && !Object.hasOwn(brokers, packet.brokerId ?? '')) yield packet
    }
  }
}

/** Whether the store may have something of it. */
function isKept({ conn }: PersistedClient): boolean {
  return conn?.kept ?? true
}

function willKey(clientId: string): string {
  return `${WILLS}/${clientId}`
}

function storedOf(
  { qos, rh, rap, nl, subscriptionIdentifier }: AedesSubscription,
  topic: string,
  options: ReturnType<Port['host']['optionsOf']> = {},
): MqttSubscription {
  const { identifier = subscriptionIdentifier, roomId, position } = options
  return {
    topic,
    qos: qos as 0 | 1 | 2,
    noLocal: options.noLocal ?? nl ?? false,
    retainAsPublished: options.retainAsPublished ?? rap ?? false,
    retainHandling: options.retainHandling ?? ((rh ?? 0) as 0 | 1 | 2),
    ...(identifier !== undefined && { identifier }),
    ...(roomId !== undefined && { roomId }),
    ...(position && { position }),
  }
}

function queuedOf(key: string, message: AedesMessage, roomId: string | undefined): NewQueued {
  const { topic, payload, qos, retain = false, brokerId, brokerCounter = 0 } = message
  return {
    key,
    topic,
    qos: qos as 0 | 1 | 2,
    retain,
    body: Buffer.from(payload as Buffer),
    text: typeof payload === 'string',
    ...(roomId !== undefined && { roomId }),
    ...(brokerId && { origin: { broker: brokerId, counter: brokerCounter } }),
  }
}

/** As Aedes has it in its queue. */
function packetOf(queued: Queued, wasSent = false): object {
  const { topic, qos, retain, body, text, messageId, released, number, origin } = queued
  if (released) return { cmd: 'pubrel', messageId }
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return {
    cmd: 'publish',
    brokerId: origin?.broker ?? QUEUE,
    brokerCounter: origin?.counter ?? number,
    topic,
    payload: text ? bytes.toString() : bytes,
    qos,
    retain,
    dup: wasSent,
    messageId,
  }
}
