/** Takes a socket to a room, as others ask: a room's program, an administrator (R11, R25). */
import { Code } from '@porthouse/proto/v1/code'
import type { RoomAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Membership } from '../../router/membership.ts'
import { tellLeft } from '../live/tell.ts'
import type { Session } from '../session.ts'
import { enter } from './entry.ts'
import { joined } from './listening.ts'
import { memberIn } from './member-in.ts'
import { leaveRoom } from './membership.ts'

export interface Move {
  readonly target: RoomAddress
  /** It leaves this one once it is in the other. */
  readonly from?: Membership | undefined
  /** Told to it, for a person. */
  readonly by: string
}

/**
 * As if it had asked for that itself: with its own rights, and through the room's locks. Resolves
 * when it is in, is refused or stands at a lock, and `done` is told how that ends; where it goes
 * before, it never is. Rejects with Refusal ROOM_UNKNOWN, and with StoreError.
 */
export async function move(
  session: Session,
  { target, from, by }: Move,
  done: (refusal: Refusal | undefined) => void,
): Promise<void> {
  const { rooms } = session.core
  // A stranger would meet a lock there; whoever moves it may know that there is none.
  const room = await rooms.open(target.account, target.room)
  if (!room) throw new Refusal(Code.ROOM_UNKNOWN, 'no such room')
  rooms.release(room)
  if (session.closed) return
  enter(session, {
    frameId: 0,
    target,
    listen: 'ifPermitted',
    done(refusal) {
      if (!refusal) arrived(session, target, from, by)
      done(refusal)
    },
  })
}

function arrived(
  session: Session,
  target: RoomAddress,
  from: Membership | undefined,
  by: string,
): void {
  const member = memberIn(session, target)
  if (!member || member === from) return
  joined(session, 0, member, undefined)
  if (!from) return
  const wasTarget = session.target?.kind === 'room' && session.target.membership === from
  if (session.memberships.get(from.place.route) === from) {
    leaveRoom(session, from)
    tellLeft(session, from.place.address, Code.UNSPECIFIED, by)
  }
  if (wasTarget) session.target = { kind: 'room', membership: member, channel: '' }
}
