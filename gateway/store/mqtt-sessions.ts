/**
 * Sessions of MQTT clients that outlive their connections, as interfaces; see store.ts for what
 * holds of all of them. What belongs to a session goes with it.
 */

export interface MqttSessions {
  readonly subscriptions: MqttSubscriptions
  readonly queue: MqttQueue
  readonly incoming: MqttIncoming
  /**
   * Makes a session, or takes up the one that is there, which is connected from now on and has what
   * is said here; one that ended before `at` is made anew. Resolves with whether there was one.
   * Rejects with `missing` where the account is gone.
   */
  open(session: NewMqttSession, at: Date): Promise<boolean>
  /**
   * Its client is away, or is again: the session ends `expiryS` later (none: it is gone now).
   * Resolves with whether there is one.
   */
  leave(key: string, left: { at: Date; expiryS: number; willAt?: Date }): Promise<boolean>
  /**
   * Those that were connected to a gateway that ended without a word are away since `at`, and their
   * wills are due after their delays. How many there were. For a gateway that starts.
   */
  abandon(at: Date): Promise<number>
  find(key: string): Promise<MqttSession | undefined>
  /** Of a principal, those longest away first, and those connected last; at most `limit`. */
  list(principal: string, limit: number): Promise<MqttSession[]>
  /** Of a principal, or in all. */
  count(principal?: string): Promise<number>
  /** How many there were. */
  delete(keys: readonly string[]): Promise<number>
  /** All of a principal; the keys of those that there were. */
  deleteOf(principal: string): Promise<string[]>
  /** Wills that are due, the earliest first; they stay until `sentWills`. */
  dueWills(at: Date, limit: number): Promise<DueWill[]>
  /** These wills were sent, or are void. */
  sentWills(keys: readonly string[]): Promise<void>
  /**
   * Deletes those that have ended and whose will, if any, is sent, and messages that have expired
   * unsent: at most `limit` of each. The keys of the sessions.
   */
  expire(at: Date, limit: number): Promise<string[]>
}

export interface NewMqttSession {
  /** By which Aedes knows it: a hash of account, principal and client id. */
  readonly key: string
  /** UUID; absent where nobody has proved anything. */
  readonly accountId?: string
  /** Whose it is: `token:{UUID}` or `client:{UUID}`, with which it goes; or another name. */
  readonly principal: string
  /** As the client gave it, or got it. */
  readonly clientId: string
  /** How long it outlives its connection, in seconds, at most 2^32 - 1, which is for ever. */
  readonly expiryS: number
  /** Sent where its client is gone without a word; absent: none, nor one of before. */
  readonly will?: MqttWill
}

export interface MqttWill {
  /** As the ingress wrote it. */
  readonly body: Uint8Array
  /** After the connection is gone, in seconds. */
  readonly delayS: number
}

export interface MqttSession extends NewMqttSession {
  readonly createdAt: Date
  /** Absent while its client is connected. */
  readonly awaySince?: Date
  /** What its queue holds, and the bytes of it; or less, where a room of it was deleted. */
  readonly queued: { readonly messages: number; readonly bytes: number }
}

export interface DueWill {
  readonly key: string
  readonly accountId?: string
  readonly principal: string
  readonly clientId: string
  readonly body: Uint8Array
}

export interface MqttSubscriptions {
  /** Of a session, by topic. */
  list(key: string): Promise<MqttSubscription[]>
  /** Of several for one topic the last counts. Rejects with `missing` where there is no session. */
  add(key: string, subscriptions: readonly MqttSubscription[]): Promise<void>
  remove(key: string, topics: readonly string[]): Promise<void>
  /** Up to where each has had its room; what is gone meanwhile is left out. */
  move(moves: readonly MqttMove[]): Promise<void>
  /** Of these rooms, by key and topic, at most `limit`, those after `after`. */
  inRooms(roomIds: readonly string[], page: MqttSubscriberPage): Promise<MqttSubscriber[]>
  /** Those of QoS 1 and 2, and how many sessions have any at all. */
  count(): Promise<{ subscriptions: number; sessions: number }>
}

export interface MqttSubscription {
  /** The filter, as the client gave it. */
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: 0 | 1 | 2
  /** MQTT 5: 1 to 268,435,455. */
  readonly identifier?: number
  /** UUID; absent where it is of no room. */
  readonly roomId?: string
  /** Up to which it has had what its room keeps; absent where it keeps nothing. */
  readonly position?: { readonly epoch: number; readonly sequence: number }
}

export interface MqttSubscriber extends MqttSubscription {
  readonly key: string
}

export interface MqttMove {
  readonly key: string
  readonly topic: string
  readonly epoch: number
  readonly sequence: number
}

export interface MqttSubscriberPage {
  /** Only of sessions whose client is away, and that have not ended by then. */
  readonly awayAt?: Date
  readonly after?: { readonly key: string; readonly topic: string }
  readonly limit: number
}

/** What is to be delivered once a session's client is there. */
export interface MqttQueue {
  /**
   * Adds them, each at the end of its session's queue; of sessions that are gone they are left out.
   * Where a queue is beyond its bounds, the oldest of it make place. Resolves with how many did, by
   * session.
   */
  add(messages: readonly NewQueued[], bounds: MqttQueueBounds): Promise<ReadonlyMap<string, number>>
  /** In order, those after `after`; what expired before `at` and was never sent is left out. */
  page(
    key: string,
    page: { after?: number; limit: number; bytes: number; at: Date },
  ): Promise<Queued[]>
  /** Gives messages their packet identifiers, before they are sent. How many there were. */
  assign(key: string, messages: readonly Assigned[]): Promise<number>
  /** Were received: what is left of each is its PUBREL. Identifiers of those that there were. */
  release(key: string, messageIds: readonly number[]): Promise<number[]>
  /** Takes them from the queue, and gives them back; of several by one identifier the oldest. */
  take(key: string, messageIds: readonly number[]): Promise<Queued[]>
}

/** A message by its number, or by that of Aedes. */
export type Assigned = { readonly messageId: number } & (
  | { readonly number: number }
  | { readonly origin: MqttOrigin }
)

export interface MqttQueueBounds {
  readonly messages: number
  /** Of topics and bodies. */
  readonly bytes: number
}

export interface NewQueued {
  readonly key: string
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly retain?: boolean
  /** Aedes' payload. The ingress writes into it what it needs to deliver the message. */
  readonly body: Uint8Array
  /** The body is text, which Aedes is given as such. */
  readonly text?: boolean
  /** Its packet identifier, where it was sent before. */
  readonly messageId?: number
  /** It was received (QoS 2), and its PUBREL is owed; it needs no body any more. */
  readonly released?: boolean
  /** Not sent from then on. */
  readonly expiresAt?: Date
  /** UUID; with which it goes. */
  readonly roomId?: string
  /** Aedes' own number of a message; absent where it does not come from Aedes. */
  readonly origin?: MqttOrigin
}

export interface Queued extends NewQueued {
  /** Rises along the queue. */
  readonly number: number
}

/** Which broker it comes from, and its number there. */
export interface MqttOrigin {
  readonly broker: string
  readonly counter: number
}

/** Messages of QoS 2 that were received of a client and not released by it. */
export interface MqttIncoming {
  /** Packet identifiers, of many sessions at once; of those that are gone they are left out. */
  add(received: readonly MqttReceived[]): Promise<void>
  /** Of a session, by identifier. */
  list(key: string): Promise<MqttReceived[]>
  find(key: string, messageId: number): Promise<MqttReceived | undefined>
  /** Released; how many there were. Without identifiers: all of the session. */
  remove(key: string, messageIds?: readonly number[]): Promise<number>
}

export interface MqttReceived {
  readonly key: string
  readonly messageId: number
  /** As Aedes would have it back; absent where the identifier is all that counts. */
  readonly packet?: Uint8Array
}
