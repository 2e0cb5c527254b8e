/**
 * SUBSCRIBE and UNSUBSCRIBE of one connection: Aedes keeps them with the session and says when they
 * are answered; whether a filter may be heard is for listen.ts.
 */
import { Code } from '@porthouse/proto/v1/code'
import type {
  ISubackPacket,
  ISubscribePacket,
  ISubscription,
  IUnsubackPacket,
  IUnsubscribePacket,
  QoS,
} from 'mqtt-packet'
import { codeInfo, Refusal } from '../../protocol/codes.ts'
import type { LastValues } from '../../session/entry/waiting.ts'
import type { MqttConnection } from './connection.ts'
import type { Subscription } from './delivery/subscriptions.ts'
import { join, type RoomFilter, stopListening } from './listen.ts'
import { parseTopicFilter, type TopicFilter } from './mapping/filter.ts'
import { subackReason } from './mapping/reasons.ts'
import type { ReservedTopic } from './mapping/reserved.ts'
import { MqttError } from './wire/mqtt-error.ts'

const NO_SUBSCRIPTION_EXISTED = 0x11
/** What 3.1.1 has for all of them. */
const FAILURE = 0x80

/**
 * SUBSCRIBEs and UNSUBSCRIBEs that Aedes has not answered, beyond which the client is not read:
 * each may be a question to the store, where others have to wait behind it (L5).
 */
const UNANSWERED_MAX = 32

/** A SUBSCRIBE that Aedes has not answered. */
interface Asked {
  readonly messageId: number
  /** In order. */
  readonly topics: readonly string[]
  /** What is to be said of each. */
  readonly codes: Map<string, number>
  /** Options of those that Aedes asks about. */
  readonly options: Map<string, Options>
  /** Filters that were unsubscribed before Aedes has asked about them. */
  readonly ended: Set<string>
}

type Options = Pick<ISubscription, 'qos' | 'nl' | 'rap' | 'rh'> & { readonly identifier?: number }

export class Subscribing {
  /** A subscription that was to be restored is not permitted any more. */
  wasRefused = false
  readonly #connection: MqttConnection
  /** By packet id, the longest waiting first: nobody keeps a client from using one twice. */
  #asked: Map<number, Asked[]> | undefined
  /** The same by the filters that Aedes has not asked about. */
  #unheard: Map<string, Asked[]> | undefined
  /** Reason codes of an UNSUBSCRIBE that Aedes has not answered, by its packet id. */
  #left: Map<number, number[][]> | undefined
  /** See UNANSWERED_MAX. */
  #unanswered: Set<object> | undefined
  #isHeld = false

  constructor(connection: MqttConnection) {
    this.#connection = connection
  }

  subscribe({ messageId = 0, subscriptions, properties }: ISubscribePacket): void {
    const [identifier] = [properties?.subscriptionIdentifier ?? []].flat()
    const asked: Asked = {
      messageId,
      topics: subscriptions.map(({ topic }) => topic),
      codes: new Map(),
      options: new Map(),
      ended: new Set(),
    }
    for (const { topic, qos, nl, rap, rh } of subscriptions) {
      const given = { qos, nl, rap, rh, ...(identifier !== undefined && { identifier }) }
      const filter = filterOf(topic)
      const isNone = filter instanceof MqttError
      asked.codes.set(topic, isNone ? filter.reason : qos)
      if (!isNone) asked.options.set(topic, given as Options)
    }
    if (asked.options.size === 0) return this.#answer(asked)
    this.#asked ??= new Map()
    putLast(this.#asked, messageId, asked)
    this.#unheard ??= new Map()
    for (const topic of asked.options.keys()) putLast(this.#unheard, topic, asked)
    this.#sends(asked)
    const known = [...asked.options].map(([topic, { qos }]) => ({ topic, qos }))
    this.#connection.port?.send({ cmd: 'subscribe', messageId, subscriptions: known })
  }

  /** Aedes' SUBACK: all that may be heard is heard, and kept where the session is. */
  subscribed({ messageId = 0 }: ISubackPacket): void {
    const asked = takeFirst(this.#asked, messageId)
    if (!asked) return
    this.#answer(asked)
    this.#hasAnswer(asked)
  }

  #answer({ messageId, topics, codes }: Asked): void {
    const { version } = this.#connection
    const granted = topics.map((topic) => {
      const code = codes.get(topic) ?? FAILURE
      return code >= FAILURE && version < 5 ? FAILURE : code
    })
    this.#connection.send({ cmd: 'suback', messageId, granted })
  }

  /**
   * Aedes asks whether a filter may be heard: one of a SUBSCRIBE, or, `restored`, of a session that
   * goes on. It is, once this has resolved with true.
   */
  async mayListen(topic: string, qos: QoS, restored: boolean): Promise<boolean> {
    const asked = restored ? undefined : takeFirst(this.#unheard, topic)
    const { kept } = this.#connection.parts
    const options = restored ? kept.optionsOf(this.#connection, topic) : asked?.options.get(topic)
    if (!options || asked?.ended.has(topic)) return false
    try {
      const filter = parseTopicFilter(topic)
      if (filter.kind === 'reserved') this.#listen(filter.topic, qos)
      else return await this.#join(topic, filter, options, restored)
      return true
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof MqttError)) throw error
      // One that is restored would be ended for good.
      if (restored && codeInfo(error.code).temporary) throw error
      this.wasRefused ||= restored
      const reason = error instanceof MqttError ? error.reason : subackReason(error.code)
      asked?.codes.set(topic, reason)
      return false
    }
  }

  #listen(topic: ReservedTopic, qos: QoS): void {
    if (!this.#connection.session?.unlocked && topic.kind !== 'lock') {
      throw new Refusal(Code.UNAUTHENTICATED, 'nothing is unlocked yet')
    }
    this.#connection.conversation.listen(topic, qos)
  }

  async #join(
    topic: string,
    filter: RoomFilter,
    options: Options,
    restored: boolean,
  ): Promise<boolean> {
    const { qos, nl = false, rap = false, rh = 0, identifier } = options
    const subscription: Subscription = {
      topic,
      place: `${filter.account}/${filter.room}`,
      filters: filter.filters,
      group: filter.group,
      qos,
      noLocal: nl,
      retainAsPublished: rap,
      retainHandling: rh as 0 | 1 | 2,
      identifier,
    }
    const isNew = this.#connection.subscriptions.get(topic) === undefined
    const lastValues = restored ? 'none' : lastValuesOf(subscription, isNew)
    await join(this.#connection, filter, subscription, lastValues)
    // It may have been unsubscribed meanwhile.
    return this.#connection.subscriptions.get(topic) !== undefined
  }

  unsubscribe(packet: IUnsubscribePacket): void {
    const { messageId = 0, unsubscriptions } = packet
    // It hears what was sent before.
    this.#connection.outbox.flushRooms()
    this.#left ??= new Map()
    const codes = unsubscriptions.map((topic) => this.#leave(topic))
    putLast(this.#left, messageId, codes)
    this.#sends(codes)
    this.#connection.port?.send({ cmd: 'unsubscribe', messageId, unsubscriptions })
  }

  /** Aedes' UNSUBACK: they are kept no more. */
  unsubscribed({ messageId = 0 }: IUnsubackPacket): void {
    const granted = takeFirst(this.#left, messageId) ?? []
    this.#connection.send({ cmd: 'unsuback', messageId, granted })
    this.#hasAnswer(granted)
  }

  /** The client is asked something, which it has to be heard for: what waits may wait for that. */
  meetsLock(): void {
    this.#unanswered?.clear()
    this.#hold()
  }

  #sends(request: object): void {
    this.#unanswered ??= new Set()
    this.#unanswered.add(request)
    this.#hold()
  }

  #hasAnswer(request: object): void {
    this.#unanswered?.delete(request)
    this.#hold()
    // A connection at rest has none of them (G10).
    if (this.#unanswered?.size === 0) this.#unanswered = undefined
    if (this.#asked?.size === 0) this.#asked = undefined
    if (this.#unheard?.size === 0) this.#unheard = undefined
    if (this.#left?.size === 0) this.#left = undefined
  }

  #hold(): void {
    const isMuch = (this.#unanswered?.size ?? 0) >= UNANSWERED_MAX
    if (isMuch === this.#isHeld) return
    this.#isHeld = isMuch
    if (this.#isHeld) this.#connection.hold()
    else this.#connection.go()
  }

  #leave(topic: string): number {
    const { subscriptions, conversation, parts } = this.#connection
    const filter = filterOf(topic)
    if (filter instanceof MqttError) return NO_SUBSCRIPTION_EXISTED
    const unheard = this.#unheard?.get(topic) ?? []
    for (const asked of unheard) asked.ended.add(topic)
    const none = unheard.length > 0 ? 0 : NO_SUBSCRIPTION_EXISTED
    if (filter.kind === 'reserved') return conversation.unlisten(filter.topic) ? 0 : none
    const subscription = subscriptions.get(topic)
    if (!subscription) return none
    subscriptions.delete(topic)
    if (subscription.group !== undefined) parts.shares.remove(this.#connection, subscription)
    stopListening(this.#connection, subscription.place)
    return 0
  }
}

function putLast<Key, Value>(all: Map<Key, Value[]>, key: Key, value: Value): void {
  const waiting = all.get(key)
  if (waiting) waiting.push(value)
  else all.set(key, [value])
}

function takeFirst<Key, Value>(all: Map<Key, Value[]> | undefined, key: Key): Value | undefined {
  const waiting = all?.get(key)
  const first = waiting?.shift()
  if (waiting?.length === 0) all?.delete(key)
  return first
}

/** Or why it is none, or nobody's to hear; whether it may be heard is for the room to say. */
function filterOf(topic: string): TopicFilter | MqttError {
  try {
    return parseTopicFilter(topic)
  } catch (error) {
    if (error instanceof MqttError) return error
    throw error
  }
}

/** Retain handling: 0 all, 1 those of a new subscription, 2 none; none in a group. */
function lastValuesOf({ retainHandling, group }: Subscription, isNew: boolean): LastValues {
  if (group !== undefined || retainHandling === 2) return 'none'
  return retainHandling === 1 && !isNew ? 'none' : 'all'
}
