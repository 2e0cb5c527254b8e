/** Room from a client: join and leave. */
import { Code } from '@porthouse/proto/v1/code'
import { type Join, type Leave, RoomSchema } from '@porthouse/proto/v1/room'
import { parsePlace } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import { enter, leavePlace } from '../entry/entry.ts'
import type { Session } from '../session.ts'
import { decode } from './decode.ts'

export function handleRoom(session: Session, frame: ScannedFrame): void {
  const { action } = decode(RoomSchema, frame)
  if (action.case === 'join') return join(session, frame.id, action.value)
  if (action.case === 'leave') return leave(session, frame.id, action.value)
  if (action.case === undefined) {
    if (frame.id !== 0) session.refuse(frame.id, Code.UNIMPLEMENTED, 'no action known here')
    return
  }
  throw new Refusal(Code.FRAME_NOT_ALLOWED, 'a room action that only a gateway sends')
}

function join(session: Session, frameId: number, { address, sendOnly }: Join): void {
  const target = parsePlace(address)
  enter(session, { frameId, target, listen: sendOnly ? 'no' : 'yes' })
}

function leave(session: Session, frameId: number, { address }: Leave): void {
  leavePlace(session, parsePlace(address))
  session.send(frameId, { case: 'room', value: { action: { case: 'left', value: { address } } } })
}
