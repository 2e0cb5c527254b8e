/** A subscription of a session that is away, as its room looks at it. */
import { matchesAny } from '../../../protocol/channel.ts'
import type { MqttSubscription } from '../../../store/mqtt-sessions.ts'
import { parseTopicFilter } from '../mapping/filter.ts'
import { MqttError } from '../wire/mqtt-error.ts'

export interface AwaySubscription {
  readonly topic: string
  /** See matchesChannel. */
  readonly filters: readonly string[]
  readonly qos: 1 | 2
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number | undefined
  /** It goes on from a position, where its room keeps a history. */
  readonly isPlaced: boolean
}

/**
 * Undefined for one for which nothing is kept: of QoS 0, of a reserved topic, or shared, whose
 * messages go to those of its group who are there.
 */
export function awaySubscription(stored: MqttSubscription): AwaySubscription | undefined {
  const { topic, qos, noLocal = false, retainAsPublished = false, identifier, position } = stored
  const filters = filtersOf(topic)
  if (qos === 0 || !filters) return undefined
  return {
    topic,
    filters,
    qos,
    noLocal,
    retainAsPublished,
    identifier,
    isPlaced: position !== undefined,
  }
}

function filtersOf(topic: string): readonly string[] | undefined {
  try {
    const filter = parseTopicFilter(topic)
    return filter.kind === 'room' && filter.group === undefined ? filter.filters : undefined
  } catch (error) {
    // Stored by a version that took it.
    if (error instanceof MqttError) return undefined
    throw error
  }
}

/** What those subscriptions of one session that match a channel come to. */
export interface Match {
  readonly key: string
  /** The highest. */
  readonly qos: 1 | 2
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifiers: readonly number[]
}

export function matchOf(
  key: string,
  subscriptions: readonly AwaySubscription[],
  channel: string,
): Match | undefined {
  const matching = subscriptions.filter(({ filters }) => matchesAny(filters, channel))
  if (matching.length === 0) return undefined
  return {
    key,
    qos: matching.some(({ qos }) => qos === 2) ? 2 : 1,
    noLocal: matching.every(({ noLocal }) => noLocal),
    retainAsPublished: matching.some((each) => each.retainAsPublished),
    identifiers: matching.flatMap(({ identifier }) => identifier ?? []),
  }
}

/** By the rooms' UUIDs. */
export function awayByRoom(stored: readonly MqttSubscription[]): Map<string, AwaySubscription[]> {
  const rooms = new Map<string, AwaySubscription[]>()
  for (const each of stored) {
    const subscription = awaySubscription(each)
    if (!subscription || each.roomId === undefined) continue
    rooms.set(each.roomId, [...(rooms.get(each.roomId) ?? []), subscription])
  }
  return rooms
}
