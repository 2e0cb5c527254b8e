/** What those in a room are told of what has changed for them there (R19, R51). */
import { Code } from '@porthouse/proto/v1/code'
import type { Changed } from '@porthouse/proto/v1/room'
import type { Membership } from '../../router/membership.ts'
import { joined } from '../entry/listening.ts'
import { leaveRoom, settle } from '../entry/membership.ts'
import type { Session } from '../session.ts'

/** Settles what a member may do, and tells what he has lost or gained. */
export function settleMember(session: Session, member: Membership): void {
  const { change, ended } = settle(session, member)
  if (change === 'lost') {
    return expel(session, member, Code.ENTRY_NOT_PERMITTED, 'no right in this room any more')
  }
  for (const channel of ended) {
    const address = `${member.place.address}/${channel}`
    tellLeft(session, address, Code.CHANNEL_NOT_PERMITTED, 'no right to listen to it any more')
  }
  if (change === 'changed') joined(session, 0, member, undefined)
}

export function expel(session: Session, member: Membership, code: Code, detail: string): void {
  leaveRoom(session, member)
  tellLeft(session, member.place.address, code, detail)
}

/** The room has another config; what that means for the member's rights is told apart. */
export function tellChanged(
  session: Session,
  value: Pick<Changed, 'address' | 'revision' | 'blocks'>,
): void {
  session.send(0, { case: 'room', value: { action: { case: 'changed', value } } })
}

export function tellLeft(session: Session, address: string, code: Code, detail: string): void {
  const value = { address, code, detail }
  session.send(0, { case: 'room', value: { action: { case: 'left', value } } })
}
