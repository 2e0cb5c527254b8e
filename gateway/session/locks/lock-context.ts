/** What an acceptor is told of the socket and of the lock that it runs (R12). */
import type { LockContext, Place } from '../../locks/acceptor.ts'
import type { LockSpec } from '../../locks/flow.ts'
import type { Values } from '../../locks/lock.ts'
import type { Proof } from '../../locks/proof.ts'
import type { Session } from '../session.ts'

export interface LockFacts {
  /** Of the lock; `` where none is set yet. */
  readonly id: string
  readonly place: string | undefined
  readonly options: unknown
  readonly values: Values
}

export function lockContext(
  session: Session,
  { id, place, options, values }: LockFacts,
  proofs = session.proofs,
): LockContext {
  const { core, address, handshake, urlClient } = session
  return {
    options,
    place: place === undefined ? undefined : placeAt(place),
    lock: id,
    proofs,
    values,
    socket: { address, handshake, ...(urlClient !== undefined && { client: urlClient }) },
    now: core.clock(),
    get signal() {
      return signalOf(session, id)
    },
  }
}

/**
 * Whether some of a socket's proofs resolve a lock of a place: one that was taken by this very
 * lock, or whatever its acceptor recognises.
 */
export function resolves(
  session: Session,
  proofs: readonly Proof[],
  { acceptor, options, key }: LockSpec,
  place: string | undefined,
): boolean {
  if (key !== undefined && proofs.some(({ lock }) => lock?.key === key && lock.place === place)) {
    return true
  }
  const context = lockContext(session, { id: '', place, options, values: {} }, proofs)
  return session.core.acceptors.get(acceptor)?.finished(context) ?? false
}

/** Of a lock that is gone nothing is kept. */
function signalOf(session: Session, lock: string): AbortSignal {
  if (!session.stack.locks.some(({ id }) => id === lock)) return AbortSignal.abort()
  session.lockAborts ??= new Map()
  const abort = session.lockAborts.get(lock) ?? new AbortController()
  session.lockAborts.set(lock, abort)
  return abort.signal
}

/** By its address, which was checked before. */
function placeAt(address: string): Place {
  const [kind, rest = ''] = address.split(':')
  const [account = '', room = ''] = rest.split('/')
  return kind === 'room' ? { address, account, room } : { address, account }
}
