/** Questions about a room, by those in it who may listen and by the account that owns it. */
import { Code } from '@porthouse/proto/v1/code'
import type { RoomAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Room } from '../../rooms/rooms.ts'
import { owns } from '../identity/identity.ts'
import type { Session } from '../session.ts'
import { inOpenRoom } from '../walk.ts'
import { ownAccount, unknownTarget } from './permission.ts'

/** As whom somebody asks: its owner, or a member by what he may hear. */
export interface Asked {
  readonly room: Room
  readonly owner: boolean
  /** Filters. */
  readonly hears: readonly string[]
}

/**
 * Answers about a room. Rejects with Refusal: TARGET_UNKNOWN or COMMAND_NOT_PERMITTED for whoever
 * is neither in it nor its owner, RECEIVE_NOT_PERMITTED for a member who may not listen; and with
 * StoreError.
 */
export async function inRoom<T>(
  asker: Session,
  { account, room: name }: RoomAddress,
  answer: (asked: Asked) => T,
): Promise<T> {
  const { rooms, router } = asker.core
  const place = router.graph.place(`${account}/${name}`)
  const member = place && asker.memberships.get(place.route)
  const owner = owns(asker, account)
  if (place && member && !owner) {
    if (member.hears.length === 0) {
      throw new Refusal(Code.RECEIVE_NOT_PERMITTED, 'no right to listen to this room')
    }
    return answer({ room: rooms.at(place), owner, hears: member.hears })
  }
  ownAccount(asker, account)
  const all = { owner: true, hears: [''] }
  const answered = await inOpenRoom(asker.core, { account, room: name }, (room) => {
    return { answer: answer({ room, ...all }) }
  })
  if (!answered) throw unknownTarget()
  return answered.answer
}
