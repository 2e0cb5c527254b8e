/** ListMembers: who is in a room, by what names its members know them (R23). */
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import {
  type ListMembers,
  MemberSchema,
  type Members,
  MembersSchema,
} from '@porthouse/proto/v1/room'
import { parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Session } from '../session.ts'
import { inRoom } from './in-room.ts'
import { PAGE_MAX, pageOf } from './page.ts'
import { checkAfter } from './permission.ts'

/**
 * As of the last frame of changes: with those that follow it is what is. Rejects as inRoom does,
 * and with COMMAND_NOT_PERMITTED where members do not see each other.
 */
export async function listMembers(asker: Session, { of, after }: ListMembers): Promise<Members> {
  checkAfter(after)
  const address = parseAddress(of)
  if (address.kind !== 'room' || address.channel !== undefined) {
    throw new Refusal(Code.ADDRESS_INVALID, 'not a room')
  }
  return inRoom(asker, address, ({ room, owner }) => {
    if (!owner && !room.config.presence) {
      throw new Refusal(Code.COMMAND_NOT_PERMITTED, 'members of this room do not see each other')
    }
    const { names, memberOf } = asker.core.presence.listing(room.place)
    const first = firstAfter(names, after)
    const { entries: members, more } = pageOf(names.slice(first, first + PAGE_MAX + 1), after, {
      address: (name) => name,
      read: memberOf,
      bytes: (member) => toBinary(MemberSchema, member).length,
    })
    return create(MembersSchema, { members, more, count: names.length })
  })
}

/** Position of the first of sorted names after this one. */
function firstAfter(names: readonly string[], after: string): number {
  let [low, high] = [0, names.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((names[middle] as string) <= after) low = middle + 1
    else high = middle
  }
  return low
}
