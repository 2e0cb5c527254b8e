/**
 * ListClients: who is connected to an account, in a room of it or in a group of a room, for its
 * owner (R28); of a group also for members of the room who see each other.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type ClientInfo, ClientInfoSchema, type ListClients } from '@porthouse/proto/v1/command'
import { type Address, parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { GroupAddress } from '../entry/groups.ts'
import { heardAs, knownAs } from '../identity/known-as.ts'
import type { Session } from '../session.ts'
import { isSeen, membersNames, socketsByName } from '../walk.ts'
import { inRoom } from './in-room.ts'
import { type Page, pageOf } from './page.ts'
import { checkAfter, ownAccount, unknownTarget } from './permission.ts'

/** Rejects with Refusal, and with StoreError. */
export async function listClients(
  asker: Session,
  { of, after }: ListClients,
): Promise<Page<ClientInfo>> {
  checkAfter(after)
  const sockets = socketsByName(await identitiesIn(asker, parseAddress(of)))
  return pageOf(sockets, after, {
    address: ([address]) => address,
    read: ([address, count]) => create(ClientInfoSchema, { address, sockets: count }),
    bytes: (client) => toBinary(ClientInfoSchema, client).length,
  })
}

/** Of each socket there. */
async function identitiesIn(asker: Session, address: Address): Promise<string[][]> {
  if (address.kind === 'lobby') {
    const { id } = ownAccount(asker, address.account)
    return [...asker.core.accounts.sessionsOf(id)].map((session) => knownAs(session, id))
  }
  if (address.kind === 'group') return identitiesOf(asker, address)
  if (address.kind !== 'room' || address.channel !== undefined) {
    throw new Refusal(Code.ADDRESS_INVALID, "neither a room, a group nor an account's lobby")
  }
  const { account } = address
  ownAccount(asker, account)
  return inRoom(asker, address, ({ room }) =>
    [...room.place.members].filter(isSeen).map((member) => membersNames(member, account)),
  )
}

/** Of each member of a group: to others in the room whom his messages are from, and no more. */
function identitiesOf(asker: Session, { account, room, group: name }: GroupAddress) {
  return inRoom(asker, { kind: 'room', account, room }, ({ room: { config, place }, owner }) => {
    if (!owner && !config.presence) {
      throw new Refusal(Code.COMMAND_NOT_PERMITTED, 'members of this room do not see each other')
    }
    const group = place.groups.get(name)
    if (!group) throw unknownTarget()
    return [...group.members].map((member) =>
      owner ? membersNames(member, account) : heardAs(member),
    )
  })
}
