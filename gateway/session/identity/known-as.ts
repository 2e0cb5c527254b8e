/** Whom a socket is known as to others: in one account, or in one room. */
import { clientAddress, isNamed } from '../../locks/proof.ts'
import type { Membership } from '../../router/place.ts'
import type { Session } from '../session.ts'

/**
 * Whom it has proved to be in an account, given by its slug or UUID, as addresses: what it is
 * elsewhere is nobody's business there (A15).
 */
export function knownAs(session: Session, account: string): string[] {
  const { proofs, core } = session
  const addresses = proofs.flatMap(({ account: owner, client, token }) => {
    if (!owner || !isNamed(owner, account)) return []
    return [
      ...(client ? [clientAddress(owner, client)] : []),
      ...(token ? [`token:${token.id}/${core.shares.numberOf(token.id, session)}`] : []),
    ]
  })
  return [...new Set(addresses)]
}

/** Whom its messages are from in a room, as everybody there may see. */
export function heardAs({ senders, socket }: Membership): string[] {
  const names = senders.map(({ actor }) => Buffer.from(actor.from).toString())
  return [...new Set(names)].filter((name) => name !== `socket:${socket.id}`)
}
