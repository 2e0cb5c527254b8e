/** A subscription as an edge of the graph: entering its room, and hearing channels of it. */
import { Code } from '@porthouse/proto/v1/code'
import type { RoomAddress } from '../../protocol/address.ts'
import { coveredBy, ROOM_ALONE } from '../../protocol/channel.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Membership } from '../../router/membership.ts'
import { enter, leavePlace } from '../../session/entry/entry.ts'
import { memberIn } from '../../session/entry/member-in.ts'
import type { EntryRequest, LastValues } from '../../session/entry/waiting.ts'
import type { Session } from '../../session/session.ts'
import type { MqttConnection } from './connection.ts'
import type { Subscription } from './delivery/subscriptions.ts'
import type { TopicFilter } from './mapping/filter.ts'

export type RoomFilter = Extract<TopicFilter, { kind: 'room' }>

/** Resolves when it hears what it asked for; rejects with Refusal where it may not. */
export async function join(
  connection: MqttConnection,
  { account, room, filters }: RoomFilter,
  subscription: Subscription,
  lastValues: LastValues,
): Promise<void> {
  const { session, subscriptions, parts } = connection
  const before = subscriptions.get(subscription.topic)
  const { subscriptions: most } = parts.core.options.limits
  // A room counts what it is asked for once, which the names of groups are no part of (L4).
  if (!before && subscriptions.size >= most) {
    throw new Refusal(Code.ROOM_LIMIT, `over ${most} subscriptions`)
  }
  // It counts from the first message on that the room delivers, which may be before the answer.
  const member = session && memberIn(session, { account, room })
  subscription.place = member?.place.name ?? subscription.place
  subscriptions.set(subscription)
  try {
    if (subscription.group !== undefined) return await share(connection, subscription, filters)
    for (const filter of filters) {
      const channel = filter === '' ? {} : { channel: filter }
      const target = { kind: 'room', account, room, ...channel } as const
      const request = { target, listen: 'yes', lastValues, byTopic: true } as const
      await entered(connection, request, subscription)
    }
    subscription.isHeard = true
    if (hasEnded(connection, subscription)) stopListening(connection, subscription.place)
  } catch (error) {
    if (hasEnded(connection, subscription)) throw error
    if (before) subscriptions.set(before)
    else subscriptions.delete(subscription.topic)
    throw error
  }
}

/** It was unsubscribed, or asked for anew, while it was on its way. */
function hasEnded({ subscriptions }: MqttConnection, subscription: Subscription): boolean {
  return subscriptions.get(subscription.topic) !== subscription
}

/** In a group it is the group that listens, and each of its subscribers is in the room. */
async function share(
  connection: MqttConnection,
  subscription: Subscription,
  filters: readonly string[],
): Promise<void> {
  const [account = '', room = ''] = subscription.place.split('/')
  const target = { kind: 'room', account, room } as const
  const member = await entered(connection, { target, listen: 'ifPermitted' }, subscription)
  if (!filters.every((filter) => coveredBy(member.hears, filter))) {
    throw new Refusal(Code.RECEIVE_NOT_PERMITTED, 'no right to listen to all of that')
  }
  if (hasEnded(connection, subscription)) return
  connection.parts.shares.add(connection, subscription, member)
}

/** Rejects with Refusal. */
function entered(
  connection: MqttConnection,
  request: Omit<EntryRequest, 'frameId' | 'target'> & { readonly target: RoomAddress },
  subscription: Subscription,
): Promise<Membership> {
  const { session, conversation, parts } = connection
  const { target } = request
  if (!session) return Promise.reject(new Refusal(Code.INTERNAL, 'no session'))
  const past = parts.kept.pastOf(connection, subscription)
  return new Promise((resolve, reject) => {
    conversation.ask(
      (frameId) => {
        const { meetsLocks } = conversation
        enter(session, { ...request, frameId, meetsLocks, ...(past && { past }) })
      },
      ({ body }) => {
        if (body.case === 'drop') reject(new Refusal(body.value.code, body.value.detail))
        else if (body.case === 'lockStep') return meetsLock(connection, session, target, reject)
        else {
          const member = memberIn(session, target)
          subscription.place = member?.place.name ?? subscription.place
          connection.subscriptions.settled()
          if (member) resolve(member)
          else reject(new Refusal(Code.ROOM_UNKNOWN, 'no such room'))
        }
        return true
      },
    )
  })
}

/** The room is locked: who hears of the challenge goes on waiting; nobody else could answer it. */
function meetsLock(
  { conversation }: MqttConnection,
  session: Session,
  target: RoomAddress,
  reject: (refusal: Refusal) => void,
): boolean {
  if (conversation.hears('lock')) return false
  leavePlace(session, target)
  reject(new Refusal(Code.ENTRY_NOT_PERMITTED, 'the room is locked'))
  return true
}

/** Ends what no subscription of the session wants any more: filters, or the membership. */
export function stopListening(connection: MqttConnection, name: string): void {
  const [account = '', room = ''] = name.split('/')
  const { session, subscriptions } = connection
  const member = session && memberIn(session, { account, room })
  if (!session || !member) return
  const wanted = subscriptions.filtersIn(name)
  for (const each of member.filters) {
    const isWanted = wanted.has(each) || subscriptions.isGiven(member, each)
    if (!isWanted) member.place.unlisten(member, each)
  }
  session.changed()
  if (!subscriptions.isIn(name)) leavePlace(session, { kind: 'room', account, room })
}

/**
 * Whether a message that was kept for it under a topic may be heard now (A8). One whose delivery
 * has begun goes on where the client has unsubscribed itself [MQTT-3.10.4-3], and not where it may
 * not hear any more what it had subscribed to.
 */
export function mayHear(connection: MqttConnection, topic: string, wasSent: boolean): boolean {
  const { session, subscriptions, subscribing } = connection
  const [account = '', room = '', ...levels] = topic.split('/')
  const member = session && memberIn(session, { account, room })
  if (wasSent && !subscribing.wasRefused && !subscriptions.isIn(`${account}/${room}`)) return true
  if (!member) return false
  const channel = levels.join('/')
  const isWanted = wasSent || subscriptions.hears(member.place.name, channel)
  return isWanted && coveredBy(member.hears, channel === '' ? ROOM_ALONE : channel)
}
