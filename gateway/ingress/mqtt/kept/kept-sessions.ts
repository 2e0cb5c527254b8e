/**
 * Sessions that outlive their connections: what a client has subscribed to, what it has not
 * acknowledged, and what it is to get that was sent while it was away (MQTT 5 section 4.1). Aedes
 * looks up and restores; here is when a session begins, when its client goes and comes, and when it
 * ends.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Log } from '../../../observe/log.ts'
import type { Core } from '../../../session/core.ts'
import type { Past } from '../../../session/history/backlog.ts'
import type { Session } from '../../../session/session.ts'
import type { MqttSession, MqttSessions } from '../../../store/mqtt-sessions.ts'
import { type Store, StoreError } from '../../../store/store.ts'
import { type Principal, principalOf } from '../connect/session-key.ts'
import type { MqttConnection } from '../connection.ts'
import type { Subscription } from '../delivery/subscriptions.ts'
import type { AwayRooms } from './away-rooms.ts'
import { awayByRoom } from './away-subscription.ts'
import { KeptSession } from './kept-session.ts'
import { Turns } from './turns.ts'
import { bytesOfWill, type Will } from './will.ts'
import { proofsOf, Wills } from './wills.ts'

/** How often wills that are due are looked for, and positions are stored, in milliseconds. */
const SWEEP_MS = 1_000
/** Of these, how many for one look for sessions that have ended. */
const EXPIRE_EVERY = 10
/** Sessions that are deleted, wills that are said, positions that are stored at once. */
const SWEEP_MAX = 1_000
/** Until what must be stored is tried again, in milliseconds. */
const RETRY_MS = 250
/** How long after others have deleted something it is looked who is gone, in milliseconds. */
const REREAD_MS = 100

/** How long the end of the gateway waits for the store, in milliseconds. */
const DRAIN_MS = 10_000

/** Ends that end what was kept as well: whoever it was is nobody any more. */
const FINAL: ReadonlySet<Code> = new Set([Code.REVOKED])

export interface KeptOptions {
  /** Sessions that are kept, in all and of one principal. */
  readonly sessions: number
  readonly sessionsPerPrincipal: number
}

export interface KeptParts {
  readonly core: Core
  readonly store: Pick<Store, 'mqttSessions' | 'changes'> & {
    readonly tokens: Pick<Store['tokens'], 'find'>
  }
  readonly away: AwayRooms
  readonly options: KeptOptions
  readonly log: Log
}

export class KeptSessions {
  readonly #parts: KeptParts
  readonly #sessions: MqttSessions
  readonly #wills: Wills
  readonly #turns = new Turns()
  /** Those whose client is there, and of which something is stored or to be said. */
  readonly #there = new Map<MqttConnection, KeptSession>()
  #started: Promise<void> | undefined
  #stopped = false
  #sweeper: NodeJS.Timeout | undefined
  #sweeps = 0
  #sweeping: Promise<void> | undefined
  #rereading = false
  /** As they were counted last, and those that came since. */
  #count = 0
  /** None is stored, nor was since the start: who comes need not be asked for at the store. */
  #hasNone = false
  #unwatch: () => Promise<void> = async () => {}

  constructor(parts: KeptParts) {
    this.#parts = parts
    this.#sessions = parts.store.mqttSessions
    const { core, away, store } = parts
    this.#wills = new Wills({
      core,
      keys: away.keys,
      findToken: (id) => store.tokens.find(id),
    })
  }

  /** What waits to be written to the queues of those who are away. */
  get queue(): { readonly messages: number; readonly bytes: number } {
    return this.#parts.away.writer
  }

  /** Sessions that are kept, about. */
  get count(): number {
    return this.#count
  }

  /**
   * To be called before the first `begin`, which waits for it: whoever was connected to a gateway
   * that ended without a word is away since now.
   */
  start(): void {
    this.#started ??= this.#start()
  }

  async #start(): Promise<void> {
    const { core, store, log } = this.#parts
    void store.changes
      .watch((change) => this.#changed(change?.kind))
      .then((unwatch) => {
        this.#unwatch = unwatch
        if (this.#stopped) return unwatch()
      })
    const abandoned = await this.#surely(() => this.#sessions.abandon(new Date(core.clock())))
    if (abandoned) log.info({ sessions: abandoned }, 'MQTT sessions have lost their connections')
    const count = await this.#surely(() => this.#sessions.count())
    this.#hasNone = count === 0
    this.#count = count ?? 0
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref()
  }

  /**
   * Makes a session, or takes one up: resolves with whether there was one, and with what was
   * restored told to the connection. Lowers agreed.sessionExpiry where it cannot be kept. Rejects
   * with Refusal for a will that may not be said, and with StoreError.
   */
  async begin(connection: MqttConnection): Promise<boolean> {
    await this.#started
    const { agreed, session } = connection
    if (!agreed || !session) return false
    const will = await this.#wills.prepare(connection)
    const principal = principalOf(session)
    if (!principal) return false
    this.#parts.away.keys.set(session, agreed.key)
    return this.#turns.take(agreed.key, () => this.#begin(connection, session, principal, will))
  }

  async #begin(
    connection: MqttConnection,
    session: Session,
    principal: Principal,
    will: Will | undefined,
  ): Promise<boolean> {
    const { agreed } = connection
    if (!agreed) return false
    const before = await this.#goesOn(agreed.key, agreed.cleanStart)
    if (!before && agreed.sessionExpiry > 0 && !(await this.#hasPlace(principal))) {
      agreed.sessionExpiry = 0
    }
    const isStored = before !== undefined || agreed.sessionExpiry > 0
    const common = { session, principal: principal.name, will, isStored }
    // Nothing is to be known of one that leaves nothing (G10).
    if (!isStored && !will) return false
    if (!isStored) {
      this.#there.set(connection, new KeptSession(connection, { ...common, restored: [] }))
      return false
    }
    const restored = before ? await this.#sessions.subscriptions.list(agreed.key) : []
    const kept = new KeptSession(connection, { ...common, restored })
    if (!before) {
      await this.#open(kept, principal)
      this.#count++
      return false
    }
    const rooms = awayByRoom(restored)
    connection.outbox.resumes()
    this.#parts.away.away(agreed.key, rooms, (place, channel) => kept.hears(place, channel))
    try {
      const received = await this.#sessions.incoming.list(agreed.key)
      connection.incoming.restore(received.map(({ messageId }) => messageId))
      await this.#open(kept, principal)
    } catch (error) {
      this.#parts.away.away(agreed.key, rooms)
      this.#parts.away.stored(agreed.key)
      throw error
    }
    return true
  }

  async #open(kept: KeptSession, principal: Principal): Promise<void> {
    const { connection, session, will } = kept
    const stored = will && { body: bytesOfWill(will, proofsOf(session)), delayS: will.delayS }
    const record = KeptSession.record(connection, principal, stored)
    this.#hasNone = false
    await this.#sessions.open(record, new Date(this.#parts.core.clock()))
    this.#there.set(connection, kept)
  }

  /** The session of this key that is taken up; one that is not, ends here. */
  async #goesOn(key: string, cleanStart: boolean): Promise<MqttSession | undefined> {
    if (this.#hasNone) return undefined
    const found = await this.#sessions.find(key)
    if (!found) return undefined
    if (!cleanStart && !this.#hasEnded(found)) return found
    if (found.will && found.awaySince) void this.#wills.sendStored(found.will.body, found)
    await this.#sessions.delete([key])
    this.#parts.away.gone([key])
    this.#count--
    return undefined
  }

  #hasEnded({ awaySince, expiryS }: MqttSession): boolean {
    const now = this.#parts.core.clock()
    return awaySince !== undefined && awaySince.getTime() + 1000 * expiryS <= now
  }

  async #hasPlace({ name }: Principal): Promise<boolean> {
    const { sessions, sessionsPerPrincipal } = this.#parts.options
    if (this.#count >= sessions) return false
    return (await this.#sessions.count(name)) < sessionsPerPrincipal
  }

  /** As a restored session has subscribed before. */
  optionsOf(connection: MqttConnection, topic: string) {
    return this.#there.get(connection)?.optionsOf(topic)
  }

  /** What a restored subscription has missed of its room's history; undefined for any other. */
  pastOf(connection: MqttConnection, subscription: Subscription): Past | undefined {
    return this.#there.get(connection)?.pastOf(subscription)
  }

  /** What is stored with a subscription. */
  storedOptionsOf(connection: MqttConnection, topic: string) {
    const subscription = connection.subscriptions.get(topic)
    if (!subscription) return undefined
    return { ...subscription, ...this.#there.get(connection)?.placeOf(subscription) }
  }

  /** A subscription is restored: what came before it is in the queue when this resolves. */
  restored(): Promise<void> {
    return this.#parts.away.writer.flush()
  }

  /** All is restored that may be: what is sent now it hears by itself. */
  there(connection: MqttConnection): void {
    const kept = this.#there.get(connection)
    if (!kept) return
    kept.isThere = true
    if (kept.isStored) this.#parts.away.back(kept.key)
  }

  /** It has got all that was kept for it, and is told what was lost. */
  delivered(connection: MqttConnection): void {
    const kept = this.#there.get(connection)
    const count = kept ? this.#parts.away.takeLosses(kept.key) : 0
    if (count === 0) return
    const value = { count, code: Code.QUEUE_FULL }
    connection.session?.send(0, { case: 'room', value: { action: { case: 'lost', value } } })
  }

  /**
   * The client is away, before its session leaves its rooms: from here on they keep for it. Once;
   * what is to be stored is on its way when this returns.
   */
  leave(connection: MqttConnection): void {
    const kept = this.#there.get(connection)
    const { agreed, session } = connection
    if (!kept || !agreed || !session) return
    this.#there.delete(connection)
    // What was sent before is still its own.
    connection.outbox.flushRooms()
    const stays = kept.isStored && agreed.sessionExpiry > 0 && !FINAL.has(session.endCode)
    // Nobody was told that it would be said before CONNACK.
    const will = kept.isThere && agreed.will ? kept.will : undefined
    const delayS = stays ? Math.min(will?.delayS ?? 0, agreed.sessionExpiry) : 0
    if (stays) this.#keep(kept, agreed.sessionExpiry, delayS)
    else if (kept.isStored) this.#discard(kept.key)
    if (!will || delayS > 0) return
    const { key, principal } = kept
    void this.#wills.send(will, {
      key,
      principal,
      proofs: proofsOf(session),
      address: session.address,
    })
  }

  #keep(kept: KeptSession, expiryS: number, delayS: number): void {
    const { core, away } = this.#parts
    const { key, connection } = kept
    const { rooms, moves } = kept.left()
    away.away(key, rooms)
    away.writer.add(kept.unacknowledged())
    const received = [...connection.incoming.taken].map((messageId) => ({ key, messageId }))
    const at = new Date(core.clock())
    const willAt = delayS > 0 && { willAt: new Date(at.getTime() + 1000 * delayS) }
    void this.#turns.take(key, async () => {
      await away.writer.flush()
      const isThere = await this.#surely(async () => {
        await this.#sessions.incoming.remove(key)
        if (received.length > 0) await this.#sessions.incoming.add(received)
        if (moves.length > 0) await this.#sessions.subscriptions.move(moves)
        return await this.#sessions.leave(key, { at, expiryS, ...willAt })
      })
      // Others may have deleted it meanwhile.
      if (isThere === false) away.gone([key])
      else away.stored(key)
    })
  }

  #discard(key: string): void {
    this.#parts.away.gone([key])
    this.#count--
    void this.#turns.take(key, () => this.#surely(() => this.#sessions.delete([key])))
  }

  /** Until it is stored, or it is known that it cannot be. */
  async #surely<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (let told = false; !this.#stopped; told = true) {
      try {
        return await ask()
      } catch (error) {
        const passes = error instanceof StoreError && error.failure !== 'unreadable'
        const { log } = this.#parts
        if (!passes || error.failure === 'invalid' || error.failure === 'missing') {
          log.error({ err: error }, 'an MQTT session is not stored')
          return undefined
        }
        if (!told) log.warn({ err: error }, 'MQTT sessions wait for the store')
      }
      await pause(RETRY_MS)
    }
    return undefined
  }

  /** Stores positions, says wills that are due, and ends what has ended; once at a time. */
  sweep(): void {
    this.#sweeping ??= this.#sweep()
      .catch((err) => this.#parts.log.warn({ err }, 'MQTT sessions wait for the store'))
      .finally(() => {
        this.#sweeping = undefined
      })
  }

  async #sweep(): Promise<void> {
    const at = new Date(this.#parts.core.clock())
    await this.#storePositions()
    for (const due of await this.#sessions.dueWills(at, SWEEP_MAX)) {
      await this.#turns.take(due.key, () => this.#sendDue(due.key))
    }
    if (this.#sweeps++ % EXPIRE_EVERY > 0) return
    this.#wills.sweep()
    const expired = await this.#sessions.expire(at, SWEEP_MAX)
    this.#parts.away.gone(expired)
    this.#count = await this.#sessions.count()
    this.#hasNone &&= this.#count === 0
  }

  /** Of so many sessions in a sweep; those that had their turn go behind the others. */
  async #storePositions(): Promise<void> {
    const moves = []
    for (const [connection, kept] of [...this.#there]) {
      if (moves.length >= SWEEP_MAX) break
      this.#there.delete(connection)
      this.#there.set(connection, kept)
      if (kept.isStored) moves.push(...kept.moves(SWEEP_MAX))
    }
    if (moves.length > 0) await this.#sessions.subscriptions.move(moves)
  }

  /** Unless its client has come back since. */
  async #sendDue(key: string): Promise<void> {
    const found = await this.#sessions.find(key)
    if (!found?.will || !found.awaySince) return
    await this.#wills.sendStored(found.will.body, found)
    await this.#sessions.sentWills([key])
  }

  /** With tokens, clients and accounts go their sessions: the store has deleted them by itself. */
  #changed(kind: string | undefined): void {
    const concerns = kind === undefined || ['token', 'client', 'account'].includes(kind)
    if (!concerns || this.#rereading || this.#stopped) return
    this.#rereading = true
    void pause(REREAD_MS).then(async () => {
      this.#rereading = false
      await this.#surely(() => this.#parts.away.reread())
    })
  }

  /**
   * Resolves when all wills that are due now are said and all that is to be stored is, or the store
   * has been away for too long.
   */
  async drain(): Promise<void> {
    await Promise.race([this.#idle(), pause(DRAIN_MS)])
  }

  async #idle(): Promise<void> {
    await this.#wills.idle()
    await this.#parts.away.writer.flush()
    await this.#turns.idle()
    await this.#sweeping
  }

  /** Waits for nothing any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#sweeper)
    await Promise.race([this.#sweeping, pause(DRAIN_MS)])
    await this.#unwatch()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref())
}
