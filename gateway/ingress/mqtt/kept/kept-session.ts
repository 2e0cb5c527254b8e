/** One connection's session as it is kept: what of it is stored when it goes, and meanwhile. */

import { matchesAny } from '../../../protocol/channel.ts'
import type { Room } from '../../../rooms/rooms.ts'
import type { Place } from '../../../router/place.ts'
import type { Core } from '../../../session/core.ts'
import type { Past } from '../../../session/history/backlog.ts'
import type { Session } from '../../../session/session.ts'
import type {
  MqttMove,
  MqttSubscription,
  NewMqttSession,
  NewQueued,
} from '../../../store/mqtt-sessions.ts'
import type { MqttConnection } from '../connection.ts'
import type { Subscription } from '../delivery/subscriptions.ts'
import { topicOf } from '../mapping/topic.ts'
import { type AwaySubscription, awayByRoom } from './away-subscription.ts'
import { bytesOfKept } from './kept-message.ts'
import type { Will } from './will.ts'

interface Position {
  readonly epoch: number
  readonly sequence: number
}

export interface Kept {
  /** In the store. */
  readonly isStored: boolean
  readonly session: Session
  readonly principal: string
  readonly will: Will | undefined
  /** What it had subscribed to when it came back. */
  readonly restored: readonly MqttSubscription[]
}

export class KeptSession {
  readonly connection: MqttConnection
  readonly session: Session
  readonly isStored: boolean
  readonly principal: string
  readonly will: Will | undefined
  /** CONNACK was sent: all is restored that may be. */
  isThere = false
  readonly #restored: ReadonlyMap<string, MqttSubscription>
  /** As the store has them, by topic. */
  readonly #positions = new Map<string, Position>()

  constructor(connection: MqttConnection, kept: Kept) {
    this.connection = connection
    this.session = kept.session
    this.isStored = kept.isStored
    this.principal = kept.principal
    this.will = kept.will
    this.#restored = new Map(kept.restored.map((each) => [each.topic, each]))
    for (const { topic, position } of kept.restored) {
      if (position) this.#positions.set(topic, position)
    }
  }

  get key(): string {
    return this.connection.agreed?.key ?? ''
  }

  /** Whether what a room sends to a channel comes to it by itself now. */
  hears(place: Place, channel: string): boolean {
    const member = this.session.memberships.get(place.route)
    return member !== undefined && matchesAny([...member.filters], channel)
  }

  /** As it was subscribed, before it went away. */
  optionsOf(topic: string) {
    const stored = this.#restored.get(topic)
    return (
      stored && {
        qos: stored.qos,
        nl: stored.noLocal ?? false,
        rap: stored.retainAsPublished ?? false,
        rh: stored.retainHandling ?? 0,
        ...(stored.identifier !== undefined && { identifier: stored.identifier }),
      }
    )
  }

  /** What of its room's history a restored subscription has missed. */
  pastOf({ topic, qos }: Subscription): Past | undefined {
    const { position, roomId } = this.#restored.get(topic) ?? {}
    if (!position || qos === 0) return undefined
    const others = [...this.#restored.values()].filter((each) => each.roomId === roomId)
    const resumes = others.every((each) => each.position !== undefined && each.qos > 0)
    return { kind: 'after', position, resumes }
  }

  /** UUID of the room, and up to where a subscription has had what its history keeps. */
  placeOf(subscription: Subscription) {
    const place = this.session.core.router.graph.place(subscription.place)
    if (!place) return {}
    const roomId = this.session.core.rooms.at(place).record.id
    const position = this.#positionOf(subscription, 'acknowledged')
    return { roomId, ...(position && { position }) }
  }

  /** Those that have moved since they were stored, at most so many. */
  moves(most: number): MqttMove[] {
    const moves: MqttMove[] = []
    for (const subscription of this.connection.subscriptions.all) {
      if (moves.length >= most) break
      const { topic } = subscription
      const position = this.#positionOf(subscription, 'acknowledged')
      const known = this.#positions.get(topic)
      if (!position) continue
      if (position.epoch === known?.epoch && position.sequence === known.sequence) continue
      this.#positions.set(topic, position)
      moves.push({ key: this.key, topic, ...position })
    }
    return moves
  }

  /** What it has subscribed to, and up to where; those that were not restored yet, as they were. */
  left(): { readonly rooms: Map<string, AwaySubscription[]>; readonly moves: MqttMove[] } {
    if (!this.isThere) return { rooms: awayByRoom([...this.#restored.values()]), moves: [] }
    const rooms = new Map<string, AwaySubscription[]>()
    const moves: MqttMove[] = []
    const { graph } = this.session.core.router
    for (const subscription of this.connection.subscriptions.all) {
      const { topic, qos, group, filters } = subscription
      const place = graph.place(subscription.place)
      if (!place || qos === 0 || group !== undefined) continue
      const position = this.#positionOf(subscription, 'given')
      if (position) moves.push({ key: this.key, topic, ...position })
      const roomId = this.session.core.rooms.at(place).record.id
      const away = { ...subscription, filters, qos, isPlaced: position !== undefined }
      rooms.set(roomId, [...(rooms.get(roomId) ?? []), away])
    }
    return { rooms, moves }
  }

  /**
   * Up to where it has had its room: all that was given to it, what it has not acknowledged being
   * stored beside; or, for a crash, all that was acknowledged. Undefined where the room keeps none.
   */
  #positionOf(
    { topic, place: name, filters, qos, group }: Subscription,
    which: 'given' | 'acknowledged',
  ): Position | undefined {
    if (qos === 0 || group !== undefined) return undefined
    const place = this.session.core.router.graph.place(name)
    if (!place?.stores) return undefined
    const member = this.session.memberships.get(place.route)
    const pending = this.session.catchingUp.filter(
      (each) => each.member === member && each.filters.some((filter) => filters.includes(filter)),
    )
    const hears = member && filters.some((filter) => member.filters.has(filter))
    const stored = this.#restored.get(topic)?.position
    if (pending.length === 0 && !hears) return stored
    const { outbox } = this.connection
    const had = which === 'given' ? outbox.sentIn(place) : outbox.positionIn(place)
    const sequence = Math.min(had, ...pending.map((each) => each.through))
    return { epoch: place.epoch, sequence }
  }

  /**
   * What was sent and not acknowledged, and what waits, unless its room's history brings that
   * again, in order; but for what is in the queue already.
   */
  unacknowledged(): NewQueued[] {
    const { key } = this
    const { core } = this.session
    return this.connection.outbox.unacknowledged().flatMap((each): NewQueued[] => {
      const { place, channel, message, body, qos, retain, identifiers, messageId } = each
      const id = messageId !== undefined && { messageId }
      if (!body) return id ? [{ key, topic: '', qos, body: NOTHING, released: true, ...id }] : []
      if (!id && place.stores) return []
      const expiry = message.timeMs + 1000 * body.expiresAfter
      return [
        {
          key,
          topic: topicOf(place.name, channel),
          qos,
          retain,
          body: bytesOfKept(message, place.epoch, body, identifiers),
          ...roomIdOf(core, place),
          ...id,
          ...(body.expiresAfter > 0 && { expiresAt: new Date(expiry) }),
        },
      ]
    })
  }

  /** As it is stored when it begins. */
  static record(
    { agreed }: MqttConnection,
    principal: { readonly account: string; readonly name: string },
    will: NewMqttSession['will'],
  ): NewMqttSession {
    return {
      key: agreed?.key ?? '',
      accountId: principal.account,
      principal: principal.name,
      clientId: agreed?.clientId ?? '',
      expiryS: agreed?.sessionExpiry ?? 0,
      ...(will && { will }),
    }
  }
}

/** None where the room is not loaded any more, which the client has left then. */
function roomIdOf(core: Core, place: Place): { readonly roomId?: string } {
  const room: Room | undefined = core.rooms.at(place)
  return room ? { roomId: room.record.id } : {}
}

const NOTHING = Buffer.alloc(0)
