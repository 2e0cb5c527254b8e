/** Room from a client: join and leave, its history and its members. */
import { Code } from '@porthouse/proto/v1/code'
import { type Join, type Leave, type ListMembers, RoomSchema } from '@porthouse/proto/v1/room'
import { parseAddress, parsePlace } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import { answerList } from '../commands/answer.ts'
import { listMembers } from '../commands/members.ts'
import { enter, leavePlace } from '../entry/entry.ts'
import { type GroupAddress, joinGroup, leaveGroup } from '../entry/groups.ts'
import { pastOf } from '../history/backlog.ts'
import { moveCursor } from '../history/cursor.ts'
import { fetchHistory } from '../history/fetch.ts'
import { joinOwnChannel } from '../history/own-channel.ts'
import type { Session } from '../session.ts'
import { decode } from './decode.ts'

export function handleRoom(session: Session, frame: ScannedFrame): void {
  const { action } = decode(RoomSchema, frame)
  if (action.case === 'join') return join(session, frame.id, action.value)
  if (action.case === 'leave') return leave(session, frame.id, action.value)
  if (action.case === 'listMembers') return members(session, frame.id, action.value)
  if (action.case === 'fetch') return fetchHistory(session, frame.id, action.value)
  if (action.case === 'cursor') return moveCursor(session, frame.id, action.value)
  if (action.case === undefined) {
    if (frame.id !== 0) session.refuse(frame.id, Code.UNIMPLEMENTED, 'no action known here')
    return
  }
  throw new Refusal(Code.FRAME_NOT_ALLOWED, 'a room action that only a gateway sends')
}

const GROUP = 'group:'
const CLIENT = 'client:'

function join(session: Session, frameId: number, asked: Join): void {
  const { address, sendOnly, replayed, presence } = asked
  if (address.startsWith(GROUP)) return intoGroup(session, frameId, address)
  if (address.startsWith(CLIENT)) return joinOwnChannel(session, frameId, asked)
  const target = parsePlace(address)
  const past = pastOf(asked)
  const listen = sendOnly ? 'no' : 'yes'
  enter(session, { frameId, target, listen, replayed, presence, ...(past && { past }) })
}

function leave(session: Session, frameId: number, { address }: Leave): void {
  if (address.startsWith(GROUP)) leaveGroup(session, parseAddress(address) as GroupAddress)
  else leavePlace(session, parsePlace(address))
  session.send(frameId, { case: 'room', value: { action: { case: 'left', value: { address } } } })
}

function intoGroup(session: Session, frameId: number, text: string): void {
  const { member, address } = joinGroup(session, parseAddress(text) as GroupAddress)
  const { place, senders } = member
  const value = {
    route: place.route,
    address,
    epoch: BigInt(place.epoch),
    sequence: BigInt(place.sequence),
    maySend: senders.length > 0,
    listening: true,
    revision: session.core.rooms.at(place).record.revision,
  }
  session.send(frameId, { case: 'room', value: { action: { case: 'joined', value } } })
}

function members(session: Session, frameId: number, asked: ListMembers): void {
  // Nothing is looked up for whoever is nobody yet (R14).
  if (!session.unlocked) throw new Refusal(Code.UNAUTHENTICATED, 'nothing is unlocked yet')
  answerList(session, frameId, async () => {
    const value = await listMembers(session, asked)
    return { case: 'room', value: { action: { case: 'members', value } } }
  })
}
