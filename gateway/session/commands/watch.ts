/** Watch: asks for events of the technical channel (R10). */
import { Code } from '@porthouse/proto/v1/code'
import type { Watch } from '@porthouse/proto/v1/command'
import { clientAddress } from '../../locks/proof.ts'
import { formatAddress, parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Session } from '../session.ts'
import type { Scope } from '../technical/watches.ts'
import { ownAccount, unknownTarget } from './permission.ts'

/** Throws Refusal. */
export function watch(session: Session, { of, stop }: Watch): void {
  const { technical, knocks } = session.core
  const scopes = scopesOf(session, of)
  if (stop) return technical.watches.remove(session, scopes)
  technical.watches.add(session, scopes)
  knocks.arrived(session)
}

function scopesOf(session: Session, of: string): Scope[] {
  if (of === '') return ['rooms']
  const address = parseAddress(of)
  if (address.kind === 'lobby') {
    const { slug, id } = ownAccount(session, address.account)
    return [`account:${slug}`, `account:${id}`]
  }
  if (address.kind !== 'client') throw new Refusal(Code.ADDRESS_INVALID, 'cannot be watched')
  const name = session.names.get(formatAddress(address))
  const own = session.proofs.find(
    ({ account, client }) => account && client && clientAddress(account, client) === name,
  )
  if (own?.client) return [`client:${own.client.id}`]
  if (!session.accounts.has(address.account)) throw unknownTarget()
  throw new Refusal(Code.COMMAND_NOT_PERMITTED, 'the socket is not that client')
}
