/** Which sockets are somebody's business, by the accounts that he is of (R8, A15). */
import { accountIn } from '../../protocol/address.ts'
import type { Session } from '../session.ts'

/** Whether he is of an account, given by its slug. */
export type OfAccount = (account: string) => boolean

/** Whether he may know that there is such a socket: it is somebody in his accounts, or is there. */
export function isNear(session: Session, of: OfAccount): boolean {
  for (const account of session.accounts) if (of(account)) return true
  return isInRoomOf(session, of)
}

/**
 * Whether it is a socket of an account that he speaks for: somebody in it, or nobody anywhere, and
 * in one of its rooms. Who is somebody elsewhere alone is only a guest.
 */
export function isOwned(session: Session, of: OfAccount): boolean {
  if (session.accounts.size > 0) return [...session.accounts].some(of)
  return isInRoomOf(session, of)
}

/** Whether it stands at a lock of his accounts. */
export function isAtDoorOf({ stack }: Session, of: OfAccount): boolean {
  return stack.locks.some(({ place }) => place !== undefined && of(accountIn(place)))
}

function isInRoomOf({ memberships }: Session, of: OfAccount): boolean {
  return [...memberships.values()].some(({ place }) => of(accountIn(place.address)))
}
