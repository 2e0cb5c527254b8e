/** Steps through the graph of who is connected, from any end (R28), by commands and by others. */
import type { RoomAddress } from '../protocol/address.ts'
import type { Room } from '../rooms/rooms.ts'
import type { Membership } from '../router/membership.ts'
import type { Core } from './core.ts'
import { heardAs, knownAs } from './identity/known-as.ts'
import type { Session } from './session.ts'

/** Memberships of these sockets, by the route of their room, as far as they are to be known. */
export function membershipsOf(
  sockets: Iterable<Session>,
  isKnown: (member: Membership) => boolean,
): Map<number, Membership[]> {
  const found = new Map<number, Membership[]>()
  for (const { memberships } of sockets) {
    for (const [route, member] of memberships) {
      if (!isKnown(member)) continue
      const others = found.get(route)
      if (others) others.push(member)
      else found.set(route, [member])
    }
  }
  return found
}

/** Whether it is a socket, and not somebody who only posts there over HTTP. */
export function isSeen({ socket }: Pick<Membership, 'socket'>): boolean {
  return !(socket as Session).unseen
}

/** Whom a member is known as to the account that the room is of, by its slug or UUID. */
export function membersNames(member: Membership, account: string): string[] {
  return [...knownAs(member.socket as Session, account), ...heardAs(member)]
}

/** How many sockets each name has; `all`: the names of one socket each. */
export function socketsByName(all: Iterable<readonly string[]>): Map<string, number> {
  const sockets = new Map<string, number>()
  for (const names of all) {
    for (const name of new Set(names)) sockets.set(name, (sockets.get(name) ?? 0) + 1)
  }
  return sockets
}

/**
 * Answers about a room, which is loaded for that where it is not; undefined where there is none.
 * Rejects with StoreError.
 */
export async function inOpenRoom<T>(
  { rooms }: Core,
  { account, room: name }: Pick<RoomAddress, 'account' | 'room'>,
  answer: (room: Room) => T,
): Promise<T | undefined> {
  const room = await rooms.open(account, name)
  if (!room) return undefined
  try {
    return answer(room)
  } finally {
    rooms.release(room)
  }
}
