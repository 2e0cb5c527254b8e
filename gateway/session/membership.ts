/** What a socket may do in a room, settled when it joins (R26), and its coming and going. */
import { Code } from '@porthouse/proto/v1/code'
import type { RoomAddress } from '../protocol/address.ts'
import { Refusal } from '../protocol/codes.ts'
import type { Room } from '../rooms/rooms.ts'
import type { Membership } from '../router/place.ts'
import type { Session } from './session.ts'

/** A wish to enter a room. */
export interface EntryRequest {
  /** Of the Join; 0 where the URL named the room. */
  readonly frameId: number
  /** The channel may hold wildcards. */
  readonly filter: RoomAddress
  /** `ifPermitted`: else enter to send only. */
  readonly listen: 'yes' | 'no' | 'ifPermitted'
  /** The client that the URL says this is. */
  readonly client?: string
}

interface Rights {
  readonly send: boolean
  readonly receive: boolean
}

/**
 * Lets a socket in whose locks are resolved. Throws Refusal where it may not do what it wants
 * there.
 */
export function admit(session: Session, room: Room, request: EntryRequest): Membership {
  const { place } = room
  const rights = rightsIn(session, room)
  const listen = checkRights(session, request, rights)
  const { limits } = session.core.options
  let member = session.memberships.get(place.route)
  if (!member && session.memberships.size >= limits.rooms) {
    throw new Refusal(Code.ROOM_LIMIT, `over ${limits.rooms} rooms`)
  }
  const filter = request.filter.channel ?? ''
  if (
    listen &&
    member &&
    !member.filters.has(filter) &&
    member.filters.size >= limits.subscriptions
  ) {
    throw new Refusal(Code.ROOM_LIMIT, `over ${limits.subscriptions} subscriptions in one room`)
  }
  member ??= join(session, room, rights)
  member.maySend = rights.send
  if (listen) place.listen(member, filter)
  return member
}

function rightsIn(session: Session, { config, record }: Room): Rights {
  if (config.locks.length === 0) return { send: true, receive: true }
  const grants = session.tokens.flatMap((token) =>
    token.grants.filter((grant) => grant.roomId === record.id),
  )
  return {
    send: grants.some((grant) => grant.send),
    receive: grants.some((grant) => grant.receive),
  }
}

/** Whether the socket shall listen. */
function checkRights(session: Session, request: EntryRequest, { send, receive }: Rights): boolean {
  const { listen, client } = request
  if (!send && !receive) throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'no right in this room')
  if (client !== undefined && !isClient(session, client)) {
    throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'the socket is not that client')
  }
  if (listen === 'yes' && !receive) {
    throw new Refusal(Code.RECEIVE_NOT_PERMITTED, 'no right to listen to this room')
  }
  if (listen === 'no' && !send) {
    throw new Refusal(Code.SEND_NOT_PERMITTED, 'no right to send to this room')
  }
  return listen !== 'no' && receive
}

function isClient(session: Session, id: string): boolean {
  return session.tokens.some((token) => token.client?.id === id)
}

function join(session: Session, room: Room, rights: Rights): Membership {
  const member: Membership = {
    socket: session,
    audience: undefined,
    spoke: undefined,
    place: room.place,
    maySend: rights.send,
    index: 0,
    filters: new Set(),
  }
  room.members++
  session.rooms.set(room.place.route, room)
  session.memberships.set(room.place.route, member)
  session.unlocked = true
  return member
}

/** Ends one subscription, or, by the room's own address, the membership. */
export function leave(session: Session, filter: RoomAddress): void {
  const place = session.core.router.graph.place(`${filter.account}/${filter.room}`)
  const member = place && session.memberships.get(place.route)
  if (!member) return
  if (filter.channel === undefined) leaveRoom(session, member)
  else member.place.unlisten(member, filter.channel)
}

export function leaveAll(session: Session): void {
  for (const member of session.memberships.values()) leaveRoom(session, member)
}

function leaveRoom(session: Session, member: Membership): void {
  const { route } = member.place
  const room = session.rooms.get(route) as Room
  member.place.leave(member)
  session.memberships.delete(route)
  session.rooms.delete(route)
  if (session.target?.membership === member) session.target = undefined
  room.members--
  session.core.rooms.release(room)
}
