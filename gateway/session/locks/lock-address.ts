/** While it lasts, a lock is an address: it joins who waits there with those who decide (R16). */
import type { Lock } from '../../locks/lock.ts'
import { accountIn } from '../../protocol/address.ts'
import { RateLimit } from '../../protocol/rate-limit.ts'
import type { Socket } from '../../router/socket.ts'
import { owns } from '../identity/identity.ts'
import type { Session } from '../session.ts'

/** Messages of one socket from its locks: those inside did not ask for them (K15). */
const CALLS = { perSecond: 1, burst: 16 }

export function reachLock(session: Session, { id, place }: Lock): void {
  const approvers = () => (place === undefined ? [] : approversOf(session, place))
  session.calls ??= new RateLimit(CALLS)
  session.core.router.graph.addLock(id, { socket: session, approvers, rate: session.calls })
}

export function leaveLock(session: Session, id: string): void {
  session.core.router.graph.removeLock(id)
  session.lockAborts?.get(id)?.abort()
  session.lockAborts?.delete(id)
}

/** Those in the room who may let others in, and the account's owners in its lobby. */
export function approversOf({ core }: Session, place: string): Socket[] {
  const account = accountIn(place)
  const room = core.router.graph.placeAt(place)
  const inside = [...(room?.admitters ?? [])].map(({ socket }) => socket)
  const owners = [...core.lobbies.sessionsIn(account)].filter((session) => owns(session, account))
  return [...new Set<Socket>([...inside, ...owners])]
}
