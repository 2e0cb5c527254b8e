/** A socket's own membership of a room, by the room's names. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import type { Membership } from '../../router/membership.ts'
import type { Session } from '../session.ts'

/** Each a slug or a UUID. */
interface RoomNames {
  readonly account: string
  readonly room: string
}

/** Undefined where the socket is not in it. */
export function memberIn(
  { core, memberships }: Session,
  { account, room }: RoomNames,
): Membership | undefined {
  const place = core.router.graph.place(`${account}/${room}`)
  return place && memberships.get(place.route)
}

/** Throws Refusal where the socket is not in it. */
export function theMemberIn(session: Session, names: RoomNames): Membership {
  const member = memberIn(session, names)
  if (!member) throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'the socket is not in this room')
  return member
}
