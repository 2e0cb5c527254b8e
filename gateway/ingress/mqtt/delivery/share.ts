/**
 * Shared subscriptions (MQTT 5 section 4.8.2): each message of a room goes to one of those who have
 * subscribed to it by the same name and filters. A share is a listener of its own in the room; what
 * its room retains is not sent to it.
 */

import type { Tally } from '../../../observe/counts.ts'
import { matchesAny } from '../../../protocol/channel.ts'
import { Refusal } from '../../../protocol/codes.ts'
import type { Batch } from '../../../router/batch.ts'
import { type Membership, newMembership } from '../../../router/membership.ts'
import type { Place } from '../../../router/place.ts'
import { type Actor, type Socket, UNMARKED } from '../../../router/socket.ts'
import { type GroupAddress, joinGroup, leaveGroup } from '../../../session/entry/groups.ts'
import { NO_NAMES, type Session } from '../../../session/session.ts'
import type { MqttConnection } from '../connection.ts'
import { mqtt5Lane } from './lane.ts'
import type { Parcel } from './parcel.ts'
import type { Subscription } from './subscriptions.ts'
import type { MqttWriter } from './writer.ts'

/** Subscribers that are asked whether a message would go out at once, before one has to wait. */
const LOOKS_MAX = 128

const NOBODY: readonly Actor[] = []
const NONE: ReadonlySet<string> = new Set()
const NOWHERE: ReadonlyMap<number, Membership> = new Map()

interface Subscriber {
  readonly subscription: Subscription
  readonly member: Membership
}

/** As the router sees it: a socket that sends nothing, and that nobody can address. */
export class Share implements Socket {
  readonly id = ''
  readonly mark = UNMARKED
  /** MQTT 5's has all that others need. */
  readonly lane = mqtt5Lane
  readonly tally: Tally
  readonly actors = NOBODY
  readonly accounts = NONE
  readonly client = undefined
  readonly names = NO_NAMES
  readonly memberships = NOWHERE
  readonly target = undefined
  readonly place: Place
  readonly #member: Membership
  /** Who was picked last stands last. */
  readonly #subscribers = new Map<MqttConnection, Subscriber>()

  constructor(place: Place, filters: readonly string[], tally: Tally) {
    this.place = place
    this.tally = tally
    this.#member = newMembership(this, place)
    for (const filter of filters) place.listen(this.#member, filter)
  }

  get isEmpty(): boolean {
    return this.#subscribers.size === 0
  }

  set(connection: MqttConnection, subscription: Subscription, member: Membership): void {
    this.#subscribers.set(connection, { subscription, member })
  }

  /** The last one takes the share with it. */
  delete(connection: MqttConnection): void {
    // What was sent before is for those who were there.
    this.#member.audience?.flush()
    this.#subscribers.delete(connection)
    if (this.isEmpty) this.place.leave(this.#member)
  }

  deliver(batch: Batch, from: number, to: number): void {
    const writer = batch.writer as MqttWriter
    for (let i = from; i < to; i++) {
      const message = batch.messages[i]
      const content = writer.content(i)
      const picked = this.#pick(content.channel)
      if (!message || !picked) continue
      const { connection, subscriber } = picked
      connection.outbox.share(this, subscriber.subscription, content, message)
    }
  }

  /** A group's messages go to its members. */
  direct(): void {}

  /** Gives what one subscriber has not had to the end to another one, if there is any. */
  handOn(parcel: Parcel): void {
    const { source } = parcel
    const picked = source && this.#pick(source.channel)
    if (!picked) return
    parcel.isHandedOn = true
    picked.connection.outbox.takeOver(parcel, picked.subscriber.subscription)
  }

  /** The next who may hear it: of some, the first to whom it would go out at once. */
  #pick(channel: string): Picked | undefined {
    let picked: Picked | undefined
    const looked: [MqttConnection, Subscriber][] = []
    for (const [connection, subscriber] of this.#subscribers) {
      const { member } = subscriber
      looked.push([connection, subscriber])
      if (isThere(connection, member) && matchesAny(member.hears, channel)) {
        const { isOpen } = connection.outbox
        if (isOpen || !picked) picked = { connection, subscriber }
        if (isOpen) break
      }
      if (looked.length === LOOKS_MAX) break
    }
    // Those who were passed over have had their turn.
    for (const [connection, subscriber] of looked) this.#putLast(connection, subscriber)
    if (picked) this.#putLast(picked.connection, picked.subscriber)
    return picked
  }

  #putLast(connection: MqttConnection, subscriber: Subscriber): void {
    this.#subscribers.delete(connection)
    this.#subscribers.set(connection, subscriber)
  }
}

interface Picked {
  readonly connection: MqttConnection
  readonly subscriber: Subscriber
}

/** It may have left the room, or been let go, since it has subscribed. */
function isThere({ state, session }: MqttConnection, member: Membership): boolean {
  return state === 'connected' && session?.memberships.get(member.place.route) === member
}

/** All shares of a gateway. */
export class Shares {
  readonly #shares = new Map<Place, Map<string, Share>>()
  /** By the topics of their subscriptions. */
  readonly #of = new Map<MqttConnection, Map<string, Subscribed>>()

  /**
   * Adds a subscriber, who is a `member` of the room. Throws Refusal where the room has a group of
   * this name that he may not join.
   */
  add(connection: MqttConnection, subscription: Subscription, member: Membership): void {
    const { session } = connection
    if (!session) return
    const { place } = member
    const { topic, group = '', filters } = subscription
    const address = addressOf(place, group)
    // Else whoever may hear the room could take from a group what is meant for those in it.
    if (place.groups.get(group)) joinGroup(session, address)
    const shares = this.#shares.get(place) ?? new Map<string, Share>()
    this.#shares.set(place, shares)
    const key = `${group}\n${filters.join('\n')}`
    const share = shares.get(key) ?? new Share(place, filters, session.tally)
    shares.set(key, share)
    share.set(connection, subscription, member)
    const own = this.#of.get(connection) ?? new Map<string, Subscribed>()
    this.#of.set(connection, own)
    own.set(topic, { share, key, address })
  }

  remove(connection: MqttConnection, { topic }: Pick<Subscription, 'topic'>): void {
    const own = this.#of.get(connection)
    const subscribed = own?.get(topic)
    if (!own || !subscribed) return
    own.delete(topic)
    if (own.size === 0) this.#of.delete(connection)
    this.#leave(connection, subscribed)
    const { session } = connection
    const { address } = subscribed
    const isElsewhere = [...own.values()].some((each) => isSame(each.address, address))
    if (session && !session.closed && !isElsewhere) leave(session, address)
  }

  /**
   * The connection is over: what it has not had to the end goes to others of its shares, but for
   * QoS 2 that has begun [MQTT-4.8.2-4] [MQTT-4.8.2-5]. To be called before its session is kept.
   */
  leave(connection: MqttConnection): void {
    const own = this.#of.get(connection)
    if (!own) return
    this.#of.delete(connection)
    for (const subscribed of own.values()) this.#leave(connection, subscribed)
    for (const { parcel, messageId } of connection.outbox.pending) {
      const hasBegun = parcel.qos === 2 && messageId !== undefined
      if (!hasBegun) parcel.share?.handOn(parcel)
    }
  }

  #leave(connection: MqttConnection, { share, key }: Subscribed): void {
    share.delete(connection)
    if (!share.isEmpty) return
    const shares = this.#shares.get(share.place)
    shares?.delete(key)
    if (shares?.size === 0) this.#shares.delete(share.place)
  }
}

interface Subscribed {
  readonly share: Share
  /** Of its room's. */
  readonly key: string
  readonly address: GroupAddress
}

function addressOf({ name }: Place, group: string): GroupAddress {
  const [account = '', room = ''] = name.split('/')
  return { kind: 'group', account, room, group }
}

function isSame(a: GroupAddress, b: GroupAddress): boolean {
  return a.account === b.account && a.room === b.room && a.group === b.group
}

/** Out of a group that the config has him in there is no way but out of the room. */
function leave(session: Session, address: GroupAddress): void {
  try {
    leaveGroup(session, address)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}
