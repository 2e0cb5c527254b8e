/** Who reads in a room without a socket: in it, unseen, as a socket of his would be (A17). */

import { Code } from '@porthouse/proto/v1/code'
import type { RoomAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Room } from '../../rooms/rooms.ts'
import { authorOf } from '../../session/posts/author.ts'
import type { Session } from '../../session/session.ts'
import { theAccount } from '../accounts.ts'
import type { Call } from '../calls/call.ts'
import { theLive } from '../live.ts'
import { ROOM, segments, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'

export interface Reader {
  readonly session: Session
  readonly room: Room
  readonly target: RoomAddress
}

/** Does something in a room in the caller's name. Rejects with Refusal where he may not be in. */
export async function inRoom<T>(
  parts: AdminParts,
  { principal }: Call,
  parent: string,
  does: (reader: Reader) => Promise<T>,
): Promise<T> {
  const { posters, core } = theLive(parts)
  const [account = '', room = ''] = segments(ROOM, parent, 'parent')
  const owner = principal.account ?? (await theAccount(parts.store.accounts, `accounts/${account}`))
  const target = { kind: 'room' as const, account, room }
  return posters.run(authorOf(principal, owner), async (poster) => {
    const member = await poster.enters(target).catch((error: unknown) => {
      const isUnknown = error instanceof Refusal && error.code === Code.ROOM_UNKNOWN
      throw isUnknown ? unknownResource(parent) : error
    })
    return does({ session: poster.session, room: core.rooms.at(member.place), target })
  })
}
