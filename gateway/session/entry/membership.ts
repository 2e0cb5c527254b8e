/** What a socket may do in a room, settled when it joins (R26), and its coming and going. */
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { locksIn } from '../../locks/flow.ts'
import type { Proof } from '../../locks/proof.ts'
import type { RoomAddress } from '../../protocol/address.ts'
import { coveredBy, coversFilter } from '../../protocol/channel.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Room } from '../../rooms/rooms.ts'
import {
  freeOf,
  type Membership,
  newMembership,
  type Right,
  type Sender,
} from '../../router/membership.ts'
import type { Place } from '../../router/place.ts'
import { rateOf } from '../../router/place-config.ts'
import type { Rights } from '../../store/store.ts'
import { narrowPending, pendingFilters } from '../history/catch-up.ts'
import { resolves } from '../locks/lock-context.ts'
import type { ProvedActor, Session } from '../session.ts'
import { settleGroups } from './groups.ts'
import { memberIn } from './member-in.ts'
import type { EntryRequest } from './waiting.ts'

/** `ifPermitted`: else enter to send only. `never`: enter with whatever right, and not listen. */
export type Listen = 'yes' | 'no' | 'ifPermitted' | 'never'

/** What of a room decides who may do what there. */
export type RoomFacts = Pick<Room, 'record' | 'config' | 'place'>

/** What a socket may do in a room. */
export interface RoomRights {
  readonly senders: readonly Sender[]
  readonly hears: readonly string[]
  readonly mayAdmit: boolean
}

const ALL: Rights = { send: true, receive: true, admit: true, channels: [] }
const OWNERS: readonly Rights[] = [ALL]
const OPEN: Rights = { send: true, receive: true, admit: false, channels: [] }

/**
 * Lets a socket in whose locks are resolved; to listen is its own step. Throws Refusal where it may
 * not do what it wants there.
 */
export function admit(
  session: Session,
  room: Room,
  filter: RoomAddress,
  { listen, byTopic }: Pick<EntryRequest, 'listen' | 'byTopic'>,
): Admitted {
  const { place } = room
  if (room.forgotten) throw new Refusal(Code.ROOM_UNKNOWN, 'no such room')
  const rights = rightsIn(session, room)
  const asked = filtersFor(rights, place, filter.channel ?? '', listen)
  const filters = session.topics && !byTopic ? [] : asked
  const { limits } = session.core.options
  let member = session.memberships.get(place.route)
  if (!member && session.memberships.size >= limits.rooms) {
    throw new Refusal(Code.ROOM_LIMIT, `over ${limits.rooms} rooms`, 'setting limits.rooms')
  }
  if (!member && !session.unseen) checkVacancy(room)
  const pending = member ? pendingFilters(session, member) : []
  const heard = new Set([...(member?.filters ?? []), ...pending])
  const added = filters.filter((each) => !heard.has(each))
  if (added.length > 0 && heard.size + added.length > limits.subscriptions) {
    throw new Refusal(Code.ROOM_LIMIT, `over ${limits.subscriptions} subscriptions in one room`)
  }
  const joins = !member
  member ??= join(session, room)
  if (joins && session.cameBy !== undefined) room.sessionHistory?.adopt(member, session.cameBy)
  grant(session, member, rights)
  if (joins) session.core.technical.at(session, { kind: EventKind.JOINED, place: place.address })
  if (joins) room.program?.joined(member)
  return { member, added }
}

/** Throws Refusal ROOM_FULL where no more may be in it. Who has no connection takes no place. */
export function checkVacancy({ config, place }: Pick<Room, 'config' | 'place'>) {
  const { sockets } = config.limits
  if (sockets === undefined || place.occupancy.room.sockets < sockets) return
  const decidedBy = place.line('limits', 'sockets')
  throw new Refusal(Code.ROOM_FULL, `the room has ${sockets} sockets`, decidedBy)
}

/** Who was let in, and what he wants to listen to and does not yet. */
export interface Admitted {
  readonly member: Membership
  readonly added: readonly string[]
}

/** The one place where it is decided what a socket may do in a room. */
export function rightsIn(session: Session, room: RoomFacts): RoomRights {
  const { actors, proofs } = session
  const senders: Sender[] = []
  const hears: string[] = []
  let mayAdmit = false
  const give = (
    actor: ProvedActor,
    { send, receive, admit, channels }: Rights,
    right: Right,
    holder = actor.principal,
  ) => {
    if (send) senders.push({ actor, from: actor.from, channels, right, holder })
    if (receive) hears.push(...(channels.length > 0 ? channels : ['']))
    mayAdmit ||= admit
  }
  const { place } = room
  const { flow, visitors } = room.config
  let named = false
  if (!flow) for (const actor of actors) give(actor, OPEN, 'open', place.line('access'))
  for (const proof of proofs) {
    const granted = grantsIn(room, proof)
    named ||= granted.length > 0
    const { token } = proof
    const right = granted === OWNERS ? 'owner' : token ? 'token' : 'client'
    for (const rights of granted) give(actorOf(session, proof), rights, right, token?.id)
  }
  // Rights by name win, also where they are fewer (decision 9).
  const visitor = named ? undefined : visitorIn(session, room)
  if (visitor) give(visitor, visitors, 'visitor', place.line('access', 'visitors'))
  return { senders, hears, mayAdmit }
}

function grantsIn({ record, place }: RoomFacts, proof: Proof): readonly Rights[] {
  if (proof.owner && proof.account?.id === record.account.id) return OWNERS
  if (proof.place !== undefined && proof.place !== place.address) return []
  return proof.grants.filter(({ roomId }) => roomId === record.id)
}

/** Who has what a proof gives; of one that proves nobody, whoever the socket is. */
function actorOf({ actors }: Session, proof: Proof): ProvedActor {
  return actors.find((actor) => actor.proof === proof) ?? (actors[0] as ProvedActor)
}

/** As whom the socket is a visitor, if it is one; its locks are resolved. */
function visitorIn(session: Session, room: RoomFacts): ProvedActor | undefined {
  const { flow, visited } = room.config
  if (!flow || visited) return flow && session.actors[0]
  const proof = session.proofs.find((each) => letsVisit(session, room, each))
  return proof && actorOf(session, proof)
}

/** Whether a proof resolves a lock of this very room, and says nothing of rights in it. */
function letsVisit(session: Session, { place, config, record }: RoomFacts, proof: Proof): boolean {
  if (proof.grants.some(({ roomId }) => roomId === record.id)) return false
  if (proof.place !== undefined ? proof.place !== place.address : !proof.visitor) return false
  if (!config.flow) return false
  return locksIn(config.flow).some(
    (lock) => lock.acceptor === proof.acceptor && resolves(session, [proof], lock, place.address),
  )
}

/** What to listen to: nothing, what was asked, or what of it is permitted. */
export function filtersFor(
  { senders, hears, mayAdmit }: RoomRights,
  place: Place,
  asked: string,
  listen: Listen,
) {
  const maySend = senders.length > 0
  if (!maySend && hears.length === 0 && !mayAdmit) {
    throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'no right in this room', place.line('access'))
  }
  if (listen === 'never') return []
  if (listen === 'no') {
    if (maySend) return []
    const detail = 'no right to send to this room'
    throw new Refusal(Code.SEND_NOT_PERMITTED, detail, place.line('access'))
  }
  if (coveredBy(hears, asked)) return [asked]
  if (listen === 'ifPermitted') {
    const narrower = hears.filter((each) => coversFilter(asked, each))
    if (narrower.length > 0 || maySend) return narrower
  }
  if (hears.length > 0) {
    throw new Refusal(Code.CHANNEL_NOT_PERMITTED, 'no right to listen to all of that')
  }
  throw new Refusal(Code.RECEIVE_NOT_PERMITTED, 'no right to listen to this room')
}

function join(session: Session, room: Room): Membership {
  const member = newMembership(session, room.place)
  member.rate = rateOf(room.config)
  room.members++
  room.place.members.add(member)
  session.memberships.set(room.place.route, member)
  session.unlock()
  return member
}

function grant(
  session: Session,
  member: Membership,
  { senders, hears, mayAdmit }: RoomRights,
): void {
  // Copies have no room to grow, which would be more than what is in them (G10).
  member.senders = senders.slice()
  member.free = freeOf(senders)
  member.hears = hears.slice()
  if (session.unseen) return
  if (mayAdmit && !member.mayAdmit) session.core.knocks.arrived(session)
  member.mayAdmit = mayAdmit
  if (mayAdmit) member.place.admitters.add(member)
  else member.place.admitters.delete(member)
  session.core.presence.settled(member)
  settleGroups(session, member)
  session.changed()
}

/** What changed for a member whose rights were settled anew (R51). */
export interface RightsChange {
  readonly change: 'none' | 'changed' | 'lost'
  /** Channels, or filters of them, that he listened to and may no longer hear. */
  readonly ended: readonly string[]
}

/**
 * Settles a member's rights anew: what he may no longer hear he no longer listens to, and where no
 * right is left the membership is to be ended.
 */
export function settle(session: Session, member: Membership): RightsChange {
  const rights = rightsIn(session, session.core.rooms.at(member.place))
  const { senders, hears, mayAdmit } = rights
  const couldSend = member.senders.length > 0
  const mayHear = (filter: string) => coveredBy(hears, filter)
  const filters = [...member.filters, ...pendingFilters(session, member)]
  const ended = filters.filter((filter) => !mayHear(filter))
  for (const filter of ended) member.place.unlisten(member, filter)
  narrowPending(session, member, mayHear)
  grant(session, member, rights)
  const again = regained(session, member)
  for (const filter of again) member.place.listen(member, filter)
  const maySend = senders.length > 0
  if (!maySend && hears.length === 0 && !mayAdmit) return { change: 'lost', ended }
  // Of the room itself, and of whether he listens at all, a Joined tells.
  const channels = ended.filter((filter) => filter !== '')
  const endsAll = ended.length > 0 && (member.filters.size === 0 || channels.length < ended.length)
  const listens = endsAll || again.length > 0
  return { change: maySend !== couldSend || listens ? 'changed' : 'none', ended: channels }
}

/** What he has subscribed to by topics, and may hear again. */
export function regained({ topics }: Session, { place, filters, hears }: Membership): string[] {
  const wanted = topics ? [...topics.wantedIn(place.name)] : []
  return wanted.filter((filter) => !filters.has(filter) && coveredBy(hears, filter))
}

/** Ends one subscription, or, by the room's own address, the membership. */
export function leave(session: Session, filter: RoomAddress): void {
  const member = memberIn(session, filter)
  if (!member) return
  if (filter.channel === undefined) leaveRoom(session, member)
  else {
    member.place.unlisten(member, filter.channel)
    narrowPending(session, member, (each) => each !== filter.channel)
    session.changed()
  }
}

export function leaveAll(session: Session): void {
  for (const member of session.memberships.values()) leaveRoom(session, member)
}

export function leaveRoom(session: Session, member: Membership): void {
  const { place } = member
  const room = session.core.rooms.at(place)
  const { endCode: code } = session
  session.core.technical.at(session, { kind: EventKind.LEFT, place: place.address, code })
  session.core.presence.left(member)
  narrowPending(session, member, () => false)
  room.program?.left(member)
  room.sessionHistory?.left(member, session.core.resumes.grace(session))
  place.leave(member)
  session.memberships.delete(place.route)
  const { target } = session
  if (target?.kind === 'room' && target.membership === member) session.target = undefined
  room.members--
  session.core.rooms.release(room)
}
