/** Letting a member hear: at once, or after what he has missed; and what he is told of it. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import type { BacklogSchema } from '@porthouse/proto/v1/room'
import type { Beginning } from '../../rooms/history/room-history.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/membership.ts'
import { CatchUp, pendingFilters } from '../history/catch-up.ts'
import { earlierFor } from '../history/newcomer.ts'
import type { Session } from '../session.ts'
import type { LastValues } from './waiting.ts'

export interface Listening {
  readonly frameId: number
  readonly member: Membership
  readonly added: readonly string[]
  /** As it was asked for; `` for the room itself. */
  readonly channel: string
  readonly beginning: Beginning | undefined
  /** The last position up to which he has had everything. */
  readonly had: number
  /** See EntryRequest. */
  readonly lastValues?: LastValues
  /** See Past. */
  readonly resumes?: boolean
  /** What was asked for of the past comes, whatever he hears by now; and he hears nothing more. */
  readonly repeats?: boolean
}

/** Says that he is in, and lets him hear what is new: at once, or after what he has missed. */
export function listen(session: Session, room: Room, listening: Listening): void {
  const { frameId, member, channel, beginning, had, lastValues } = listening
  const { resumes = false, repeats = false } = listening
  const isAgain = repeats || (lastValues === 'all' && listening.added.length === 0)
  const filters = isAgain ? [channel] : listening.added
  const { place } = room
  const { after, code } = beginning ?? { after: place.sequence, code: Code.UNSPECIFIED }
  const isNew = filters.length > 0
  const earlier =
    isNew && !repeats ? earlierFor(session, room, member, filters, { had, after, lastValues }) : []
  // Behind one that is still to come, or what both bring would come twice.
  const isBehind = pendingFilters(session, member).length > 0
  if (!isNew || (!beginning && earlier.length === 0 && !isBehind)) {
    for (const each of filters) place.listen(member, each)
    return joined(session, frameId, member, channel)
  }
  const recovered = code === Code.UNSPECIFIED
  joined(session, frameId, member, channel, { recovered, afterSequence: BigInt(after), code })
  const address = channel === '' ? place.address : `${place.address}/${channel}`
  const past = { after, address, earlier, resumes, repeats }
  new CatchUp({ session, room, member, filters, ...past }).begin()
}

/** Tells a socket what it is in, as the answer to its Join or, by id 0, because it changed. */
export function joined(
  session: Session,
  frameId: number,
  member: Membership,
  channel = '',
  backlog?: MessageInitShape<typeof BacklogSchema>,
): void {
  const { place } = member
  // What it has by then it has had: the position that it is told is behind all that.
  member.audience?.flush()
  const value = {
    route: place.route,
    address: channel === '' ? place.address : `${place.address}/${channel}`,
    epoch: BigInt(place.epoch),
    sequence: BigInt(place.sequence),
    maySend: member.senders.length > 0,
    listening: member.filters.size > 0 || (backlog !== undefined && !session.topics),
    revision: session.core.rooms.at(place).record.revision,
    ...(backlog && { backlog }),
  }
  session.send(frameId, { case: 'room', value: { action: { case: 'joined', value } } })
}
