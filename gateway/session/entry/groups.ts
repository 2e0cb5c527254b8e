/** Who is in which groups of a room: by its config, and by a Join (R27). */
import { Code } from '@porthouse/proto/v1/code'
import type { Address } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { GroupConfig } from '../../rooms/config.ts'
import type { Group } from '../../router/groups.ts'
import type { Membership } from '../../router/membership.ts'
import type { Session } from '../session.ts'
import { memberIn, theMemberIn } from './member-in.ts'

export type GroupAddress = Extract<Address, { kind: 'group' }>

/** A group, and the room in which it is. */
export interface GroupIn {
  readonly group: Group
  readonly member: Membership
  /** In slugs. */
  readonly address: string
}

/**
 * Settles a member's groups anew, and tells him which ones a changed config has ended for him. Who
 * may not hear the room hears none of its groups either.
 */
export function settleGroups(session: Session, member: Membership): void {
  const { place, hears } = member
  for (const name of place.groups.takeEnded(member)) {
    const address = `group:${place.name}/${name}`
    const value = { address, code: Code.ENTRY_NOT_PERMITTED, detail: 'it is closed, or gone' }
    session.send(0, { case: 'room', value: { action: { case: 'left', value } } })
  }
  const { config, record } = session.core.rooms.at(place)
  if (hears.length === 0) return place.groups.remove(member)
  if (config.groups.length === 0) return
  const own = session.proofs.flatMap(({ account, client }) =>
    account?.id === record.account.id && client ? [client.slug, client.id] : [],
  )
  for (const group of config.groups) {
    const clients = clientsOf(group)
    const appointed = own.some((each) => clients.has(each))
    place.groups.get(group.name)?.appoint(member, appointed)
  }
}

/** There may be many, and each join asks. */
const setsOfClients = new WeakMap<GroupConfig, ReadonlySet<string>>()

function clientsOf(group: GroupConfig): ReadonlySet<string> {
  let clients = setsOfClients.get(group)
  if (!clients) {
    // UUIDs may be written in either case, and slugs are in lower case.
    clients = new Set(group.clients.map((each) => each.toLowerCase()))
    setsOfClients.set(group, clients)
  }
  return clients
}

/**
 * Adds a socket to an open group of a room that it is in; in one that the config has it in it is
 * already. Throws Refusal.
 */
export function joinGroup(session: Session, address: GroupAddress): GroupIn {
  const found = groupAt(session, address)
  const { group, member } = found
  if (member.hears.length === 0) {
    throw new Refusal(Code.RECEIVE_NOT_PERMITTED, 'no right to listen to this room')
  }
  if (group.has(member)) return found
  if (!group.terms.open) {
    throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'the group is not open')
  }
  group.join(member)
  return found
}

/**
 * Takes a socket out of a group, if it is in it. Throws Refusal: out of one that the config has it
 * in there is no way but out of the room.
 */
export function leaveGroup(session: Session, address: GroupAddress): void {
  const member = memberIn(session, address)
  const group = member?.place.groups.get(address.group)
  if (!member || !group) return
  group.leave(member)
  if (group.has(member)) {
    throw new Refusal(Code.ENTRY_NOT_PERMITTED, "the room's config has its client in the group")
  }
}

function groupAt(session: Session, target: GroupAddress): GroupIn {
  const member = theMemberIn(session, target)
  const { place } = member
  const group = place.groups.get(target.group)
  if (!group) throw new Refusal(Code.TARGET_UNKNOWN, 'the room has no such group')
  return { group, member, address: `group:${place.name}/${target.group}` }
}
