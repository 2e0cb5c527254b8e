/** Sessions of MQTT clients in memory, as store/mqtt-sessions.ts has them. */
import type {
  Assigned,
  DueWill,
  MqttIncoming,
  MqttMove,
  MqttQueue,
  MqttQueueBounds,
  MqttReceived,
  MqttSession,
  MqttSessions,
  MqttSubscriber,
  MqttSubscriberPage,
  MqttSubscription,
  MqttSubscriptions,
  NewMqttSession,
  NewQueued,
  Queued,
} from '../../gateway/store/mqtt-sessions.ts'
import { StoreError } from '../../gateway/store/store.ts'
import type { Owner } from './memory-history.ts'

const FOR_EVER_S = 0xff_ff_ff_ff

interface Kept extends Omit<MqttSession, 'queued' | 'expiryS' | 'awaySince'> {
  expiryS: number
  awaySince: Date | undefined
  willAt: Date | undefined
  readonly subscriptions: Map<string, MqttSubscription>
  readonly queue: Queued[]
  readonly incoming: Map<number, MqttReceived>
}

export class MemoryMqttSessions implements MqttSessions {
  readonly subscriptions: MqttSubscriptions
  readonly queue: MqttQueue
  readonly incoming: MqttIncoming
  readonly #owner: Owner
  readonly #kept = new Map<string, Kept>()

  constructor(owner: Owner) {
    this.#owner = owner
    const sessions = async () => {
      await owner.answer()
      return this.#kept
    }
    this.subscriptions = new MemorySubscriptions(sessions, owner)
    this.queue = new MemoryQueue(sessions, owner)
    this.incoming = new MemoryIncoming(sessions)
  }

  async open(session: NewMqttSession, at: Date): Promise<boolean> {
    await this.#owner.answer()
    const { key } = session
    const before = this.#kept.get(key)
    const known = before && !hasEnded(before, at) ? before : undefined
    this.#kept.set(key, {
      createdAt: known?.createdAt ?? at,
      ...session,
      awaySince: undefined,
      willAt: undefined,
      subscriptions: known?.subscriptions ?? new Map(),
      queue: known?.queue ?? [],
      incoming: known?.incoming ?? new Map(),
    })
    return known !== undefined
  }

  async leave(key: string, left: { at: Date; expiryS: number; willAt?: Date }): Promise<boolean> {
    await this.#owner.answer()
    const kept = this.#kept.get(key)
    if (!kept) return false
    const { will, ...rest } = kept
    const { at, expiryS, willAt } = left
    const isDue = willAt !== undefined && will !== undefined
    const away = { expiryS, awaySince: at, willAt: isDue ? willAt : undefined }
    this.#kept.set(key, { ...rest, ...(isDue && { will }), ...away })
    return true
  }

  async abandon(at: Date): Promise<number> {
    await this.#owner.answer()
    const connected = [...this.#kept.values()].filter(({ awaySince }) => !awaySince)
    for (const each of connected) {
      each.awaySince = at
      if (each.will) each.willAt = later(at, Math.min(each.will.delayS, each.expiryS))
    }
    return connected.length
  }

  async find(key: string): Promise<MqttSession | undefined> {
    await this.#owner.answer()
    const kept = this.#kept.get(key)
    return kept && sessionOf(kept)
  }

  async list(principal: string, limit: number): Promise<MqttSession[]> {
    await this.#owner.answer()
    const since = ({ awaySince }: Kept) => awaySince?.getTime() ?? Infinity
    return [...this.#kept.values()]
      .filter((each) => each.principal === principal)
      .sort(
        (a, b) =>
          (since(a) === since(b) ? 0 : since(a) - since(b)) ||
          a.createdAt.getTime() - b.createdAt.getTime() ||
          compare(a.key, b.key),
      )
      .slice(0, limit)
      .map(sessionOf)
  }

  async count(principal?: string): Promise<number> {
    await this.#owner.answer()
    if (principal === undefined) return this.#kept.size
    return [...this.#kept.values()].filter((each) => each.principal === principal).length
  }

  async delete(keys: readonly string[]): Promise<number> {
    await this.#owner.answer()
    return keys.filter((key) => this.#kept.delete(key)).length
  }

  async deleteOf(principal: string): Promise<string[]> {
    await this.#owner.answer()
    return this.#remove((each) => each.principal === principal)
  }

  async dueWills(at: Date, limit: number): Promise<DueWill[]> {
    await this.#owner.answer()
    return [...this.#kept.values()]
      .filter(({ willAt }) => willAt && willAt <= at)
      .sort((a, b) => a.willAt!.getTime() - b.willAt!.getTime() || compare(a.key, b.key))
      .slice(0, limit)
      .map(({ key, accountId, principal, clientId, will }) => ({
        key,
        ...(accountId !== undefined && { accountId }),
        principal,
        clientId,
        body: will!.body,
      }))
  }

  async sentWills(keys: readonly string[]): Promise<void> {
    await this.#owner.answer()
    for (const key of keys) {
      const kept = this.#kept.get(key)
      if (!kept?.willAt) continue
      const { will: _, ...rest } = kept
      this.#kept.set(key, { ...rest, willAt: undefined })
    }
  }

  async expire(at: Date, limit: number): Promise<string[]> {
    await this.#owner.answer()
    for (const { queue } of this.#kept.values()) {
      for (const each of queue.filter((one) => isExpired(one, at))) {
        queue.splice(queue.indexOf(each), 1)
      }
    }
    return this.#remove((each) => hasEnded(each, at) && !each.willAt, limit)
  }

  /** Whose account, client or token is deleted; as the database does it. */
  forget(isGone: (session: NewMqttSession) => boolean): void {
    this.#remove(isGone)
  }

  #remove(isGone: (kept: Kept) => boolean, limit = Infinity): string[] {
    const keys = [...this.#kept.values()].filter(isGone).map(({ key }) => key)
    for (const key of keys.slice(0, limit)) this.#kept.delete(key)
    return keys.slice(0, limit)
  }
}

type Sessions = () => Promise<ReadonlyMap<string, Kept>>

class MemorySubscriptions implements MqttSubscriptions {
  readonly #sessions: Sessions
  readonly #owner: Owner

  constructor(sessions: Sessions, owner: Owner) {
    this.#sessions = sessions
    this.#owner = owner
  }

  async list(key: string): Promise<MqttSubscription[]> {
    return this.#of((await this.#sessions()).get(key))
  }

  async add(key: string, subscriptions: readonly MqttSubscription[]): Promise<void> {
    const kept = (await this.#sessions()).get(key)
    const isHere = ({ roomId }: MqttSubscription) => !roomId || this.#owner.hasRoom(roomId)
    if (subscriptions.length === 0) return
    if (!kept || !subscriptions.every(isHere)) {
      throw new StoreError('missing', 'what it belongs to was deleted meanwhile')
    }
    for (const each of subscriptions) {
      const plain = { noLocal: false, retainAsPublished: false, retainHandling: 0 as const }
      kept.subscriptions.set(each.topic, { ...plain, ...each })
    }
  }

  async remove(key: string, topics: readonly string[]): Promise<void> {
    const kept = (await this.#sessions()).get(key)
    for (const topic of topics) kept?.subscriptions.delete(topic)
  }

  async move(moves: readonly MqttMove[]): Promise<void> {
    const sessions = await this.#sessions()
    for (const { key, topic, epoch, sequence } of moves) {
      const kept = sessions.get(key)
      const found = kept?.subscriptions.get(topic)
      if (found) kept?.subscriptions.set(topic, { ...found, position: { epoch, sequence } })
    }
  }

  async inRooms(roomIds: readonly string[], page: MqttSubscriberPage): Promise<MqttSubscriber[]> {
    const { awayAt, after, limit } = page
    const isAfter = (key: string, topic: string) =>
      !after ||
      compare(key, after.key) > 0 ||
      (key === after.key && compare(topic, after.topic) > 0)
    return [...(await this.#sessions()).values()]
      .filter((kept) => !awayAt || (kept.awaySince && !hasEnded(kept, awayAt)))
      .flatMap((kept) => this.#of(kept).map((each) => ({ ...each, key: kept.key })))
      .filter(({ key, topic, roomId }) => roomId && roomIds.includes(roomId) && isAfter(key, topic))
      .sort((a, b) => compare(a.key, b.key) || compare(a.topic, b.topic))
      .slice(0, limit)
  }

  async count(): Promise<{ subscriptions: number; sessions: number }> {
    const all = [...(await this.#sessions()).values()].map((kept) => this.#of(kept))
    return {
      subscriptions: all.flat().filter(({ qos }) => qos > 0).length,
      sessions: all.filter((each) => each.length > 0).length,
    }
  }

  /** Without those of rooms that were deleted. */
  #of(kept: Kept | undefined): MqttSubscription[] {
    return [...(kept?.subscriptions.values() ?? [])]
      .filter(({ roomId }) => !roomId || this.#owner.hasRoom(roomId))
      .sort((a, b) => compare(a.topic, b.topic))
  }
}

class MemoryQueue implements MqttQueue {
  readonly #sessions: Sessions
  readonly #owner: Owner
  #numbers = 0

  constructor(sessions: Sessions, owner: Owner) {
    this.#sessions = sessions
    this.#owner = owner
  }

  async add(
    messages: readonly NewQueued[],
    bounds: MqttQueueBounds,
  ): Promise<ReadonlyMap<string, number>> {
    const sessions = await this.#sessions()
    const dropped = new Map<string, number>()
    for (const each of messages) {
      if (each.roomId && !this.#owner.hasRoom(each.roomId)) continue
      const plain = { retain: false, text: false, released: false }
      sessions.get(each.key)?.queue.push({ ...plain, ...each, number: ++this.#numbers })
    }
    for (const key of new Set(messages.map((each) => each.key))) {
      const queue = this.#of(sessions.get(key))
      const before = queue.length
      while (queue.length > bounds.messages || bytesOf(queue) > bounds.bytes) queue.shift()
      if (queue.length < before) dropped.set(key, before - queue.length)
    }
    return dropped
  }

  async page(
    key: string,
    page: { after?: number; limit: number; bytes: number; at: Date },
  ): Promise<Queued[]> {
    const { after = 0, limit, bytes, at } = page
    const next = this.#of((await this.#sessions()).get(key))
      .filter((each) => each.number > after && !isExpired(each, at))
      .slice(0, limit)
    return next.filter((_, i) => i === 0 || bytesOf(next.slice(0, i + 1)) <= bytes)
  }

  async assign(key: string, messages: readonly Assigned[]): Promise<number> {
    const queue = this.#of((await this.#sessions()).get(key))
    let found = 0
    for (const one of messages) {
      const at = queue.findIndex((each) => isThat(one, each))
      if (at < 0) continue
      queue[at] = { ...queue[at]!, messageId: one.messageId }
      found++
    }
    return found
  }

  async release(key: string, messageIds: readonly number[]): Promise<number[]> {
    const queue = this.#of((await this.#sessions()).get(key))
    const places = placesOf(queue, messageIds)
    const left = { released: true, body: Buffer.alloc(0), text: false }
    for (const at of places) queue[at] = { ...queue[at]!, ...left }
    return places.map((at) => queue[at]!.messageId!)
  }

  async take(key: string, messageIds: readonly number[]): Promise<Queued[]> {
    const queue = this.#of((await this.#sessions()).get(key))
    const taken = placesOf(queue, messageIds).map((at) => queue[at]!)
    for (const each of taken) queue.splice(queue.indexOf(each), 1)
    return taken
  }

  /** Without what was of rooms that were deleted. */
  #of(kept: Kept | undefined): Queued[] {
    const queue = kept?.queue ?? []
    const left = queue.filter(({ roomId }) => !roomId || this.#owner.hasRoom(roomId))
    queue.splice(0, Infinity, ...left)
    return queue
  }
}

class MemoryIncoming implements MqttIncoming {
  readonly #sessions: Sessions

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  async add(received: readonly MqttReceived[]): Promise<void> {
    const sessions = await this.#sessions()
    for (const each of received) sessions.get(each.key)?.incoming.set(each.messageId, each)
  }

  async list(key: string): Promise<MqttReceived[]> {
    const all = [...((await this.#sessions()).get(key)?.incoming.values() ?? [])]
    return all.sort((a, b) => a.messageId - b.messageId)
  }

  async find(key: string, messageId: number): Promise<MqttReceived | undefined> {
    return (await this.#sessions()).get(key)?.incoming.get(messageId)
  }

  async remove(key: string, messageIds?: readonly number[]): Promise<number> {
    const incoming = (await this.#sessions()).get(key)?.incoming
    const gone = [...(messageIds ?? incoming?.keys() ?? [])]
    return gone.filter((id) => incoming?.delete(id)).length
  }
}

function isThat(one: Assigned, each: Queued): boolean {
  if ('number' in one) return each.number === one.number
  return each.origin?.broker === one.origin.broker && each.origin.counter === one.origin.counter
}

/** Of the oldest by each identifier, in order. */
function placesOf(queue: readonly Queued[], messageIds: readonly number[]): number[] {
  const places = new Set(messageIds.map((id) => queue.findIndex((each) => each.messageId === id)))
  places.delete(-1)
  return [...places].sort((a, b) => a - b)
}

function sessionOf(kept: Kept): MqttSession {
  const { subscriptions: _, incoming: __, willAt: ___, queue, awaySince, ...session } = kept
  return {
    ...session,
    ...(awaySince && { awaySince }),
    queued: { messages: queue.length, bytes: bytesOf(queue) },
  }
}

function hasEnded({ awaySince, expiryS }: Kept, at: Date): boolean {
  if (!awaySince || expiryS >= FOR_EVER_S) return false
  return later(awaySince, expiryS) <= at
}

/** And nobody was sent it. */
function isExpired({ expiresAt, messageId }: Queued, at: Date): boolean {
  return expiresAt !== undefined && expiresAt <= at && messageId === undefined
}

function bytesOf(queue: readonly Queued[]): number {
  return queue.reduce((sum, { topic, body }) => sum + Buffer.byteLength(topic) + body.length, 0)
}

function later(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000)
}

/** As bytes, which is how PostgreSQL's "C" compares. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
