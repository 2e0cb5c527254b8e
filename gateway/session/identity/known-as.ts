/** Whom a socket is known as to others: in one account, or in one room. */
import { clientAddress, isNamed } from '../../locks/proof.ts'
import { accountIn } from '../../protocol/address.ts'
import type { Membership } from '../../router/membership.ts'
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

/**
 * By what one name the others in a room know him: what his messages there are from, or would be if
 * he might send; a client before a token's connection, and the socket where it is neither.
 */
export function memberName(member: Membership): string {
  const session = member.socket as Session
  // Nearly all who come to an open room, and they come in masses.
  if (session.proofs.length === 0) return session.address
  const account = accountIn(member.place.address)
  const own = session.actors.flatMap(({ proof, from }) => {
    const isOfRoom = proof?.account && isNamed(proof.account, account)
    return isOfRoom ? [Buffer.from(from).toString()] : []
  })
  const names = [...heardAs(member), ...own].filter((name) => name !== session.address)
  return names.find((name) => name.startsWith('client:')) ?? names[0] ?? session.address
}
